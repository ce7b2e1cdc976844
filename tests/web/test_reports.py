"""The Reports page: who sees what, what each figure opens, saved views and files."""

import csv
import io
import re
import xml.etree.ElementTree as ET
import zipfile
from datetime import UTC, datetime

import pytest

from rooftree.leads.models import Lead
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing.models import SavedView
from tests import make
from tests.reporting.test_rollup_deltas import book_entry

pytestmark = pytest.mark.django_db
AUGUST = datetime(2026, 8, 12, 15, 0, tzinfo=UTC)
Q3 = "/reports/?period=2026-q3"


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def links(answer):
    addresses = re.findall(r'href="(/reports/records/[^"]+)"', answer.content.decode())
    return [address.replace("&amp;", "&") for address in addresses]


@pytest.fixture
def books(cast):
    """Dana of Tampa has 2 Zillow leads at $100, Sam of Austin 1; a fee of $50 has no lead."""
    leads = [
        make.lead(
            at=AUGUST,
            source=cast.zillow,
            officer=officer,
            branch=officer.branch,
            property_state=state,
        )
        for officer, state in ((cast.dana, "FL"), (cast.dana, "FL"), (cast.sam, "TX"))
    ]
    Lead.objects.filter(pk=leads[0].pk).update(first_attempt_at=AUGUST + 30 * make.SECOND)
    for lead in leads:
        book_entry(cast.zillow, lead_id=lead.pk, on_date=AUGUST.date())
        rollup_deltas.append_missing_deltas(lead.pk)
    book_entry(cast.zillow, amount_cents=50_00, on_date=AUGUST.date())
    return leads


def test_each_role_sees_its_own_part(client, cast, books):
    pages = {}
    for user in (make.user("executive"), cast.ruth, cast.dana.user, cast.omar):
        client.force_login(user)
        pages[user.primary_role] = text(client.get(f"{Q3}&by=officer&basis=event"))

    executive, manager, officer = pages["executive"], pages["manager"], pages["officer"]
    assert "Total 3 0 None of 0 $0.00 $350.00" in executive
    assert "Not attributable" in executive
    assert "The total equals both to the cent." in executive
    assert "Total 2 0" in manager and "Sam Rivera" not in manager
    assert "Only leads that you can see." in manager
    assert "Total 2 0" in officer and "Revenue" not in officer and "ROI" not in officer
    assert "Revenue" in pages["compliance"]


def test_every_figure_opens_its_records_with_their_total(client, cast, books):
    client.force_login(make.user("executive"))
    addresses = {*links(client.get(f"{Q3}&by=officer&basis=event"))}
    opened = {address: client.get(address) for address in addresses}

    assert len(opened) >= 6
    assert all(answer.status_code == 200 for answer in opened.values())
    dana = f"/reports/records/cost/?period=2026-q3&officer={cast.dana.pk}"
    assert "Total: $200.00" in text(client.get(dana))
    assert "Total: $50.00" in text(client.get("/reports/records/cost/?period=2026-q3&officer=none"))

    client.force_login(cast.dana.user)
    assert "Total: 2 leads" in text(client.get("/reports/records/leads/?period=2026-q3"))
    assert client.get("/reports/records/revenue/?period=2026-q3").status_code == 404
    assert client.get("/reports/records/odd/").status_code == 404


def test_list_says_how_many_records_the_reader_cannot_open(client, cast, books, monkeypatch):
    client.force_login(make.user("executive"))
    some = Lead.objects.exclude(pk=books[0].pk)
    monkeypatch.setattr("rooftree.web.reports.views.leads_visible_to", lambda user: some)
    page = text(client.get("/reports/records/leads/?period=2026-q3"))

    assert "The report counts 1 more that you can’t open. It isn’t in this list" in page
    assert "Total: 2 leads" in page


def test_manager_cannot_open_records_of_another_branch(client, cast, books):
    client.force_login(cast.ruth)
    for where in (f"branch={cast.austin.pk}", f"officer={cast.sam.pk}", "officer=none"):
        for figure in ("leads", "cost"):
            answer = client.get(f"/reports/records/{figure}/?period=2026-q3&{where}")
            assert answer.context["page"].paginator.count == answer.context["hidden"] == 0


def test_rows_sort_by_a_column_and_filters_stay_in_the_url(client, cast, books):
    client.force_login(make.user("executive"))
    answer = client.get(f"{Q3}&by=officer&sort=-leads")
    names = [line.labels[0] for line in answer.context["lines"]]
    assert names[:2] == ["Dana Whitfield", "Sam Rivera"]
    assert 'aria-sort="descending"' in answer.content.decode()

    answer = client.get(f"{Q3}&by=officer&sort=leads&branch={cast.austin.pk}&purpose=-")
    assert "Austin" in [chip.label for chip in answer.context["shown"].chips]
    assert f"branch={cast.austin.pk}" in links(client.get(f"{Q3}&branch={cast.austin.pk}"))[0]
    odd = client.get("/reports/?by=%25&by2=nope&period=9&basis=x&show=y&sort=z&source=%25&ad=%27")
    assert odd.status_code == 200


def test_user_saves_and_deletes_a_view_of_a_report(client, cast, books):
    client.force_login(cast.dana.user)
    query = "by=officer&period=2026-q3&show=speed"
    client.post("/views/", {"page": "reports", "query": query, "name": "My speed"})
    view = SavedView.objects.get(page="reports", owner=cast.dana.user)
    page = client.get(f"/reports/?{view.query}")

    assert "My speed" in text(page) and page.context["is_own_view"]
    client.post(f"/views/{view.pk}/removal/")
    assert not SavedView.objects.filter(page="reports").exists()


def test_files_have_the_sums_of_the_page_and_no_borrower(client, cast, books):
    client.force_login(make.user("executive"))
    cast.dana.user.name = "=1+1"
    cast.dana.user.save()
    address = "?by=officer&period=2026-q3&basis=event"
    answer = client.get(f"/reports/file.csv{address}")
    heading, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))

    cost = heading.index("Cost, $, Q3 2026")
    assert [row[cost] for row in rows] == ["200.0", "100.0", "50.0", "350.0"]
    assert rows[0][0] == "'=1+1"  # a spreadsheet would run it as a formula
    book = zipfile.ZipFile(io.BytesIO(client.get(f"/reports/file.xlsx{address}").content))
    sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    texts = [cell.text for cell in sheet.iter() if cell.tag.endswith("}t")]
    numbers = [float(cell.text) for cell in sheet.iter() if cell.tag.endswith("}v")]
    assert "=1+1" in texts and "Not attributable" in texts and 350.0 in numbers
    assert not [cell for cell in sheet.iter() if cell.tag.endswith("}f")]
    assert client.get(f"/reports/file.odt{address}").status_code == 404


def test_export_of_the_people_behind_a_figure_needs_a_reason(client, cast, books):
    client.force_login(make.user("executive"))
    address = "/reports/records/leads/export/?period=2026-q3"

    assert client.post(address, {"reason": ""}).status_code == 422
    answer = client.post(address, {"reason": "Board meeting"})
    assert answer["Content-Type"].startswith("text/csv")
    assert len(answer.content.decode().strip().splitlines()) == 4  # heading and three leads
    assert client.get("/reports/records/cost/export/?period=2026-q3").status_code == 404
