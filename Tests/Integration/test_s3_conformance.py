"""The scenarios that the S3 in memory of the Swift tests has to play, played here: what is proven there holds here."""

from localcloud import LocalCloud
from support.swift_tests import run


def test_the_local_cloud_and_the_s3_in_memory_behave_alike(cloud: LocalCloud, name: str) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    variables = {
        "STACKCERT_S3_ENDPOINT": cloud.endpoint,
        "STACKCERT_S3_BUCKET": name,
        "STACKCERT_S3_OWNER": cloud.account,
    }
    run("S3ConformanceTests", cloud.environment_variables() | variables)
    left = s3.list_object_versions(Bucket=name)
    assert not left.get("Versions") and not left.get("DeleteMarkers")
