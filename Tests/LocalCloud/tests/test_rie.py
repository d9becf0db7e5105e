"""The same stack on AWS's own Runtime Interface Emulator."""

from .support import TEMPLATE, keys


def test_a_stack_lives_on_the_runtime_interface_emulator(fresh):
    cloud = fresh(runtime="rie", custom_resource_timeout=20)
    made = cloud.stacks.create("emulated", TEMPLATE, {"Timeout": 20})
    assert made.status == "CREATE_COMPLETE", made.reasons()
    assert "(rapid) INVOKE START" in cloud.recorder.function_log()
    rotated = cloud.stacks.update("emulated", parameters={"Name": "two"})
    assert rotated.status == "UPDATE_COMPLETE" and keys(cloud, rotated) == [rotated.outputs["Key"]]
    body = b'{"raise": true}'
    function = cloud.functions.find(made.outputs["FunctionName"], cloud.account, cloud.region)
    outcome = cloud.functions.invoke(function, body)
    assert outcome.error and b"asked to raise" in outcome.result
    assert cloud.stacks.delete("emulated").status == "DELETE_COMPLETE"
