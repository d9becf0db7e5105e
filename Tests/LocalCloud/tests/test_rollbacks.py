"""Both ways in which CloudFormation may take a successful replacement back."""

import pytest

from .support import keys


@pytest.mark.parametrize("rollback", ["update", "delete"])
def test_a_later_failure_rolls_a_replacement_back(fresh, template, rollback):
    cloud = fresh(rollback=rollback)
    first = cloud.stacks.create("later", template)
    old = first.outputs["Key"]
    cloud.recorder.clear()
    result = cloud.stacks.update("later", parameters={"Name": "two", "LateFail": "Update", "LateName": "later"})
    assert result.status == "UPDATE_ROLLBACK_COMPLETE", result.reasons()
    assert result.outputs == first.outputs and keys(cloud, result) == [old]
    events = cloud.recorder.events("Certificate")
    new = events[0][3]
    undo = [("Update", new, "SUCCESS", old)] if rollback == "update" else []
    assert events == [("Update", old, "SUCCESS", new), *undo, ("Delete", new, "SUCCESS", new)]
    pointer = cloud.client("ssm").get_parameter(Name=first.outputs["PointerName"])["Parameter"]["Value"]
    assert pointer == old
