"""The story: install the provider, create an application, look at the locked bucket, rotate, delete."""

from __future__ import annotations

import json
from pathlib import Path

from localcloud import LocalCloud
from localcloud.elb import BackendChecker
from localcloud.stacks import StackResult
from support import impostor
from support.paths import architecture, command_zip
from support.surroundings import surroundings
from support.traffic import Traffic

from demo.stage import Stage

DOMAIN = "shop.example.com"
STACK = "shop"


class Story:
    """One run. Each chapter leaves what the next needs."""

    def __init__(self, cloud: LocalCloud, stage: Stage, code: Path, work: Path):
        self.cloud, self.stage, self.code, self.work = cloud, stage, code, work
        self.provider: dict[str, str] = {}
        self.application: StackResult | None = None

    def tell(self) -> None:
        self.install()
        self.create()
        if self.application is None:
            return
        self.look_into_the_bucket()
        self.shake_hands()
        self.rotate()
        self.delete()

    def install(self) -> None:
        stage = self.stage
        stage.heading("1. Install the provider, once per account")
        command = f"stackcert-{architecture()}.zip"
        stage.aws("s3", "mb", "s3://code")
        stage.aws("s3", "cp", "--only-show-errors", str(self.code), "s3://code/stackcert-lambda.zip")
        stage.aws("s3", "cp", "--only-show-errors", str(command_zip()), f"s3://code/{command}")
        self._start(
            "create-stack",
            "stackcert",
            "provider.yml",
            CodeS3Bucket="code",
            CodeS3Key="stackcert-lambda.zip",
            CommandS3Key=command,
            Architecture=architecture(),
        )
        stage.follow("stackcert")
        result = self.cloud.stacks.describe("stackcert")
        self.provider = result.outputs
        stage.check(result.status == "CREATE_COMPLETE", "provider.yml installs the function, its key and its buckets")

    def _start(self, operation: str, stack: str, template: str | None, *more: str, **parameters: str) -> None:
        listed = [f"ParameterKey={name},ParameterValue={value}" for name, value in parameters.items()]
        body = ["--template-body", f"file://dist/templates/{template}"] if template else ["--use-previous-template"]
        code, answer = self.stage.aws(
            "cloudformation",
            operation,
            "--stack-name",
            stack,
            *body,
            "--capabilities",
            "CAPABILITY_IAM",
            *more,
            "--parameters",
            *listed,
        )
        if code:
            raise RuntimeError(answer)

    def create(self, *options: str) -> None:
        stage = self.stage
        stage.heading("2. Create an application whose servers have a certificate of their own")
        around = surroundings(self.cloud, DOMAIN)
        parameters = {
            "Domain": DOMAIN,
            "SSLCertificate": around.certificate_arn,
            "Route53HostedZoneId": around.zone_id,
            "ImageId": around.image_id,
            "CertificateBucket": self.provider["CertificateBucketName"],
            "CreateElbBackendCertificatesArn": self.provider["ProviderArn"],
            "CertificateRotation": "2026-11",
        }
        self._parameters = list(parameters)
        self._start("create-stack", STACK, "automated.yml", *options, **parameters)
        self._events = stage.follow(STACK)
        result = self.cloud.stacks.describe(STACK)
        stage.check(result.status == "CREATE_COMPLETE", "automated.yml creates a stack with a certificate of its own")
        if result.status != "CREATE_COMPLETE":
            return
        self.application = result
        for name, value in result.outputs.items():
            stage.say(f"{name:<22} {value if len(value) < 90 else value[:60] + '…'}")

    def look_into_the_bucket(self) -> None:
        assert self.application is not None
        stage, cloud, outputs = self.stage, self.cloud, self.application.outputs
        stage.heading("3. The bucket is locked")
        neighbour = self._neighbour()
        key, target = outputs["CertificateS3Key"], str(self.work / "bundle.json")

        def get(s3_key: str, who: str, role_arn: str | None = None, *more: str) -> tuple[int, str]:
            credentials = cloud.session(role_arn) if role_arn else None
            options = ("--bucket", self.provider["CertificateBucketName"], "--key", s3_key)
            return stage.aws("s3api", "get-object", *options, *more, target, role=who, credentials=credentials)

        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        foreign = cloud.create_role("somebody-else", everything, foreign=True)
        for who, role, more in (
            ("nobody in particular", None, ("--no-sign-request",)),
            ("a role of another account", foreign, ()),
            ("an administrator of this account", cloud.create_role("administrator", everything), ()),
        ):
            code, answer = get(key, who, role, *more)
            stage.say(answer.splitlines()[-1])
            stage.check(
                code != 0 and ("AccessDenied" in answer or "403" in answer), f"{who} cannot read the bundle", answer
            )
        server = outputs["ServerRoleArn"]
        code, answer = get(key, "the application's servers", server)
        members = sorted(json.loads(Path(target).read_text())) if code == 0 else []
        stage.say(", ".join(members))
        stage.check("private_key" in members, "the application's own role reads its own bundle", answer)
        code, answer = get(neighbour, "the application's servers", server)
        stage.say(answer.splitlines()[-1])
        stage.check(
            code != 0 and "AccessDenied" in answer,
            "the application's own role cannot read its neighbour's bundle",
            answer,
        )

    def _neighbour(self) -> str:
        """The bundle of another stack."""
        properties = {
            "ServiceToken": self.provider["ProviderArn"],
            "AppDomain": "neighbour.example.com",
            "AppName": "neighbour",
            "AppS3Bucket": self.provider["CertificateBucketName"],
        }
        body = {
            "Resources": {"Certificate": {"Type": "Custom::ElbBackendCertificate", "Properties": properties}},
            "Outputs": {"Key": {"Value": {"Fn::GetAtt": ["Certificate", "CertificateS3Key"]}}},
        }
        return self.cloud.stacks.create("neighbour", json.dumps(body, indent=1)).outputs["Key"]

    @property
    def _load_balancer(self) -> BackendChecker:
        assert self.application is not None
        return BackendChecker(self.cloud.client("elb"), self.application.physical_id("LoadBalancer"))

    def shake_hands(self) -> None:
        assert self.application is not None
        stage, balancer = self.stage, self._load_balancer
        stage.heading("4. The load balancer accepts the server by the stack's PublicKey, and no other")
        [server] = list(self.cloud.instances)
        status, page = balancer.get(server.port(8443))
        stage.say(page)
        verdict = balancer.check(server.port(8443))
        expected = self.application.outputs["PublicKey"]
        stage.check(
            status == 200 and verdict.trusted and verdict.public_key == expected,
            "a real stunnel serves the bundle, and the handshake shows the stack's PublicKey",
            verdict.reason,
        )
        with impostor.serving(DOMAIN, self.work) as port:
            verdict = balancer.check(port)
        stage.say(f"An impostor with a certificate for {DOMAIN} of its own: {verdict.reason}")
        stage.check(not verdict.trusted, "a server with another key under the same name is refused")

    def rotate(self) -> None:
        assert self.application is not None
        stage, before = self.stage, self.application.outputs
        stage.heading("5. Rotate: change one parameter")
        traffic = Traffic(self.cloud, self.application.physical_id("LoadBalancer"))
        with traffic.flowing() as counts:
            kept = [
                f"ParameterKey={name},UsePreviousValue=true"
                for name in self._parameters
                if name != "CertificateRotation"
            ]
            stage.aws(
                "cloudformation", "update-stack", "--stack-name", STACK, "--use-previous-template", "--capabilities",
                "CAPABILITY_IAM", "--parameters", "ParameterKey=CertificateRotation,ParameterValue=2027-11", *kept,
            )  # fmt: skip
            stage.follow(STACK, self._events)
        result = self.cloud.stacks.describe(STACK)
        after = result.outputs
        stage.check(
            result.status == "UPDATE_COMPLETE" and after["PublicKey"] != before["PublicKey"],
            "the stack has a new key pair",
        )
        stage.check(
            after["PreviousPublicKey"] == before["PublicKey"],
            "the old public key was trusted until the servers had changed over",
        )
        [server] = list(self.cloud.instances)
        verdict = self._load_balancer.check(server.port(8443))
        stage.check(
            verdict.trusted and verdict.public_key == after["PublicKey"],
            "the server has been replaced and shows the new key",
        )
        stage.check(
            counts.accepted > 0 and counts.refused == 0,
            f"of {counts.accepted + counts.refused} handshakes meanwhile the load balancer refused none",
        )
        gone = before["CertificateS3Key"] not in self._stored()
        stage.check(gone, "CloudFormation has had the old private key deleted")
        self.application = result

    def _stored(self) -> list[str]:
        found = self.cloud.client("s3").list_object_versions(Bucket=self.provider["CertificateBucketName"])
        return [item["Key"] for item in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]]

    def delete(self) -> None:
        assert self.application is not None
        stage, guid = self.stage, self.application.id.rsplit("/", 1)[1]
        stage.heading("6. Delete the stack")
        stage.aws("cloudformation", "delete-stack", "--stack-name", STACK)
        self.cloud.stacks.wait(self.application.id)
        stage.say("\n".join(f"{e['LogicalResourceId']:<26} {e['ResourceStatus']}" for e in self._last_events()))
        bucket = self.provider["CertificateBucketName"]
        stage.aws("s3api", "list-object-versions", "--bucket", bucket, "--prefix", f"backend-certificate/{DOMAIN}/")
        facts = self.cloud.client("s3").list_objects_v2(Bucket=self.provider["StateBucketName"]).get("Contents", [])
        left = [item["Key"] for item in facts if guid in item["Key"] and not item["Key"].startswith("tombstones/")]
        left += [key for key in self._stored() if guid in key]
        stage.check(
            self.cloud.stacks.status(self.application.id) == "DELETE_COMPLETE" and not left,
            "the stack is gone, and with it every version of its key",
            ", ".join(left),
        )

    def _last_events(self) -> list[dict[str, str]]:
        assert self.application is not None
        return [e for e in self.cloud.stacks.events(self.application.id) if e["ResourceStatus"] == "DELETE_COMPLETE"]
