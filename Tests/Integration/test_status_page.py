"""`stackcert status --html`: what a browser makes of the page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support import browser, tool
from support.renewal import Renewable, Renewal, renewable

LIFETIME, RENEWAL, TODAY = (0x2A, 0x7F, 0x62), (0xD9, 0xA4, 0x00), (0xC2, 0x18, 0x5B)


@pytest.fixture
def page(tmp_path) -> Path:
    return tmp_path / "certificates.html"


def record_key(renewal: Renewal, stack: Renewable) -> str:
    (key,) = renewal.provider.state(f"records/{stack.guid}/")
    return key


def edit_record(renewal: Renewal, stack: Renewable, **changes) -> None:
    """As if time had passed, or somebody had written into the state bucket."""
    bucket, key = renewal.provider.state_bucket, record_key(renewal, stack)
    s3 = renewal.cloud.client("s3", as_role=renewal.provider.role_arn)
    record = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    record["facts"] |= changes.pop("facts", {})
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(record | changes).encode())


def days_from_now(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def row(document: browser.Element, stack: str) -> browser.Element:
    return document.one("tr", data_stack=stack)


def number(element: browser.Element, attribute: str) -> int:
    return int(element.attributes[attribute])


def test_the_page_shows_each_certificate_with_its_state_in_words(cloud, provider, renewal, page, tmp_path, name):
    fine, failing = renewable(provider, name), renewable(provider, f"{name}-failing", with_role=False)
    renewal.make_due(failing)
    assert renewal.run(failing) == "NoRole"
    shown = tool.run(cloud, "status", "--html", str(page))
    assert shown.returncode == 1, shown.stderr
    document = browser.dom(page, tmp_path)
    assert document.one("head").one("title").text.startswith(f"StackCert: certificates in {cloud.region}, ")
    assert document.one("h1").text == f"Certificates in {cloud.region}"
    headers = [header.text for header in document.one("thead").all("th", scope="col")]
    assert headers[:8] == ["Stack", "Resource", "Algorithm", "Not before", "Not after", "Days", "Due", "State"]
    ok, bad = row(document, fine.name), row(document, failing.name)
    assert ok.attributes["data-stack-id"] == fine.result.id
    assert ok.attributes["data-not-after"] == fine.attributes["NotAfter"]
    cells = [cell.text for cell in ok.all("td")][:7]
    assert cells[:2] == ["Certificate", "EC_P256"]
    assert cells[3:5] == [fine.attributes["NotAfter"][:10], "364"]
    assert cells[6] == ok.attributes["data-state"] == "ok"
    assert ok.one("th", scope="row").text == fine.name
    assert bad.one("strong").text == bad.attributes["data-state"] == "failing"
    notes = [note.text for note in document.all("td", class_="note")]
    assert any(note.startswith(f"NoRole: Stack {failing.name} has no service role") for note in notes)
    # As many rows as the table in the terminal has.
    # Its last line tells of the sweep.
    table = [line for line in shown.stdout.splitlines()[1:-1] if not line.startswith(" ")]
    assert len(document.one("tbody").all("th", scope="row")) == len(table)
    for stack in (fine, failing):
        stack.delete()
    renewal.forget(failing)


def test_today_is_marked_within_the_lifetime_of_what_is_valid_and_behind_what_has_expired(
    cloud, provider, renewal, page, tmp_path, name
):
    valid, expired = renewable(provider, name), renewable(provider, f"{name}-expired")
    edit_record(renewal, valid, facts={"notBefore": days_from_now(-200), "notAfter": days_from_now(165)})
    edit_record(renewal, expired, facts={"notBefore": days_from_now(-120), "notAfter": days_from_now(-30)})
    tool.run(cloud, "status", "--html", str(page))
    document = browser.dom(page, tmp_path)

    def drawing(stack: Renewable) -> tuple[int, int, int, int]:
        found = row(document, stack.name)
        bar, end = found.one("rect", class_="lifetime"), found.one("rect", class_="renewal")
        due, today = found.one("line", class_="due"), found.one("line", class_="today")
        assert number(bar, "x") + number(bar, "width") == number(due, "x1") == number(end, "x")
        assert number(today, "x1") == number(today, "x2")
        return number(bar, "x"), number(due, "x1"), number(end, "x") + number(end, "width"), number(today, "x1")

    begin, due, end, today = drawing(valid)
    assert begin < due < end
    assert begin < today < end
    assert (today - begin) / (end - begin) == pytest.approx(200 / 365, abs=0.01)
    begin, due, end, also_today = drawing(expired)
    assert begin < due < end < also_today == today
    assert row(document, expired.name).attributes["data-state"] == "EXPIRED"
    for stack in (valid, expired):
        stack.delete()


def test_the_bars_and_todays_line_have_their_colours_where_they_belong(cloud, provider, renewal, page, tmp_path, name):
    stack = renewable(provider, name)
    edit_record(renewal, stack, facts={"notBefore": days_from_now(-100), "notAfter": days_from_now(100)})
    tool.run(cloud, "status", "--html", str(page))
    drawings = browser.dom(page, tmp_path).one("tbody")
    # Room for the rows that other tests have left, too.
    tall = browser.SIZE[1] + 150 * len(drawings.all("th", scope="row"))
    picture = browser.screenshot(page, tmp_path, tall)
    assert picture.size == (browser.SIZE[0], tall)
    assert len(picture.getcolors(1 << 20)) > 10
    width, height = picture.size
    pixels = picture.load()
    # The column of the drawings begins where the table's right half does; the legend's swatches are to the left of it.
    points = [(x, y) for x in range(width // 2, width) for y in range(height)]

    def extent(colour: tuple[int, int, int]) -> tuple[int, int]:
        found = [x for x, y in points if pixels[x, y] == colour]
        return min(found), max(found)

    bars = drawings.all("rect")
    begin = min(number(bar, "x") for bar in bars)
    end = max(number(bar, "x") + number(bar, "width") for bar in bars)
    left, right = extent(LIFETIME)[0], extent(RENEWAL)[1]
    assert right - left > 300

    def expected(position: int) -> float:
        return left + (right - left) * (position - begin) / (end - begin)

    # Edges are blended: a bar's first and last pixels have no colour of its own.
    today = drawings.all("line", class_="today")[0]
    assert extent(TODAY)[0] == pytest.approx(expected(number(today, "x1")), abs=6)
    first = min(drawings.all("rect", class_="renewal"), key=lambda bar: number(bar, "x"))
    assert extent(RENEWAL)[0] == pytest.approx(expected(number(first, "x")), abs=6)
    stack.delete()


def test_what_somebody_wrote_into_a_record_does_not_become_markup(cloud, provider, renewal, page, tmp_path, name):
    stack = renewable(provider, name)
    hostile = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">&amp;"
    edit_record(renewal, stack, logicalResourceID=hostile)
    assert tool.run(cloud, "status", "--html", str(page)).returncode in (0, 1)
    document = browser.dom(page, tmp_path)
    found = row(document, name)
    assert found.attributes["data-resource"] == hostile
    assert found.all("td")[0].text == hostile
    assert not document.all("script") and not document.all("img")
    assert document.one("head").one("title").text.startswith("StackCert: ")
    # The browser runs scripts: without the escaping, and without the page's policy, this one would.
    broken = page.with_name("broken.html")
    text = page.read_text().replace("default-src 'none'", "script-src 'unsafe-inline'")
    text = text.replace("</main>", f"{hostile}</main>")
    broken.write_text(text)
    assert browser.dom(broken, tmp_path).one("head").one("title").text == "taken"
    stack.delete()


def test_the_page_is_replaced_in_one_step_and_only_when_all_could_be_read(cloud, provider, page):
    page.write_text("earlier")
    assert tool.run(cloud, "status", "--html", str(page), "--provider", "nobodys").returncode == 2
    assert page.read_text() == "earlier"
    before = page.stat().st_ino
    assert tool.run(cloud, "status", "--html", str(page)).returncode in (0, 1)
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert page.stat().st_ino != before
    assert page.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in page.parent.iterdir()] == [page.name]
    elsewhere = tool.run(cloud, "status", "--html", str(page.parent / "missing" / "page.html"))
    assert elsewhere.returncode == 2
    assert elsewhere.stderr.startswith(f"stackcert: {page.parent}/missing/page.html could not be written")
    assert elsewhere.stderr.count("\n") == 1
