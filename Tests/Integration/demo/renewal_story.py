"""The story of a renewal: a certificate becomes due, the schedule's hour comes, and nobody has to do anything."""

from __future__ import annotations

import time

from localcloud.stacks import StackResult
from support.provider import Provider
from support.renewal import Renewal, deployer
from support.traffic import Traffic

from demo.story import STACK, Story


class RenewalStory(Story):
    """Begins as the other one does."""

    def tell(self) -> None:
        self.install()
        self._role = deployer(self.cloud)
        self.stage.say(f"Stacks are updated with a service role of their owners': {self._role}")
        self.create("--role-arn", self._role)
        if self.application is None:
            return
        self.guid = self.application.id.rsplit("/", 1)[1]
        self.renewal = Renewal(Provider(self.cloud, "stackcert", self.provider))
        self.nothing_is_due()
        self.renew()
        self.look_again()
        self.stay()
        self.somebody_elses_change()
        self.look_at_the_table()

    def outputs(self) -> dict[str, str]:
        """As renewal's helpers ask for them."""
        return self.cloud.stacks.describe(STACK).outputs

    @property
    def result(self) -> StackResult | None:
        return self.application

    def _run(self) -> str | None:
        """The schedule's hour has come."""
        outcome = self.renewal.run(self)
        if outcome:
            self.stage.say(f"{outcome}: {self.renewal.line}")
        return outcome

    def nothing_is_due(self) -> None:
        stage = self.stage
        stage.heading("3. An hour passes")
        marker = next(key for key in self.renewal.provider.state("actions/") if self.guid in key)
        stage.say(f"The marker that says when: {marker}")
        stage.check(self._run() is None, "a certificate that is not due is left alone")

    def renew(self) -> None:
        stage, before = self.stage, self.outputs()
        stage.heading("4. Eight months later (here the marker is put into the past) the schedule's hour comes")
        self.renewal.make_due(self, "ElbBackendCertificate")
        traffic = Traffic(self.cloud, self.application.physical_id("LoadBalancer"))
        with traffic.flowing() as counts:
            outcome = self._run()
            stage.check(outcome == "Started", "the renewal updates the stack, and changes nothing but the rotation")
            stage.follow(STACK, self._events)
        result = self.cloud.stacks.describe(STACK)
        after = result.outputs
        stage.check(
            result.status == "UPDATE_COMPLETE" and after["PublicKey"] != before["PublicKey"],
            "the stack has a new key pair",
        )
        stage.check(after["PreviousPublicKey"] == before["PublicKey"], "the old public key was trusted meanwhile")
        stage.check(
            counts.accepted > 0 and counts.refused == 0,
            f"of {counts.accepted + counts.refused} handshakes meanwhile the load balancer refused none",
        )
        stage.check(
            before["CertificateS3Key"] not in self._stored(), "CloudFormation has had the old private key deleted"
        )

    def look_again(self) -> None:
        stage = self.stage
        stage.heading("5. The next hour")
        stage.check(self._run() == "Renewed", "the next run sees that the new certificate is in use")
        metrics = {name: value for name, value in self.renewal.metrics().items() if name[0].isupper()}
        stage.say("Metrics: " + ", ".join(f"{name} {value}" for name, value in sorted(metrics.items())))
        stage.check(self._run() is None, "after that there is nothing left to do")

    def stay(self) -> None:
        stage = self.stage
        stage.heading("6. Servers that stay: with Rollout=reload they take the next certificate in place")
        kept = [
            f"ParameterKey={name},UsePreviousValue=true"
            for name in [*self._parameters, "CertificateRotation"]
            if name not in ("Rollout", "CertificateInterval")
        ]
        stage.aws(
            "cloudformation", "update-stack", "--stack-name", STACK, "--use-previous-template", "--capabilities",
            "CAPABILITY_IAM", "--parameters", "ParameterKey=Rollout,ParameterValue=reload",
            "ParameterKey=CertificateInterval,ParameterValue=1s", *dict.fromkeys(kept),
        )  # fmt: skip
        self.cloud.stacks.wait(STACK)
        [server] = list(self.cloud.instances)
        self.renewal.let_time_pass(self)
        self.renewal.make_due(self, "ElbBackendCertificate")
        traffic = Traffic(self.cloud, self.application.physical_id("LoadBalancer"))
        with traffic.flowing() as counts:
            self._run()
            self.cloud.stacks.wait(STACK)
            key = self.outputs()["PublicKey"]
            limit = time.monotonic() + 30
            while traffic.shown_by(server.port(8443)) != key and time.monotonic() < limit:
                time.sleep(0.2)
        said = [entry for entry in self.renewal.provider.state("acknowledgements/") if self.guid in entry]
        stage.say(f"The server says what it serves: {said}")
        [same] = list(self.cloud.instances)
        stage.check(
            same.id == server.id and traffic.shown_by(same.port(8443)) == key, "the same server shows the new key"
        )
        stage.check(
            counts.accepted > 0 and counts.refused == counts.unanswered == 0,
            f"of {counts.accepted + counts.refused + counts.unanswered} handshakes meanwhile none was refused or lost",
        )
        stage.check(self._run() == "Renewed", "the next run sees that the new certificate is in use")

    def look_at_the_table(self) -> None:
        stage = self.stage
        stage.heading("8. What whoever is on call looks at")
        code, table = stage.stackcert("status")
        stage.say(table)
        stage.check(code == 1 and "StackPolicy" in table, "one table shows every certificate, and what is wrong")

    def somebody_elses_change(self) -> None:
        stage = self.stage
        stage.heading("7. A stack that may not be updated")
        self.renewal.make_due(self, "ElbBackendCertificate")
        stage.aws(
            "cloudformation", "set-stack-policy", "--stack-name", STACK, "--stack-policy-body",
            '{"Statement": {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}}',
        )  # fmt: skip
        before = self.outputs()
        self._run()
        self.cloud.stacks.wait(STACK)
        outcome = self._run()
        stage.check(
            outcome == "StackPolicy" and self.outputs()["PublicKey"] == before["PublicKey"],
            "a stack policy is never overridden: whoever is on call reads what to do",
        )
