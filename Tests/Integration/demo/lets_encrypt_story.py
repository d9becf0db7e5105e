"""The story of a front end: a certificate from an authority, shown by a listener, renewed by the schedule, deleted."""

from __future__ import annotations

import ssl

from localcloud.acme import CertificateAuthority
from localcloud.fronts import ListenerFront
from localcloud.stacks import StackResult
from support import tls
from support.lets_encrypt import hosted_zone, orders, wanted_at_once
from support.paths import architecture
from support.provider import Provider
from support.renewal import Renewal, deployer

from demo.story import Story

ZONE = "example.com"
DOMAIN = f"shop.{ZONE}"
STACK = "front"


class LetsEncryptStory(Story):
    """The authority is pebble, Let's Encrypt's own test server, with DNS that answers from the local Route 53."""

    def tell(self) -> None:
        self.install()
        with CertificateAuthority(self.cloud) as authority:
            self.authority = authority
            self._renewals = authority.shim.extensions.advertise_renewal_information()
            self.zone = hosted_zone(self.cloud, ZONE)
            self.install_lets_encrypt()
            if not self.create_front():
                return
            self.shake_hands()
            self.renew()
            self.delete()

    def install_lets_encrypt(self) -> None:
        stage = self.stage
        stage.heading("2. Install the provider of Let's Encrypt certificates beside it")
        self._start(
            "create-stack",
            "stackcert-lets-encrypt",
            "lets-encrypt-provider.yml",
            CodeS3Bucket="code",
            CodeS3Key="stackcert-lambda.zip",
            Architecture=architecture(),
            HostedZoneIds=self.zone,
        )
        stage.follow("stackcert-lets-encrypt")
        result = self.cloud.stacks.describe("stackcert-lets-encrypt")
        stage.check(
            result.status == "CREATE_COMPLETE",
            "lets-encrypt-provider.yml installs a function that may change TXT records of _acme-challenge in one zone",
        )

    def create_front(self) -> bool:
        stage = self.stage
        stage.heading("3. Create an application with a certificate that browsers trust")
        stage.say(f"The authority is pebble, Let's Encrypt's test server: {self.authority.directory}")
        subnets = self.cloud.client("ec2").describe_subnets()["Subnets"]
        images = self.cloud.client("ec2").describe_images(Owners=["amazon"])["Images"]
        role = deployer(self.cloud)
        self._start(
            "create-stack",
            STACK,
            "letsencrypt.yml",
            "--role-arn",
            role,
            Domain=DOMAIN,
            HostedZoneId=self.zone,
            DirectoryName=self.authority.directory,
            Contact="ops@example.com",
            VpcId=subnets[0]["VpcId"],
            Subnets="\\,".join(subnet["SubnetId"] for subnet in subnets[:2]),
            ImageId=images[0]["ImageId"],
        )
        stage.follow(STACK)
        self.application = self.cloud.stacks.describe(STACK)
        created = self.application.status == "CREATE_COMPLETE"
        stage.check(created, "letsencrypt.yml creates a stack whose listener has a certificate of its own")
        if created:
            for name, value in self.application.outputs.items():
                stage.say(f"{name:<20} {value if len(value) < 110 else value[:80] + '…'}")
            stage.check(orders(self.authority, DOMAIN) == 1, "the authority took one order")
            records = self.cloud.client("route53").list_resource_record_sets(HostedZoneId=self.zone)
            left = [r["Name"] for r in records["ResourceRecordSets"] if r["Type"] == "TXT"]
            stage.check(not left, "the proof in DNS is gone again", ", ".join(left))
        return created

    # As renewal's helpers ask for them.

    def outputs(self) -> dict[str, str]:
        return self.cloud.stacks.describe(STACK).outputs

    @property
    def result(self) -> StackResult | None:
        return self.application

    @property
    def guid(self) -> str:
        assert self.application is not None
        return self.application.id.rsplit("/", 1)[1]

    def _shown(self, root: str) -> str:
        """The public key that a client sees which trusts this root."""
        with ListenerFront(self.cloud, self.outputs()["Listener"]) as front:
            return tls.public_key_in(tls.verified(front.port, DOMAIN, root))

    def shake_hands(self) -> None:
        stage = self.stage
        stage.heading("4. A browser's handshake")
        with ListenerFront(self.cloud, self.outputs()["Listener"]) as front:
            stage.say(tls.page(front.port, DOMAIN, self.authority.root()))
            shown = tls.verified(front.port, DOMAIN, self.authority.root())
            try:
                tls.verified(front.port, f"www.{DOMAIN}", self.authority.root())
                refused = False
            except ssl.SSLCertVerificationError as error:
                stage.say(str(error))
                refused = True
        stage.check(
            tls.public_key_in(shown) == self.outputs()["PublicKey"],
            "the handshake is verified against the authority's root, and shows the stack's certificate",
        )
        stage.check(refused, "the same handshake for another name fails")

    def renew(self) -> None:
        stage, before = self.stage, self.outputs()
        stage.heading("5. Two months later (here the authority says so, and the marker is put into the past)")
        renewal = Renewal(Provider(self.cloud, "stackcert", self.provider))
        seen = len(self.cloud.stacks.events(STACK))
        wanted_at_once(self.cloud, self._renewals, before["CertificateArn"])
        renewal.make_due(self)
        outcome = renewal.run(self)
        stage.say(f"{outcome}: {renewal.line}")
        stage.check(outcome == "Started", "the renewal updates the stack, and changes nothing but the rotation")
        stage.follow(STACK, seen)
        after = self.outputs()
        stage.check(
            self.cloud.stacks.status(STACK) == "UPDATE_COMPLETE"
            and after["CertificateArn"] != before["CertificateArn"]
            and self._shown(self.authority.root()) == after["PublicKey"] != before["PublicKey"],
            "the listener shows a new certificate, verified the same way",
        )
        stage.check(
            before["CertificateS3Key"] not in self._stored() and before["CertificateArn"] not in self._in_acm(),
            "CloudFormation has had the old private key deleted, in S3 and in ACM",
        )
        stage.check(renewal.run(self) == "Renewed", "the next hour's run sees that the new certificate is in use")

    def _in_acm(self) -> list[str]:
        keys = {"keyTypes": ["EC_prime256v1"]}
        found = self.cloud.client("acm").list_certificates(Includes=keys)["CertificateSummaryList"]
        return [each["CertificateArn"] for each in found]

    def delete(self) -> None:
        assert self.application is not None
        stage = self.stage
        stage.heading("6. Delete the stack")
        stage.aws("cloudformation", "delete-stack", "--stack-name", STACK)
        self.cloud.stacks.wait(self.application.id)
        stage.say("\n".join(f"{e['LogicalResourceId']:<26} {e['ResourceStatus']}" for e in self._last_events()))
        left = [key for key in self._stored() if key.startswith("lets-encrypt/")] + self._in_acm()
        stage.check(
            self.cloud.stacks.status(self.application.id) == "DELETE_COMPLETE" and not left,
            "the stack is gone, and with it its keys in S3 and in ACM",
            ", ".join(left),
        )
