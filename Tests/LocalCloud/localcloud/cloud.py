"""The cloud: everything together, started and stopped as one."""

from __future__ import annotations

import json
from typing import Any

from localcloud.accounts import ACCOUNT, FOREIGN_ACCOUNT, create_administrator, trust
from localcloud.authz.authorizer import Authorizer
from localcloud.authz.principals import Credentials, Principals
from localcloud.authz.signature import claim_of
from localcloud.engine import api
from localcloud.engine.clients import Clients
from localcloud.engine.custom_resource import CustomResource
from localcloud.engine.environment import ROLLBACKS, Environment
from localcloud.engine.registry import Registry
from localcloud.engine.resources import all_types
from localcloud.engine.resources.autoscaling import AutoScalingGroup
from localcloud.engine.response_server import ResponseServer
from localcloud.engine.service import StackOperations
from localcloud.engine.signals import Signals
from localcloud.faults import Faults
from localcloud.gateway.call import Call
from localcloud.gateway.emulator import Emulator
from localcloud.gateway.gateway import Gateway
from localcloud.gateway.server import LoopbackServer
from localcloud.instances.fleet import MODES, Fleet
from localcloud.lambda_host.asynchronous import AsynchronousInvoker
from localcloud.lambda_host.function import Function
from localcloud.lambda_host.host import LambdaHost
from localcloud.lambda_host.rie import RieSandbox
from localcloud.lambda_host.sandbox import Sandbox
from localcloud.recorder import Recorder
from localcloud.schedules import Schedules
from localcloud.services.acm import Acm
from localcloud.services.certificate_attachments import CertificateAttachments
from localcloud.services.function_logs import FunctionLogs
from localcloud.services.lambda_service import LambdaService
from localcloud.services.route53 import Route53
from localcloud.services.server_certificates import ServerCertificates
from localcloud.services.sts import Sts
from localcloud.stacks import Stacks

_running: LocalCloud | None = None
_RUNTIMES = {"process": Sandbox, "rie": RieSandbox}


class LocalCloud:
    """`with LocalCloud() as cloud:` — one at a time in a process, because the emulator's state is the process's.

    runtime: `process` (this package's Runtime API) or `rie` (AWS's Runtime Interface Emulator).
    rollback: `update` or `delete`, see `engine.environment`.
    custom_resource_timeout: seconds, for custom resources without a ServiceTimeout of their own (AWS: 3600).
    retry_scale: by what Lambda's delays between redeliveries (60 s, 120 s) are multiplied.
    minute: seconds that a minute of a template's timeouts lasts. Servers boot in real time, slowly on a busy machine.
    implicit_list_prefix: whether S3, deciding between 404 and 403 for a missing key, sees the key as s3:prefix. AWS
    does not document it, so least-privilege tests should pass both ways.
    enforce: False switches policies off; signatures are verified all the same.
    instances: `run` boots the instances of auto scaling groups, `pretend` only lets them signal success.
    """

    def __init__(
        self,
        runtime: str = "process",
        rollback: str = "update",
        region: str = "us-east-1",
        port: int = 0,
        custom_resource_timeout: float = 60,
        retry_scale: float = 1 / 600,
        minute: float = 10.0,
        implicit_list_prefix: bool = True,
        enforce: bool = True,
        instances: str = "run",
    ):
        if rollback not in ROLLBACKS or runtime not in _RUNTIMES or instances not in MODES:
            raise ValueError(f"runtime: {sorted(_RUNTIMES)}, rollback: {ROLLBACKS}, instances: {MODES}")
        self.region, self.account, self.foreign_account = region, ACCOUNT, FOREIGN_ACCOUNT
        self.recorder = Recorder()
        self.faults = Faults(self.recorder)
        self._runtime, self._rollback, self._port, self._instances_mode = runtime, rollback, port, instances
        self._timeout, self._retry_scale, self._minute = custom_resource_timeout, retry_scale, minute
        self._implicit_list_prefix, self._enforce = implicit_list_prefix, enforce
        self._server: LoopbackServer | None = None

    def start(self) -> LocalCloud:
        global _running
        if _running is not None:
            raise RuntimeError(
                "another LocalCloud is running in this process, and both would share the emulator's state"
            )
        _running = self
        emulator = Emulator()
        self.principals = Principals()
        self.sts = Sts(self.principals)
        self.admin = create_administrator(self.account, self.principals)
        self.foreign_admin = create_administrator(self.foreign_account, self.principals)
        self.authorizer = Authorizer(self._implicit_list_prefix)
        self.clients = Clients(lambda: self.endpoint)
        self.functions = LambdaHost(
            self.sts, self.faults, self.recorder, lambda: self.endpoint, _RUNTIMES[self._runtime]
        )
        self.functions.on_log = FunctionLogs(self.authorizer, self.principals, self.recorder).write
        self.asynchronous = AsynchronousInvoker(self.functions, self._send_as, self._retry_scale)
        self._gateway = Gateway(
            emulator,
            self.principals,
            self.authorizer,
            self.faults,
            self.recorder,
            self.functions.kill,
            self.region,
            self._enforce,
        )
        self._gateway.is_function = self.functions.is_function
        self.response_server = ResponseServer(self.faults)
        self.environment = self._environment()
        self._gateway.native = self._native(emulator)
        self._server = LoopbackServer(self._gateway.handle, self._port)
        self.stacks = Stacks(
            lambda: self.client("cloudformation"),
            lambda name: self.environment.registry.get(self.account, self.region, name),
        )
        self.schedules = Schedules(self.client, self.region, self.account)
        return self

    def _environment(self) -> Environment:
        signals, registry, types = Signals(), Registry(), all_types()

        def signal(stack: str, resource: str, unique_id: str, status: str) -> None:
            signals.add(registry.get(self.account, self.region, stack).id, resource, unique_id, status)

        self.instances = Fleet(self.sts, self._instances_mode, lambda: int(self.endpoint.rsplit(":", 1)[1]), signal)
        types[AutoScalingGroup.name] = AutoScalingGroup(self.instances, signals, self._minute)
        custom = CustomResource(
            self.response_server, self.faults, self.recorder, self._timeout, self.functions.kill_handling
        )
        return Environment(registry, self.clients, types, custom, signals, self._rollback, self._minute)

    def _native(self, emulator: Emulator) -> dict[str, Any]:
        stacks = StackOperations(self.environment, self._stack_session, self._caller)
        self.route53, self.acm = Route53(emulator), Acm(emulator)
        self.server_certificates = ServerCertificates()
        functions = LambdaService(emulator, self.functions, self.asynchronous, self.sts)
        functions.receive_events()
        attachments = CertificateAttachments(emulator, self.acm, self.server_certificates)
        services = (functions, self.route53, self.acm, self.server_certificates, attachments)
        return {
            "sts:AssumeRole": self.sts.assume_role,
            "sts:GetCallerIdentity": self.sts.get_caller_identity,
            **{name: operation for service in services for name, operation in service.operations().items()},
            **api.operations(stacks),
        }

    def _stack_session(self, role_arn: str, _region: str) -> Credentials:
        return self.sts.for_service(role_arn, "cloudformation.amazonaws.com", "AWSCloudFormation")

    def _caller(self, call: Call) -> Credentials:
        claim = claim_of(call)
        found = self.principals.find(claim.access_key_id) if claim else None
        assert found is not None
        return found

    def _send_as(self, function: Function, destination: str, message: str) -> None:
        """Deliver a failed event to a queue, topic or function, with the function's own role."""
        session = self.principals.open_session(function.role, function.name)
        parts = destination.split(":")
        client = self.clients.of(session, parts[2], parts[3])
        try:
            if parts[2] == "sqs":
                client.send_message(QueueUrl=f"{self.endpoint}/{parts[4]}/{parts[5]}", MessageBody=message)
            elif parts[2] == "sns":
                client.publish(TopicArn=destination, Message=message)
            else:
                client.invoke(FunctionName=destination, InvocationType="Event", Payload=message.encode())
        except client.exceptions.ClientError as error:
            self.recorder.add(f"undeliverable to {destination}: {error}")

    @property
    def endpoint(self) -> str:
        """What AWS_ENDPOINT_URL has to be."""
        if self._server is None:
            raise RuntimeError("the cloud is not running")
        return self._server.url

    def client(
        self, service: str, as_role: str | None = None, credentials: Credentials | None = None, **options: Any
    ) -> Any:
        """A boto3 client: the administrator's, a role's (ARN; its trust policy is not asked), or of credentials.

        Its requests are never retried, unless `options` (botocore Config) say so.
        """
        if as_role:
            credentials = self.session(as_role)
        return self.clients.of(credentials or self.admin, service, options.pop("region", self.region), **options)

    def anonymous_client(self, service: str = "s3") -> Any:
        """A client that signs nothing."""
        return self.clients.of(None, service, self.region)

    def session(self, role_arn: str, name: str = "test") -> Credentials:
        """Credentials of a role, without asking who may assume it."""
        return self.principals.open_session(role_arn, name)

    def create_role(self, name: str, *statements: dict[str, Any], foreign: bool = False, path: str = "/") -> str:
        """A role for a test, with an inline policy of these statements; its own account, CloudFormation, EC2 and Lambda
        may assume it."""
        account = self.foreign_account if foreign else self.account
        client = self.client("iam", credentials=self.foreign_admin if foreign else self.admin)
        document = trust(
            services=["cloudformation.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com"], accounts=[account]
        )
        arn = client.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            client.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy)
        return arn

    def environment_variables(self, credentials: Credentials | None = None) -> dict[str, str]:
        """What the AWS CLI or an SDK needs in its environment to work here."""
        credentials = credentials or self.admin
        variables = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if credentials.session_token:
            variables["AWS_SESSION_TOKEN"] = credentials.session_token
        return variables

    def stop(self) -> None:
        """End everything that was started, by its id."""
        self.asynchronous.stop()
        for stack in self.environment.registry.stacks:
            stack.cancel.set()
        self.instances.close()
        self.functions.close()
        self.response_server.stop()
        if self._server:
            self._server.stop()
            self._server = None
        global _running
        _running = None

    def __enter__(self) -> LocalCloud:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()
