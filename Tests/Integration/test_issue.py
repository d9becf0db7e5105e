"""`stackcert issue` beside pebble, Let's Encrypt's own test server, and Route 53."""

from __future__ import annotations

import datetime
import json
import shutil
import socket
import ssl
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from localcloud import LocalCloud
from localcloud.acme import CertificateAuthority, Settings
from localcloud.acme.renewal_information import certificate_id
from localcloud.acme.second_authority import SecondAuthority
from support import tls
from support.acme_account import deactivate
from support.gates import counted
from support.issuing import Issuing, issuer_role


@pytest.fixture(scope="module")
def authority(cloud: LocalCloud) -> Iterator[CertificateAuthority]:
    with CertificateAuthority(cloud, Settings(alternate_roots=2)) as started:
        yield started


@pytest.fixture
def domain(name: str) -> str:
    return f"{name}.example.net"


@pytest.fixture
def zone(cloud: LocalCloud, domain: str) -> str:
    made = cloud.client("route53").create_hosted_zone(Name=domain, CallerReference=domain)
    return made["HostedZone"]["Id"].removeprefix("/hostedzone/")


@pytest.fixture
def issuing(
    cloud: LocalCloud, authority: CertificateAuthority, name: str, zone: str, tmp_path: Path
) -> Iterator[Issuing]:
    authority.shim.requests.clear()
    yield Issuing(cloud, authority, issuer_role(cloud, name, zone), tmp_path)
    authority.shim.extensions.reset()


def verified(issuing: Issuing, name: str, root: int = 0) -> None:
    """What openssl thinks of the chain that was written."""
    (issuing.folder / "root.pem").write_text(issuing.authority.root(root) if root else issuing.authority.root())
    tls.openssl(
        *("verify", "-CAfile", str(issuing.folder / "root.pem"), "-untrusted", str(issuing.certificate)),
        *("-verify_hostname", name, str(issuing.certificate)),
    )


def test_apex_and_wildcard_come_in_one_order_and_no_record_is_left(issuing: Issuing, domain: str, zone: str):
    shown = issuing.issued(domain, f"*.{domain}")
    assert shown["change"] == "written"
    assert issuing.names() == {domain, f"*.{domain}"}
    verified(issuing, f"www.{domain}")
    assert stat.S_IMODE(issuing.key.stat().st_mode) == 0o400
    assert tls.public_key_of(issuing.key.read_text()) == tls.public_key_in(issuing.certificate.read_text())
    assert issuing.orders() == 1
    assert issuing.left_behind(zone) == {}


def test_nothing_is_ordered_as_long_as_the_certificate_is_not_due(issuing: Issuing, domain: str):
    first = issuing.issued(domain)
    again = issuing.issued(domain)
    assert (again["change"], again["fingerprint"]) == ("unchanged", first["fingerprint"])
    assert issuing.orders() == 1
    forced = issuing.issued(domain, more=("--force",))
    assert forced["fingerprint"] != first["fingerprint"]


def test_a_certificate_that_the_authority_wants_renewed_is_renewed_before_its_time(issuing: Issuing, domain: str):
    """As before a revocation (RFC 9773)."""
    renewals = issuing.authority.shim.extensions.advertise_renewal_information()
    first = issuing.issued(domain)
    identifier = certificate_id(issuing.chain()[0])
    assert issuing.issued(domain)["change"] == "unchanged"
    assert issuing.issued(domain)["change"] == "unchanged"
    # The authority wants to be asked every six hours.
    assert renewals.asked == [identifier]
    shutil.rmtree(issuing.folder / ".stackcert" / "renewal-info")
    now = datetime.datetime.now(datetime.UTC)
    renewals.suggest(identifier, now - datetime.timedelta(hours=2), now - datetime.timedelta(hours=1))
    second = issuing.issued(domain)
    assert (second["change"], second["fingerprint"] != first["fingerprint"]) == ("written", True)
    orders = [request.payload.get("replaces") for request in issuing.authority.shim.named("newOrder")]
    assert orders == [None, identifier]
    assert issuing.issued(domain)["change"] == "unchanged"


def test_an_authority_that_cannot_be_asked_for_renewal_information_is_no_reason_to_fail(
    issuing: Issuing, cloud: LocalCloud, domain: str
):
    issuing.authority.shim.extensions.advertise_renewal_information()
    issuing.issued(domain)
    cloud.faults.add("refuse", "renewalInfo", kind="acme", status=403, code="unauthorized")
    done = issuing.run(issuing.issue(domain))
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "unchanged"), done.stderr
    assert "renewal information is not available, the lifetime decides." in done.stderr


def test_other_names_or_another_kind_of_key_need_another_certificate(issuing: Issuing, domain: str):
    issuing.issued(domain)
    assert issuing.issued(domain, f"a.{domain}")["change"] == "written"
    assert issuing.issued(domain, f"a.{domain}", more=("--key-algorithm", "RSA_2048"))["change"] == "written"
    assert issuing.chain()[0].public_key().key_size == 2048


def test_what_one_authority_issued_does_not_stay_when_another_is_asked(
    issuing: Issuing, cloud: LocalCloud, domain: str
):
    """As for a server that is to go from staging to production."""
    first = issuing.issued(domain)
    with CertificateAuthority(cloud) as other:
        second = Issuing(cloud, other, issuing.role, issuing.folder).issued(domain)
        assert (second["change"], other.shim.named("newOrder") != []) == ("written", True)
    assert second["fingerprint"] != first["fingerprint"]


def test_an_authority_of_another_make_issues_too(issuing: Issuing, cloud: LocalCloud, domain: str, zone: str):
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    with SecondAuthority(cloud, {"kid-1": key}, {"shortlived": "Six days"}) as second:
        machine = Issuing(cloud, second, issuing.role, issuing.folder)
        (issuing.folder / "eab.key").write_text(key)
        given = ("--external-account-id", "kid-1", "--external-account-key-file", str(issuing.folder / "eab.key"))
        machine.issued(domain, f"*.{domain}", more=(*given, "--acme-profile", "shortlived"))
        verified(machine, f"www.{domain}")
        unknown = machine.run(machine.issue(domain), "--force", "--acme-profile", "eternal")
        assert unknown.returncode == 76
        assert "shortlived" in unknown.stderr
    assert issuing.left_behind(zone) == {}


def test_a_profile_that_the_authority_does_not_offer_is_refused_before_anything_is_ordered(
    issuing: Issuing, domain: str
):
    """pebble ignores what it does not know and would issue for 90 days."""
    wanted = ("--acme-profile", "shortlived")
    refused = issuing.run(issuing.issue(domain), *wanted)
    assert refused.returncode == 76
    assert refused.stderr.strip().endswith(
        'offers no certificate profiles, and --acme-profile asks for "shortlived": leave --acme-profile out.'
    )
    issuing.authority.shim.extensions.profiles = {"tlsserver": "For servers", "classic": "As ever"}
    refused = issuing.run(issuing.issue(domain), *wanted)
    assert refused.returncode == 76
    assert refused.stderr.strip().endswith(
        'does not offer the certificate profile "shortlived". '
        "Set --acme-profile to one that it offers (classic, tlsserver), or leave it out."
    )
    assert (issuing.orders(), issuing.key.exists()) == (0, False)
    issuing.authority.shim.extensions.profiles["shortlived"] = "Six days"
    issuing.issued(domain, more=wanted)
    assert issuing.authority.shim.named("newOrder")[-1].payload["profile"] == "shortlived"


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        (
            "*.example.net",
            ("--challenge", "http-01", "--challenge-bucket", "b"),
            "http-01 cannot prove the wildcard *.example.net: use --challenge dns-01.",
        ),
        ("192.0.2.1", (), "dns-01 cannot prove the IP address 192.0.2.1: use --challenge http-01."),
    ],
)
def test_a_name_that_the_challenge_cannot_prove_is_not_ordered(
    issuing: Issuing, name: str, more: tuple[str, ...], said: str
):
    done = issuing.run(issuing.issue(name), *more)
    assert done.returncode == 64
    assert said in done.stderr
    assert issuing.authority.shim.requests == []


def test_a_challenge_is_answered_with_an_empty_object_and_every_request_says_who_asks(issuing: Issuing, domain: str):
    issuing.issued(domain)
    challenges = issuing.authority.shim.named("challenge")
    assert [request.payload_text for request in challenges] == ["{}"]
    assert all("kid" in request.protected for request in challenges)


def test_the_chain_that_is_asked_for_is_taken(issuing: Issuing, domain: str):
    issuing.issued(domain)
    other = tls.openssl("x509", "-noout", "-subject", "-nameopt", "multiline", stdin=issuing.authority.root(1))
    common_name = other.split("commonName")[1].split("=")[1].splitlines()[0].strip()
    issuing.issued(domain, more=("--force", "--preferred-chain", common_name))
    verified(issuing, domain, root=1)
    missing = issuing.run(issuing.issue(domain), "--force", "--preferred-chain", "No Such Root")
    assert missing.returncode == 0
    assert 'no chain below "No Such Root" is offered' in missing.stderr


def test_a_name_that_is_not_ours_is_told_with_the_authoritys_words(issuing: Issuing, domain: str, zone: str):
    done = issuing.run(issuing.issue("www.example.org"))
    assert done.returncode == 76
    assert "No public hosted zone of this account holds _acme-challenge.www.example.org" in done.stderr
    assert done.stderr.strip().endswith(
        "create one, set --hosted-zone-role-arn to a role in the account that has it, or set --challenge to http-01."
    )
    # An order would count against the authority's limits.
    assert issuing.orders() == 0
    issuing.authority.dns.failing.add(domain)
    try:
        done = issuing.run(issuing.issue(domain))
    finally:
        issuing.authority.dns.failing.discard(domain)
    assert done.returncode == 76
    assert f"could not validate {domain} by dns-01" in done.stderr.splitlines()[-1]
    assert issuing.left_behind(zone) == {}
    assert not issuing.key.exists()


def test_a_website_bucket_proves_a_name_as_well(issuing: Issuing, cloud: LocalCloud, name: str, domain: str, zone: str):
    address = {"Name": domain, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "127.0.0.1"}]}
    cloud.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": address}]}
    )
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=domain)
    s3.delete_public_access_block(Bucket=domain)
    s3.put_bucket_website(Bucket=domain, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    s3.put_bucket_policy(
        Bucket=domain,
        Policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
        f'"Resource":"arn:aws:s3:::{domain}/*"}}]}}',
    )
    objects = f"arn:aws:s3:::{domain}/.well-known/acme-challenge/*"
    issuing.role = cloud.create_role(
        f"{name}-web", {"Effect": "Allow", "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": objects}
    )
    website = issuing.authority.website
    before = len(website.requests)
    issuing.issued(domain, more=("--challenge", "http-01", "--challenge-bucket", domain))
    verified(issuing, domain)
    assert len(website.requests) > before
    assert "Contents" not in s3.list_objects_v2(Bucket=domain)


def test_an_account_is_made_once_shown_given_another_key_and_goes_on(issuing: Issuing, domain: str):
    who = ("--directory", issuing.authority.directory, "--contact", "ops@example.com")
    refused = issuing.run(issuing.command("register", *who))
    assert refused.returncode == 2
    assert "must be agreed to" in refused.stderr
    made = issuing.run(issuing.command("register", *who, "--agree-to-terms"))
    assert made.returncode == 0, made.stderr
    assert issuing.run(issuing.command("register", *who)).stdout == made.stdout
    stored = next((issuing.folder / ".stackcert" / "accounts").glob("*.json"))
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    before = stored.read_text()
    changed = issuing.run(issuing.command("register", *who, "--new-key"))
    assert changed.returncode == 0, changed.stderr
    assert stored.read_text() != before
    assert issuing.run(issuing.command("accounts")).stdout == made.stdout
    issuing.issued(domain)
    made_by_key = [request for request in issuing.authority.shim.named("newAccount") if request.status == 201]
    assert len(made_by_key) == 1


@pytest.fixture
def ended(issuing: Issuing, domain: str) -> Issuing:
    """A machine with a certificate, whose account has been deactivated since."""
    issuing.issued(domain)
    deactivate(issuing.authority, json.loads(issuing.account_file().read_text()))
    return issuing


def test_a_deactivated_account_is_replaced_by_the_next_order(ended: Issuing, domain: str):
    before = json.loads(ended.account_file().read_text())
    done = ended.run(ended.issue(domain), "--force")
    assert done.returncode == 0, done.stderr
    assert "does not accept the account any more" in done.stderr
    verified(ended, domain)
    after = json.loads(ended.account_file().read_text())
    assert after["url"] != before["url"] and after["key"] != before["key"]
    # Nobody else can ever speak for the first.
    assert after["ended"] == [{"url": before["url"], "key": before["key"]}]


def test_without_agreement_to_the_terms_a_deactivated_account_is_told_in_one_line(ended: Issuing, domain: str):
    command = [word for word in ended.issue(domain) if word != "--agree-to-terms"]
    done = ended.run(command, "--force")
    assert done.returncode == 76
    assert "was deactivated or revoked" in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].endswith("must be agreed to: add --agree-to-terms.")
    assert "PRIVATE" not in done.stderr


@pytest.mark.parametrize("more", [(), ("--new-key",)])
def test_register_does_not_show_a_deactivated_account_as_if_it_were_one(ended: Issuing, more: tuple[str, ...]):
    who = ("--directory", ended.authority.directory, "--contact", "ops@example.com", *more)
    before = json.loads(ended.account_file().read_text())["url"]
    refused = ended.run(ended.command("register", *who))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "was deactivated or revoked" in refused.stderr and "--agree-to-terms" in refused.stderr
    made = ended.run(ended.command("register", *who, "--agree-to-terms"))
    assert made.returncode == 0, made.stderr
    assert before not in made.stdout
    assert ended.run(ended.command("accounts")).stdout == made.stdout


def test_a_revoked_certificate_is_revoked_at_the_authority(issuing: Issuing, domain: str):
    shown = issuing.issued(domain)
    revoke = issuing.command(
        "revoke", "--certificate", str(issuing.certificate), "--reason", "superseded",
        "--directory", issuing.authority.directory, "--contact", "ops@example.com",
    )  # fmt: skip
    for _ in range(2):
        done = issuing.run(revoke)
        assert done.returncode == 0, done.stderr
        assert shown["serialNumber"] in done.stdout
    status = issuing.authority.pebble.status(issuing.chain()[0].serial_number)
    assert status["Status"] == "Revoked"
    accounts = len(issuing.authority.shim.named("newAccount"))
    others = issuing.run([*revoke[:-1], "nobody@example.com"])
    assert others.returncode == 2
    assert "There is no account at" in others.stderr and "with this contact" in others.stderr
    assert len(issuing.authority.shim.named("newAccount")) == accounts


@pytest.mark.parametrize("algorithm", ["EC_P256", "EC_P384", "RSA_2048"])
def test_a_certificate_whose_account_is_gone_is_revoked_by_its_own_key(issuing: Issuing, domain: str, algorithm: str):
    issuing.issued(domain, more=("--key-algorithm", algorithm))
    deactivate(issuing.authority, json.loads(issuing.account_file().read_text()))
    who = ("--directory", issuing.authority.directory, "--contact", "ops@example.com")
    # The account that takes its place may not revoke the certificate.
    assert issuing.run(issuing.command("register", *who, "--agree-to-terms")).returncode == 0
    revoke = issuing.command("revoke", "--certificate", str(issuing.certificate), *who)
    refused = issuing.run(revoke)
    assert refused.returncode == 2
    assert refused.stderr.strip().endswith("let the certificate's own key revoke it: add --private-key.")
    other = issuing.folder / "other.key"
    other.write_text(tls.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
    wrong = issuing.run(revoke, "--private-key", str(other))
    assert (wrong.returncode, "does not hold the private key of" in wrong.stderr) == (2, True)
    for _ in range(2):
        done = issuing.run(revoke, "--private-key", str(issuing.key))
        assert done.returncode == 0, done.stderr
    assert issuing.authority.pebble.status(issuing.chain()[0].serial_number)["Status"] == "Revoked"
    assert "PRIVATE" not in done.stdout + done.stderr + refused.stderr


def test_accounts_are_registered_and_certificates_revoked_without_a_region_of_aws(issuing: Issuing, domain: str):
    issuing.issued(domain)
    who = ("--directory", issuing.authority.directory, "--contact", "ops@example.com")
    own = {"PATH": issuing.environment["PATH"], "HOME": str(issuing.folder), **issuing.authority.variables}
    for command in (
        issuing.command("register", *who),
        issuing.command("revoke", "--certificate", str(issuing.certificate), *who),
    ):
        done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    assert issuing.authority.pebble.status(issuing.chain()[0].serial_number)["Status"] == "Revoked"


def test_the_version_is_shown_by_the_option_as_by_the_subcommand(issuing: Issuing):
    shown = [issuing.run(issuing.command(word)) for word in ("--version", "version")]
    assert [each.returncode for each in shown] == [0, 0], shown
    assert shown[0].stdout == shown[1].stdout != ""


def test_each_way_to_fail_has_the_exit_status_that_help_documents(
    issuing: Issuing, cloud: LocalCloud, name: str, domain: str
):
    issuing.role = cloud.create_role(f"{name}-any", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    (issuing.folder / "bad.key").write_text("no key")
    order = issuing.order(domain)

    def fails(status: int, said: str, *more: str, files: bool = True) -> None:
        done = issuing.run(issuing.issue(domain) if files else order, *more)
        assert (done.returncode, said in done.stderr) == (status, True), done.stderr

    fails(64, "--directory must be production, staging, or the https URL", "--directory", "http://ca.example")
    fails(64, "--domain: ", "--domain", "a..b")
    account = ("--external-account-id", "kid-1", "--external-account-key-file")
    fails(64, "--external-account-key-file must name the file", *account, str(issuing.folder / "missing.key"))
    fails(64, "is neither base64url nor base64", *account, str(issuing.folder / "bad.key"))
    assert issuing.authority.shim.requests == []
    fails(76, "set --challenge-bucket to", "--challenge", "http-01", "--challenge-bucket", f"{name}-nowhere")
    fails(78, "NoSuchBucket", "--bucket", f"{name}-nowhere", "--parameter", f"/tls/{name}", files=False)


def test_an_account_folder_that_others_can_read_is_refused(issuing: Issuing, domain: str):
    (issuing.folder / ".stackcert").mkdir(mode=0o755)
    done = issuing.run(issuing.issue(domain))
    assert done.returncode == 64
    assert "chmod 700" in done.stderr


@pytest.mark.parametrize("contenders", [3, 20])
def test_all_who_want_a_certificate_for_one_name_at_the_same_time_get_one_and_foreign_records_stay(
    issuing: Issuing, cloud: LocalCloud, domain: str, zone: str, tmp_path: Path, contenders: int
):
    foreign = {
        "Name": f"_acme-challenge.{domain}",
        "Type": "TXT",
        "TTL": 60,
        "SetIdentifier": "somebody-else",
        "MultiValueAnswer": True,
        "ResourceRecords": [{"Value": '"foreign"'}],
    }
    cloud.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": foreign}]}
    )
    machines = []
    for number in range(contenders):
        folder = tmp_path / str(number)
        folder.mkdir()
        machines.append(Issuing(cloud, issuing.authority, issuing.role, folder))
    running = [machine.start(machine.issue(domain)) for machine in machines]
    ended = [process.communicate(timeout=300) for process in running]
    issued = [process.returncode for process in running].count(0)
    counted(f"one TXT name, {contenders} processes at once: {issued} certificates")
    assert issued == contenders, ended
    for machine in machines:
        verified(machine, domain)
    assert len({machine.chain()[0].serial_number for machine in machines}) == contenders
    left = cloud.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [record for record in left if record["Type"] == "TXT"] == [{**foreign, "Name": foreign["Name"] + "."}]


def test_certificates_come_although_nine_of_ten_nonces_are_rejected(
    cloud: LocalCloud, issuing: Issuing, domain: str, zone: str
):
    with CertificateAuthority(cloud, Settings(strict=True, rejected_nonces=90)) as strict:
        machine = Issuing(cloud, strict, issuing.role, issuing.folder)
        machine.issued(domain, f"*.{domain}")
        verified(machine, domain)
        refused = sum(1 for request in strict.shim.requests if request.status == 400)
        counted(f"pebble -strict rejects nonces: issued, {refused} of {len(strict.shim.requests)} requests rejected")
        assert refused > 10
    assert issuing.left_behind(zone) == {}


def test_an_authority_that_wants_customers_gets_their_account(cloud: LocalCloud, issuing: Issuing, domain: str):
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ1-_"
    with CertificateAuthority(cloud, Settings(external_accounts={"kid-1": key})) as authority:
        machine = Issuing(cloud, authority, issuing.role, issuing.folder)
        refused = machine.run(machine.issue(domain))
        assert refused.returncode == 76
        assert "externalAccountRequired" in refused.stderr
        # Some authorities show it in plain base64.
        (issuing.folder / "eab.key").write_text(key.translate(str.maketrans("-_", "+/")) + "\n")
        given = ("--external-account-id", "kid-1", "--external-account-key-file", str(issuing.folder / "eab.key"))
        machine.issued(domain, more=given)
        verified(machine, domain)


def test_unheard_of_challenges_and_fields_are_let_pass(issuing: Issuing, domain: str):
    issuing.authority.shim.extensions.surprising = True
    issuing.authority.shim.extensions.retry_after = {"order": 1, "authorization": 1}
    issuing.issued(domain)
    verified(issuing, domain)


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        ("lose_answer", "newNonce"),
        ("lose_answer", "newAccount"),
        ("lose_answer", "newOrder"),
        ("cut", "authorization"),
        ("lose_answer", "challenge"),
        ("lose_answer", "finalize"),
        ("cut", "certificate"),
        ("reset", "finalize"),
        ("refuse", "directory"),
        ("refuse", "newOrder"),
        ("hang", "authorization"),
    ],
)
def test_a_lost_cut_or_late_answer_costs_no_more_than_another_try(
    issuing: Issuing, cloud: LocalCloud, domain: str, zone: str, effect: str, kind: str
):
    """`refuse` is a server that is overloaded and asks for a second; `hang` an answer that takes three."""
    code, seconds = ("serverInternal", 1) if effect == "refuse" else ("", 3)
    fault = cloud.faults.add(effect, kind, kind="acme", status=503, code=code, seconds=seconds)
    issuing.issued(domain)
    assert fault.struck == 1
    verified(issuing, domain)
    assert issuing.left_behind(zone) == {}


def test_a_limit_is_told_and_no_order_is_tried_before_the_authority_allows_it(
    issuing: Issuing, cloud: LocalCloud, domain: str
):
    cloud.faults.add("refuse", "newOrder", kind="acme", status=429, code="rateLimited", seconds=3600)
    done = issuing.run(issuing.issue(domain))
    assert done.returncode == 76
    assert "rateLimited" in done.stderr
    cloud.faults.clear()
    before = len(issuing.authority.shim.named("newOrder"))
    again = issuing.run(issuing.issue(domain))
    assert again.returncode == 76
    assert "asked to wait until" in again.stderr
    assert len(issuing.authority.shim.named("newOrder")) == before


def test_a_handshake_succeeds_with_what_was_written(issuing: Issuing, domain: str):
    issuing.issued(domain)
    (issuing.folder / "root.pem").write_text(issuing.authority.root())
    context = ssl.create_default_context(cafile=str(issuing.folder / "root.pem"))
    port = tls.free_port()
    server = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-naccept", "2", "-quiet"]
    files = ["-cert", issuing.certificate, "-cert_chain", issuing.certificate, "-key", issuing.key]
    with (
        tls.running([*server, *map(str, files)], port, issuing.folder / "server.log"),
        socket.create_connection(("127.0.0.1", port), 10) as connection,
        context.wrap_socket(connection, server_hostname=domain) as secured,
    ):
        assert secured.version() == "TLSv1.3"
