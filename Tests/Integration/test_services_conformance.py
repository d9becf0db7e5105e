"""What issuing asks of Route 53, ACM and IAM, asked of the local cloud: zones, records, copies of certificates."""

from localcloud import LocalCloud
from support.swift_tests import run


def test_challenges_and_copies_are_made_and_taken_back_in_the_local_cloud(cloud: LocalCloud, name: str) -> None:
    zone = f"{name}.example"
    route53 = cloud.client("route53")
    zone_id = route53.create_hosted_zone(Name=zone, CallerReference=name)["HostedZone"]["Id"]
    cloud.route53.propagation = 5
    cloud.server_certificates.delay = 3
    try:
        variables = {"STACKCERT_SERVICES_ENDPOINT": cloud.endpoint, "STACKCERT_SERVICES_ZONE": zone}
        run("ServicesConformanceTests", cloud.environment_variables() | variables)
    finally:
        cloud.route53.reset()
        cloud.server_certificates.delay = 0
    left = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    assert {record["Type"] for record in left} <= {"NS", "SOA"}
    route53.delete_hosted_zone(Id=zone_id)
