"""A custom resource that the probe itself answers: a topic as ServiceToken, a queue behind it, and this process reads
the queue. So that no function is needed, and every event is seen as CloudFormation sends it."""

from __future__ import annotations

import json
import threading
import urllib.request
from typing import Any

from on_aws.bench import Bench


class Desk:
    """Answers SUCCESS to every event until it is closed. A property `Value` decides the physical id and the attribute
    of that name; a resource with `Fail` is answered with FAILED."""

    def __init__(self, bench: Bench):
        self._bench = bench
        self.events: list[dict[str, Any]] = []
        self._ended = threading.Event()
        sns, sqs = bench.client("sns"), bench.client("sqs")
        topic, queue = bench.name("topic"), bench.name("queue")
        self.arn = bench.arn("sns", topic)
        bench.undo(f"topic {topic}", lambda: sns.delete_topic(TopicArn=self.arn))
        sns.create_topic(Name=topic, Tags=bench.tags)
        bench.undo(f"queue {queue}", lambda: sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"]))
        queue_arn = bench.arn("sqs", queue)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = sqs.create_queue(
            QueueName=queue, Attributes={"Policy": policy}, tags={t["Key"]: t["Value"] for t in bench.tags}
        )
        self._queue = made["QueueUrl"]
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=queue_arn)
        # Stacks that are made later are removed before the desk closes: their Deletes are answered as well.
        bench.undo("the desk", self.close)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def resource(self, **properties: Any) -> dict[str, Any]:
        return {"Type": "Custom::Proof", "Properties": {"ServiceToken": self.arn, "ServiceTimeout": 300, **properties}}

    def _serve(self) -> None:
        sqs = self._bench.client("sqs")
        while not self._ended.is_set():
            wait = 0 if self._bench.place.is_local else 5
            found = sqs.receive_message(QueueUrl=self._queue, WaitTimeSeconds=wait).get("Messages", [])
            for message in found:
                self._answer(json.loads(json.loads(message["Body"])["Message"]))
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
            if not found and self._bench.place.is_local:
                self._ended.wait(0.05)

    def _answer(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        properties = event["ResourceProperties"]
        fails = "Fail" in properties and event["RequestType"] != "Delete"
        identifier = f"proof-{event['LogicalResourceId']}-{properties.get('Value', '')}"
        if event["RequestType"] == "Delete":
            identifier = event["PhysicalResourceId"]
        body = json.dumps(
            {
                "Status": "FAILED" if fails else "SUCCESS",
                "Reason": "the probe wants it",
                "StackId": event["StackId"],
                "RequestId": event["RequestId"],
                "LogicalResourceId": event["LogicalResourceId"],
                "PhysicalResourceId": identifier,
                "Data": {"Value": properties.get("Value", "")},
            }
        ).encode()
        request = urllib.request.Request(event["ResponseURL"], body, method="PUT", headers={"Content-Type": ""})
        urllib.request.urlopen(request, timeout=30).close()

    def of(self, logical_id: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["LogicalResourceId"] == logical_id]

    def close(self) -> None:
        self._ended.set()
        self._thread.join(20)


def desk(bench: Bench) -> Desk:
    """One for all probes; it is made before their stacks, and so closed after they are gone."""
    return bench.shared("desk", lambda: Desk(bench))
