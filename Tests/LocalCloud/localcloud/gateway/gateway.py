"""The way of every AWS request: identify, authenticate, authorize, strike with faults, answer, record."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

from localcloud.authz.authorizer import Authorizer
from localcloud.authz.principals import ANONYMOUS, Principals
from localcloud.authz.signature import authenticate, claim_of
from localcloud.errors import AwsError, NotCoveredLocally
from localcloud.faults import CALL, Fault, Faults
from localcloud.gateway import operations, serialization
from localcloud.gateway.call import Answer, Call
from localcloud.gateway.emulator import Emulator
from localcloud.gateway.server import ConnectionLost
from localcloud.recorder import ApiCall, Decision, Recorder
from localcloud.services.s3 import S3

Native = Callable[[Call], "dict | Answer"]


class Gateway:
    """Hands calls to the services written here (`native`), to S3's wrapper, or to the emulator."""

    def __init__(
        self,
        emulator: Emulator,
        principals: Principals,
        authorizer: Authorizer,
        faults: Faults,
        recorder: Recorder,
        kill: Callable[[str], None],
        region: str,
        enforce: bool = True,
    ):
        self._emulator = emulator
        self._principals = principals
        self._authorizer = authorizer
        self._faults = faults
        self._recorder = recorder
        self._kill = kill
        self._region = region
        self._enforce = enforce
        self._s3 = S3(emulator, authorizer, region)
        self.native: dict[str, Native] = {}
        self.is_function: Callable[[str], bool] = lambda _access_key_id: False

    def handle(self, call: Call) -> Answer:
        """Answer one request. Raises ConnectionLost when a fault says so."""
        record = ApiCall(
            self._recorder.next_number(), "", "", "", call.method, call.target, call.headers, call.body, {}
        )
        call.number = record.number
        try:
            answer = self._answer(call, record)
        except AwsError as error:
            answer = serialization.error(call, error)
        except NotCoveredLocally as error:
            answer = serialization.error(call, AwsError("NotCoveredLocally", f"Not covered locally: {error}", 501))
        except ConnectionLost:
            self._recorder.add(record)
            raise
        except Exception as error:  # a defect of the emulator or of this package: told aloud, answered as a server's
            traceback.print_exc(limit=-3)
            answer = serialization.error(call, AwsError("InternalFailure", f"LocalCloud: {error!r}", 500))
        record.status, record.answer = answer.status, answer.body
        self._recorder.add(record)
        return answer

    def _answer(self, call: Call, record: ApiCall) -> Answer:
        claim = claim_of(call)
        service, region = (claim.service, claim.region) if claim else ("s3", self._region)
        call.service = operations.service_of(service, call)
        operations.identify(call, call.service, region)
        record.name, record.region, record.params = call.name, region, call.params
        call.principal = ANONYMOUS
        by_function = bool(claim and self.is_function(claim.access_key_id))
        if claim:
            known = self._principals.find(claim.access_key_id)
            record.principal = known.principal.arn if known else claim.access_key_id
        fault = self._faults.striking(CALL, call.name, record.principal, by_function, call)
        if fault:
            record.fault = fault.effect
            self._before(fault, claim.access_key_id if claim else "")
        call.principal = authenticate(call, claim, self._principals)
        record.principal = call.principal.arn
        answer = self._perform(call, record.decisions)
        if fault:
            self._after(fault, claim.access_key_id if claim else "")
        return answer

    def _perform(self, call: Call, decisions: list[Decision]) -> Answer:
        if self._enforce:
            self._authorizer.authorize(call, decisions)
        native = self.native.get(call.name) or self.native.get(call.service + ":*")
        if native:
            outcome = native(call)
            return outcome if isinstance(outcome, Answer) else serialization.result(call, outcome)
        if call.service == "s3":
            return self._s3.answer(call, decisions)
        assert call.principal is not None
        return self._emulator.answer(call, call.principal.account)

    def _before(self, fault: Fault, access_key_id: str) -> None:
        """Effects that come before the operation, which then never happens (but for a hang)."""
        if fault.effect == "refuse":
            raise AwsError(fault.code, f"A fault was asked for: {fault.code}", fault.status)
        if fault.effect == "reset":
            raise ConnectionLost
        if fault.effect == "kill":
            fault.victim() if fault.victim else self._kill(access_key_id)
            raise ConnectionLost
        if fault.effect == "hang" and fault.until:
            fault.until.wait(60)
        elif fault.effect == "hang":
            time.sleep(fault.seconds)

    def _after(self, fault: Fault, access_key_id: str) -> None:
        """Effects that come after the operation has been done."""
        if fault.effect == "kill_after":
            fault.victim() if fault.victim else self._kill(access_key_id)
        if fault.effect in ("lose_answer", "kill_after"):
            raise ConnectionLost
