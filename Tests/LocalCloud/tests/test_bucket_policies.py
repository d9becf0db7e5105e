"""AWS::S3::BucketPolicy on a bucket that has a policy.

CloudFormation does not replace a policy that the stack did not make
(aws-cloudformation/cloudformation-coverage-roadmap#1068). The event's text is in awslabs/cdk-serverless-clamscan#1382,
aws-solutions/distributed-load-testing-on-aws#167 and serverless/serverless#6923.
"""

import json


def policy(sid: str, bucket: str) -> dict:
    refusal = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
    return {"Version": "2012-10-17", "Statement": [{**refusal, "Resource": f"arn:aws:s3:::{bucket}/secret"}]}


def template(bucket: str, sid: str, **attributes: str) -> str:
    properties = {"Bucket": bucket, "PolicyDocument": policy(sid, bucket)}
    return json.dumps(
        {"Resources": {"Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": properties, **attributes}}}
    )


def sid(cloud, bucket: str) -> str:
    found = json.loads(cloud.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    return found["Statement"][0]["Sid"]


def test_a_policy_of_somebody_elses_stays_and_the_stack_fails(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="guarded")
    s3.put_bucket_policy(Bucket="guarded", Policy=json.dumps(policy("Theirs", "guarded")))
    failed = cloud.stacks.create("second-policy", template("guarded", "Ours"))
    assert failed.status == "ROLLBACK_COMPLETE"
    assert "The bucket policy already exists on bucket guarded." in failed.reasons("CREATE_FAILED")
    assert sid(cloud, "guarded") == "Theirs"


def test_a_policy_that_a_stack_left_behind_is_in_its_successors_way(cloud):
    cloud.client("s3").create_bucket(Bucket="left")
    made = cloud.stacks.create("leaving", template("left", "First", DeletionPolicy="Retain"))
    assert made.status == "CREATE_COMPLETE"
    assert cloud.stacks.delete("leaving").status == "DELETE_COMPLETE"
    assert cloud.stacks.create("leaving", template("left", "Second")).status == "ROLLBACK_COMPLETE"
    assert sid(cloud, "left") == "First"


def test_the_stacks_own_policy_is_changed_in_place(cloud):
    cloud.client("s3").create_bucket(Bucket="own")
    cloud.stacks.create("own-policy", template("own", "First"))
    assert cloud.stacks.update("own-policy", template("own", "Second")).status == "UPDATE_COMPLETE"
    assert sid(cloud, "own") == "Second"
