"""AWS::CloudWatch::Alarm and Dashboard. Alarms are kept and described; they do not fire by themselves."""

from __future__ import annotations

from typing import Any

from localcloud.engine.resource_type import Context, ResourceType
from localcloud.engine.resources.shapes import booleans, document, integers, picked
from localcloud.engine.stack import Physical

_TEXTS = (
    "AlarmActions",
    "AlarmDescription",
    "ComparisonOperator",
    "Dimensions",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "OKActions",
    "Statistic",
    "TreatMissingData",
    "Unit",
)
_NUMBERS = ("DatapointsToAlarm", "EvaluationPeriods", "Period")


class Alarm(ResourceType):
    name = "AWS::CloudWatch::Alarm"
    name_property = "AlarmName"
    properties = frozenset({*_TEXTS, *_NUMBERS, "ActionsEnabled", "AlarmName", "Threshold"})
    required = frozenset({"ComparisonOperator", "EvaluationPeriods"})
    replaced_by = frozenset({"AlarmName"})

    def _put(self, context: Context, name: str, properties: dict[str, Any]) -> Physical:
        threshold = {"Threshold": float(properties["Threshold"])} if "Threshold" in properties else {}
        context.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            **picked(properties, *_TEXTS),
            **integers(properties, *_NUMBERS),
            **booleans(properties, "ActionsEnabled"),
            **threshold,
        )
        arn = f"arn:aws:cloudwatch:{context.stack.region}:{context.stack.account}:alarm:{name}"
        return Physical(name, properties, {"Arn": arn})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        return self._put(context, properties.get("AlarmName") or context.generated_name(255), properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        return self._put(context, physical.id, properties)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("cloudwatch").delete_alarms(AlarmNames=[physical.id])


class Dashboard(ResourceType):
    name = "AWS::CloudWatch::Dashboard"
    name_property = "DashboardName"
    properties = frozenset({"DashboardBody", "DashboardName"})
    required = frozenset({"DashboardBody"})
    replaced_by = frozenset({"DashboardName"})

    def create(self, context: Context, properties: dict[str, Any]) -> Physical:
        name = properties.get("DashboardName") or context.generated_name(255)
        context.client("cloudwatch").put_dashboard(
            DashboardName=name, DashboardBody=document(properties["DashboardBody"])
        )
        return Physical(name, properties)

    def update(self, context: Context, physical: Physical, properties: dict[str, Any]) -> Physical:
        context.client("cloudwatch").put_dashboard(
            DashboardName=physical.id, DashboardBody=document(properties["DashboardBody"])
        )
        return Physical(physical.id, properties)

    def delete(self, context: Context, physical: Physical) -> None:
        context.client("cloudwatch").delete_dashboards(DashboardNames=[physical.id])
