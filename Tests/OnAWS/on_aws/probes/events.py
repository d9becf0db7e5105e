"""EventBridge, CloudTrail and CloudWatch."""

from __future__ import annotations

import json
import time
from typing import Any

from on_aws.bench import Bench
from on_aws.claims import Seen, claim, decided

SERVICE = "EventBridge and CloudWatch"
_NOTHING_FIRES = "in the local cloud trails, rules and alarms are kept, but nothing fires"


def _queue(bench: Bench) -> tuple[str, str]:
    """A queue that EventBridge may write to: address and ARN."""
    sqs, name = bench.client("sqs"), bench.name("events")
    arn = bench.arn("sqs", name)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    bench.undo(f"queue {name}", lambda: sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"]))
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = sqs.create_queue(QueueName=name, Attributes={"Policy": policy}, tags={"stackcert-proof": bench.run})
    return made["QueueUrl"], arn


def _trail(bench: Bench, watched: str) -> None:
    trail, logs = bench.name("trail"), bench.bucket("trail")
    source = {"StringEquals": {"aws:SourceArn": bench.arn("cloudtrail", f"trail/{trail}")}}
    service, bucket = {"Service": "cloudtrail.amazonaws.com"}, f"arn:{bench.place.partition}:s3:::{logs}"
    statements = [
        {"Effect": "Allow", "Principal": service, "Action": action, "Resource": resource, "Condition": source}
        for action, resource in (
            ("s3:GetBucketAcl", bucket),
            ("s3:PutObject", f"{bucket}/AWSLogs/{bench.place.account}/*"),
        )
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    bench.client("s3").put_bucket_policy(Bucket=logs, Policy=policy)
    client = bench.client("cloudtrail")
    bench.undo(f"trail {trail}", lambda: client.delete_trail(Name=trail))
    client.create_trail(Name=trail, S3BucketName=logs, TagsList=bench.tags)
    objects = {"Type": "AWS::S3::Object", "Values": [f"arn:{bench.place.partition}:s3:::{watched}/"]}
    client.put_event_selectors(
        TrailName=trail,
        EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": [objects]}],
    )
    client.start_logging(Name=trail)


@claim("events-get-object", "EventBridge is given CloudTrail's GetObject data events.", not_local=_NOTHING_FIRES)
def get_object(bench: Bench) -> Seen:
    watched = bench.bucket("watched")
    queue, arn = _queue(bench)
    rule, events, sqs = bench.name("rule"), bench.client("events"), bench.client("sqs")
    pattern: dict[str, Any] = {
        "source": ["aws.s3"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventName": ["GetObject", "PutObject"], "requestParameters": {"bucketName": [watched]}},
    }
    bench.undo(f"rule {rule}", lambda: events.delete_rule(Name=rule))
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern), Tags=bench.tags)
    bench.undo("the rule's target", lambda: events.remove_targets(Rule=rule, Ids=["queue"]))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    _trail(bench, watched)
    names: dict[str, float] = {}
    began = time.monotonic()

    def told() -> bool:
        # Both again and again, until the trail has begun. A PutObject shows that the rule works.
        bench.client("s3").put_object(Bucket=watched, Key="a", Body=b"")
        bench.client("s3").get_object(Bucket=watched, Key="a")["Body"].read()
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages", [])
        for message in found:
            names.setdefault(json.loads(message["Body"])["detail"]["eventName"], time.monotonic() - began)
        return "GetObject" in names or ("PutObject" in names and time.monotonic() - began > names["PutObject"] + 300)

    bench.wait("an event of the bucket", told, 1200)
    shown = ", ".join(f"{name} after {seconds:.0f} s" for name, seconds in sorted(names.items()))
    return decided("GetObject" in names, shown)


@claim(
    "metrics-in-log-lines",
    "CloudWatch makes metrics of log lines in the embedded metric format.",
    not_local="the local cloud makes no metrics of log lines",
)
def metrics_in_log_lines(bench: Bench) -> Seen:
    logs, watch, group = bench.client("logs"), bench.client("cloudwatch"), f"/{bench.name('metrics')}"
    bench.undo(f"log group {group}", lambda: logs.delete_log_group(logGroupName=group))
    logs.create_log_group(logGroupName=group, tags={"stackcert-proof": bench.run})
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    space, now = f"stackcert-proof/{bench.run}", int(time.time() * 1000)
    definition = {"Namespace": space, "Dimensions": [["Function"]], "Metrics": [{"Name": "Proof", "Unit": "Count"}]}
    line = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [definition]}, "Function": "proof", "Proof": 3}
    logs.put_log_events(
        logGroupName=group, logStreamName="one", logEvents=[{"timestamp": now, "message": json.dumps(line)}]
    )
    began = time.monotonic()

    def total() -> float | None:
        points = watch.get_metric_statistics(
            Namespace=space,
            MetricName="Proof",
            Dimensions=[{"Name": "Function", "Value": "proof"}],
            Period=60,
            StartTime=now / 1000 - 300,
            EndTime=now / 1000 + 900,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points) or None

    found = bench.wait("the metric", total, 600)
    return decided(found == 3, f"{found} after {time.monotonic() - began:.0f} s")
