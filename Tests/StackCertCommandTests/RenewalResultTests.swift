import AWSClient
import CertificateIssuance
import Testing
import Timekeeping

@testable import CertificateRenewal
@testable import StackCertCommand

/// How the end of a renewal is told.
@Suite struct RenewalResultTests {
    private let stack = DueStack(
        id: "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/guid", guid: "guid",
        certificates: [
            DueCertificate(
                logicalResourceID: "Certificate", generation: String(repeating: "0", count: 64),
                rotationParameter: "CertificateRotation", notBefore: Fleet.now,
                notAfter: Fleet.now.advanced(by: .days(90)))
        ])

    @Test("Only what is as it was asked for, or as its owners want it, counts as done")
    func isDone() {
        let done: Set<RenewalOutcome.Code> = [.renewed, .stackDeleted, .switchedOff]
        for code in RenewalOutcome.Code.allCases {
            #expect(RenewalResult(stack, RenewalOutcome(code, "Text.")).isDone == done.contains(code), "\(code)")
        }
        #expect(RenewalResult(notDue: stack).isDone)
    }

    @Test("A dry run has a line for each change, and says what would be started")
    func preview() throws {
        let changes = [
            CloudFormation.ResourceChange(
                action: "Modify", logicalResourceID: "Certificate", resourceType: "Custom::ElbBackendCertificate",
                replacement: "True",
                details: [
                    CloudFormation.ChangeDetail(
                        attribute: "Properties", name: "Rotation", evaluation: "Static", source: "ParameterReference",
                        causingEntity: "CertificateRotation")
                ]),
            CloudFormation.ResourceChange(
                action: "Remove", logicalResourceID: "Queue", resourceType: "AWS::SQS::Queue", details: []),
        ]
        let verdicts = ChangeSetJudge(rotating: ["Certificate"], parameters: ["CertificateRotation"])
            .verdicts(on: changes)
        let rotation = "CertificateRotation=2027-04-15-00000000"
        let refused = RenewalResult(
            RenewalPreview(
                stack: stack, rotation: rotation, verdicts: verdicts,
                refusal: RenewalOutcome(.foreignChanges, "It would do more.")))
        #expect(!refused.isDone)
        #expect(
            refused.lines == [
                "  yes  Modify Certificate (Custom::ElbBackendCertificate), replacing it: "
                    + "Properties.Rotation by ParameterReference CertificateRotation",
                "  NO   Remove Queue (AWS::SQS::Queue): without a cause",
                "shop: ForeignChanges: It would do more.",
            ])
        let allowed = RenewalResult(
            RenewalPreview(stack: stack, rotation: rotation, verdicts: Array(verdicts.prefix(1)), refusal: nil))
        #expect(allowed.isDone)
        #expect(
            allowed.lines.last
                == "shop: WouldRenew: The update with \(rotation) does nothing but rotate, and would be started.")
        #expect(try OutputOptions.document(allowed).contains(#""allowed" : true"#))
    }

    @Test("What is not due says when it will be")
    func notDue() throws {
        let due = try #require(stack.certificates.first?.due)
        #expect(
            RenewalResult(notDue: stack).lines == [
                "shop: NotDue: Not due yet. Renewal: Certificate on \(due.day) (valid until 2027-04-15)."
            ])
    }

    @Test("An event is one line, whatever its reason holds")
    func event() throws {
        let event = CloudFormation.StackEvent(
            id: "1", logicalResourceID: "Servers", resourceType: "AWS::AutoScaling::AutoScalingGroup",
            status: "UPDATE_FAILED", statusReason: "Two\nlines, and \u{1B}[31mred", timestamp: Fleet.now)
        #expect(
            RenewalConsole.line(event, stack: "shop")
                == "08:00:00  shop  Servers  UPDATE_FAILED  Two lines, and  [31mred")
        let bare = CloudFormation.StackEvent(
            id: "2", logicalResourceID: "shop", resourceType: "AWS::CloudFormation::Stack", status: "UPDATE_COMPLETE",
            statusReason: nil, timestamp: nil)
        #expect(RenewalConsole.line(bare, stack: "shop") == "--:--:--  shop  shop  UPDATE_COMPLETE")
    }
}
