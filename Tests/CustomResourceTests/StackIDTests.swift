import CustomResource
import Testing

@Suite struct StackIDTests {
    @Test(
        "A stack's ARN is taken apart in every partition",
        arguments: [
            ("aws", "eu-west-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1"),
            ("aws-eusc", "eusc-de-east-1"),
        ])
    func parts(partition: String, region: String) throws {
        let stack = try #require(
            StackID("arn:\(partition):cloudformation:\(region):111122223333:stack/My-Stack/6f0c7a10-1f2e"))
        #expect(stack.partition == partition)
        #expect(stack.account == "111122223333")
        #expect(stack.guid == "6f0c7a10-1f2e")
    }

    @Test(
        "What is not one is refused: its parts become parts of keys",
        arguments: [
            "", "arn", "arn:aws:cloudformation:eu-west-1:111122223333:stack/a", "arn:aws:cloudformation::1:stack/a/b",
            "arn:aws:cloudformation:eu-west-1:11112222333x:stack/a/b",
            "arn:aws:cloudformation:eu-west-1:111122223333:stack/a/b/c",
            "arn:aws:cloudformation:eu-west-1:111122223333:stack/a/",
            "arn:aws:cloudformation:eu-west-1:111122223333:stack/a/..",
            "arn:aws:cloudformation:eu-west-1:111122223333:stackset/a/b",
            "arn:aws:cloudformation:eu-west-1:111122223333:stack/a/b:c",
            "xarn:aws:cloudformation:eu-west-1:111122223333:stack/a/b",
            "arn:aws:cloudformation:eu-west-1:111122223333:stack/a/" + String(repeating: "b", count: 65),
        ])
    func refused(text: String) {
        #expect(StackID(text) == nil)
    }
}
