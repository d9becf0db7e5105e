"""The scheduled function, woken by tests, and stacks that it can renew."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from localcloud import LocalCloud
from localcloud.stacks import StackResult

from support import documents
from support.application import ATTRIBUTES, SERVICE_TIMEOUT, await_next_second
from support.provider import Provider, install

_LONG_AGO = "2020-01-01T00:00:00Z"


def _template(provider: Provider, stored: bool) -> str:
    """A certificate that a parameter rotates, and what follows from it: the servers' pointer. The image is looked up
    in Parameter Store at every update, which is how a change of somebody else's comes along."""
    resources: dict[str, Any] = {
        "Certificate": {
            "Type": "Custom::ElbBackendCertificate",
            "Properties": {
                "ServiceToken": provider.arn,
                "ServiceTimeout": SERVICE_TIMEOUT,
                "AppDomain": {"Fn::Sub": "${AWS::StackName}.example.com"},
                "AppName": {"Ref": "AWS::StackName"},
                "AppS3Bucket": provider.bucket,
                "KeyAlgorithm": "EC_P256",
                "Rotation": {"Ref": "CertificateRotation"},
            },
        },
        "Pointer": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Name": {"Fn::Sub": "/stackcert/${AWS::StackName}/certificate"},
                "Type": "String",
                "Value": {"Fn::GetAtt": "Certificate.CertificateS3Key"},
            },
        },
        "Image": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Name": {"Fn::Sub": "/stackcert/${AWS::StackName}/image"},
                "Type": "String",
                "Value": {"Ref": "ImageId"},
            },
        },
    }
    outputs = {name: {"Value": {"Fn::GetAtt": ["Certificate", name]}} for name in ATTRIBUTES}
    parameters = {
        "CertificateRotation": (
            {"Type": "AWS::SSM::Parameter::Value<String>"} if stored else {"Type": "String", "Default": "1"}
        ),
        "ImageId": {"Type": "AWS::SSM::Parameter::Value<String>"},
    }
    # A transform needs rights of its own, as CloudFormation's look at Parameter Store does.
    transform = {"Transform": "AWS::LanguageExtensions"} if stored else {}
    return json.dumps({**transform, "Parameters": parameters, "Resources": resources, "Outputs": outputs}, indent=1)


@dataclass
class Renewable:
    """An application stack; `attributes` are those of its creation."""

    cloud: LocalCloud
    name: str
    result: StackResult
    attributes: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.attributes = dict(self.result.outputs)

    @property
    def image_parameter(self) -> str:
        return f"/stackcert/images/{self.name}"

    @property
    def guid(self) -> str:
        return self.result.id.rsplit("/", 1)[1]

    def wait(self) -> StackResult:
        self.result = self.cloud.stacks.wait(self.result.id)
        return self.result

    def outputs(self) -> dict[str, str]:
        """The certificate's attributes as the stack has them now."""
        found = self.cloud.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}

    def rotation(self) -> str:
        found = self.cloud.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        [parameter] = [p for p in found["Parameters"] if p["ParameterKey"] == "CertificateRotation"]
        return parameter.get("ResolvedValue", parameter["ParameterValue"])

    @property
    def rotation_parameter(self) -> str:
        """Of a stack whose rotation is in Parameter Store."""
        return f"/stackcert/rotation/{self.name}"

    def stored_rotation(self) -> str:
        return self.cloud.client("ssm").get_parameter(Name=self.rotation_parameter)["Parameter"]["Value"]

    def store_rotation(self, value: str) -> None:
        self.cloud.client("ssm").put_parameter(Name=self.rotation_parameter, Value=value, Type="String", Overwrite=True)

    def requests(self) -> list[str]:
        """The kinds of the events that the provider had for this stack, in their order."""
        exchanges = list(self.cloud.recorder.exchanges)
        return [e.request["RequestType"] for e in exchanges if e.request["StackId"] == self.result.id]

    def publish_image(self, identifier: str) -> None:
        self.cloud.client("ssm").put_parameter(
            Name=self.image_parameter, Value=identifier, Type="String", Overwrite=True
        )

    def deploy(self, **parameters: str) -> StackResult:
        """A pipeline deploys the same template, and names these parameters; the others stay as they are."""
        await_next_second()
        client = self.cloud.client("cloudformation")
        known = client.describe_stacks(StackName=self.name)["Stacks"][0]["Parameters"]
        given = [
            {"ParameterKey": key, "ParameterValue": parameters[key]}
            if key in parameters
            else {"ParameterKey": key, "UsePreviousValue": True}
            for key in (parameter["ParameterKey"] for parameter in known)
        ]
        capabilities = ["CAPABILITY_AUTO_EXPAND"]
        client.update_stack(
            StackName=self.name, UsePreviousTemplate=True, Parameters=given, Capabilities=capabilities
        )
        return self.wait()

    def delete(self) -> StackResult:
        return self.cloud.stacks.delete(self.name)


def deployer(cloud: LocalCloud) -> str:
    """The service role that deployer-role.yml makes, made once. Its name begins with `deployer`."""
    if not cloud.stacks.exists("deployer"):
        made = cloud.stacks.create("deployer", documents.published("deployer-role"))
        if made.status != "CREATE_COMPLETE":
            raise RuntimeError(f"deployer-role.yml: {made.status}: {made.reasons()}")
    return cloud.stacks.describe("deployer").outputs["RoleArn"]


def renewable(provider: Provider, name: str, with_role: bool = True, stored: bool = False, **more: Any) -> Renewable:
    """`stored`: the rotation's value is in Parameter Store, and the stack knows its name."""
    cloud = provider.cloud
    given = {"ImageId": f"/stackcert/images/{name}"}
    if stored:
        given["CertificateRotation"] = f"/stackcert/rotation/{name}"
        cloud.client("ssm").put_parameter(Name=given["CertificateRotation"], Value="1", Type="String", Overwrite=True)
    cloud.client("ssm").put_parameter(Name=given["ImageId"], Value="ami-1", Type="String", Overwrite=True)
    if with_role:
        more["RoleARN"] = deployer(cloud)
    result = cloud.stacks.create(name, _template(provider, stored), given, **more)
    if result.status != "CREATE_COMPLETE":
        raise RuntimeError(f"{name}: {result.status}: {result.reasons()}")
    return Renewable(cloud, name, result)


class Renewal:
    """One provider's scheduled function. `line` is what it said of the stack of the last run."""

    def __init__(self, provider: Provider, queue_url: str = ""):
        self.provider = provider
        self.cloud = provider.cloud
        self.line = ""
        self._queue = queue_url

    @classmethod
    def with_topic(cls, cloud: LocalCloud, name: str) -> Renewal:
        """A provider of its own, whose messages to whoever is on call end in a queue."""
        topic = cloud.client("sns").create_topic(Name=name)["TopicArn"]
        queue = cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        arn = cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
        return cls(install(cloud, name, ExportPrefix=name, AlarmTopicArn=topic), queue)

    # What is due.

    def make_due(self, stack: Renewable, resource: str = "Certificate") -> str:
        """Writes a marker of long ago, as the provider's function would have."""
        generation = stack.outputs()["CertificateS3Key"].rsplit("/", 1)[1].removesuffix(".json")
        key = f"actions/{_LONG_AGO[:16]}Z/{stack.guid}.{resource}.{generation}"
        writer = self.cloud.client("s3", as_role=self.provider.role_arn)
        writer.put_object(Bucket=self.provider.state_bucket, Key=key, Body=b"")
        return key

    def acknowledge(self, stack: Renewable, bundle: str, server: str = "i-0123456789abcdef0") -> None:
        """A server says what it serves, as `stackcert pull` has it say."""
        key = f"acknowledgements/{stack.guid}/Certificate/{server}.json"
        said = {"bundle": bundle, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        roles = {role["RoleName"]: role["Arn"] for role in self.cloud.client("iam").list_roles()["Roles"]}
        allowed = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}
        role = roles.get("some-server") or self.cloud.create_role("some-server", allowed, path="/stackcert-app/")
        server_s3 = self.cloud.client("s3", as_role=role)
        server_s3.put_object(Bucket=self.provider.state_bucket, Key=key, Body=json.dumps(said).encode())

    def _as_the_function(self) -> Any:
        return self.cloud.client("s3", as_role=self.provider.renewal_role_arn)

    def let_time_pass(self, stack: Renewable) -> None:
        """Ends the lease and the pause of a try, as hours would."""
        await_next_second()
        key, s3 = f"renewals/{stack.guid}.json", self._as_the_function()
        if key not in self.provider.state("renewals/"):
            return
        memory = json.loads(s3.get_object(Bucket=self.provider.state_bucket, Key=key)["Body"].read())
        memory |= {"leaseEnds": _LONG_AGO, "nextTry": _LONG_AGO}
        s3.put_object(Bucket=self.provider.state_bucket, Key=key, Body=json.dumps(memory).encode())

    def forget(self, stack: Renewable) -> None:
        """Removes what a test leaves behind."""
        for key in [*self.provider.state("renewals/"), *self.provider.state(f"actions/{_LONG_AGO[:16]}Z/")]:
            if stack.guid in key:
                self._as_the_function().delete_object(Bucket=self.provider.state_bucket, Key=key)

    # Runs.

    def invoke(self, payload: bytes = b"{}") -> dict[str, Any]:
        answer = self.cloud.client("lambda").invoke(FunctionName=self.provider.renewal_function_name, Payload=payload)
        return json.loads(answer["Payload"].read())

    def sweep(self) -> dict[str, Any]:
        """One sweep, from its beginning to its end; what it answered."""
        self._log()
        answer = self.invoke(b'{"sweep": true}')
        self._log()
        return answer

    def _log(self) -> list[dict[str, Any]]:
        """The function's lines of JSON since the last look."""
        group = f"/aws/lambda/{self.provider.renewal_function_name}"
        client, lines = self.cloud.client("logs"), []
        for stream in client.describe_log_streams(logGroupName=group)["logStreams"]:
            name = stream["logStreamName"]
            events = client.get_log_events(logGroupName=group, logStreamName=name, startFromHead=True)["events"]
            lines += [json.loads(e["message"]) for e in events if e["message"].startswith("{")]
            client.delete_log_stream(logGroupName=group, logStreamName=name)
        self.records = [line for line in lines if "_aws" in line]
        return lines

    def outcomes(self, stack: Renewable) -> list[str]:
        found = [line for line in self._log() if line.get("cfn.stack_id") == stack.result.id]
        told = [line for line in found if "renewal.outcome" in line]
        if told:
            self.line = told[-1]["renewal.message"]
        return [line["renewal.outcome"] for line in told]

    def run(self, stack: Renewable) -> str | None:
        """One run. The outcome for this stack; None when the function had nothing to do with it."""
        self._log()
        self.invoke()
        outcomes = self.outcomes(stack)
        assert len(outcomes) <= 1, outcomes
        return outcomes[0] if outcomes else None

    def run_at_once(self, stack: Renewable, number: int) -> list[str]:
        self._log()
        runs = [threading.Thread(target=self.invoke) for _ in range(number)]
        for run in runs:
            run.start()
        for run in runs:
            run.join(60)
            assert not run.is_alive(), "a run did not end within a minute"
        return self.outcomes(stack)

    def metrics(self) -> dict[str, Any]:
        """The values of the last run's records."""
        return {key: value for record in self.records for key, value in record.items() if isinstance(value, int)}

    def messages(self) -> list[dict[str, str]]:
        sqs = self.cloud.client("sqs")
        found = sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    def change_sets(self, stack: Renewable) -> list[str]:
        found = self.cloud.client("cloudformation").list_change_sets(StackName=stack.name)["Summaries"]
        return [summary["ChangeSetName"] for summary in found]

    def rule(self, resource: str = "RenewalSchedule") -> dict[str, Any]:
        found = self.cloud.client("cloudformation").describe_stack_resource(
            StackName=self.provider.stack, LogicalResourceId=resource
        )
        name = found["StackResourceDetail"]["PhysicalResourceId"].rsplit("/", 1)[-1]
        return self.cloud.client("events").describe_rule(Name=name)

    def fire(self, resource: str = "RenewalSchedule") -> None:
        """The schedule's hour has come."""
        self.cloud.schedules.fire(self.rule(resource)["Arn"])
        self.cloud.asynchronous.wait_idle()


def swept(renewal: Renewal) -> Renewal:
    """After its first sweep, which an hourly run makes otherwise: the runs of a test then do nothing but renew."""
    renewal.sweep()
    return renewal


def eventually(condition: Any, seconds: float = 10) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come about in time"
        time.sleep(0.05)
