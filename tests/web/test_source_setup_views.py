"""Generic webhook sources and spreadsheet imports over HTTP, as vendors and staff use them."""

import csv
import hashlib
import io
import json
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from rooftree.capture.imports import import_staging
from rooftree.capture.models import MapEdition, Spreadsheet
from rooftree.flow import spreadsheet_imports
from rooftree.leads.models import Delivery, Lead, RejectionCount, Source
from rooftree.web.imports.views import escape_formula
from tests import make
from tests.flow import journey

TOKEN = "generic-test-token"
ASKED = {"id": "q-1", "name": "Sam Whitfield", "phone": "8135550188", "property_state": "FL"}


@pytest.fixture
def vendor(db):
    journey.set_up_company()
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    return make.source("generic", token=TOKEN, token_hash=digest, secret="s3cret")


@pytest.fixture
def clerk(signed_in, db):
    make.company()
    return signed_in(make.user("operations"))


def test_query_string_alone_becomes_a_lead(client, vendor):
    answer = client.get(f"/in/generic/{TOKEN}", ASKED)

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["id"] == str(Delivery.objects.get().pk)
    journey.run(at=timezone.now())
    assert Lead.objects.get().person.last_name == "Whitfield"


def test_form_posted_twice_is_one_lead_and_one_answer(client, vendor):
    first = client.post(f"/in/generic/{TOKEN}", ASKED, content_type="application/json")
    second = client.post(f"/in/generic/{TOKEN}", ASKED, content_type="application/json")
    journey.run(at=timezone.now())

    assert first.content == second.content
    assert Lead.objects.count() == 1


def test_only_a_generic_source_accepts_a_query(client, vendor):
    assert client.get("/in/zillow/anything", ASKED).status_code == 405


def test_secret_of_the_wrong_kind_is_only_counted(client, vendor):
    Source.objects.update(setup={"proof": "header"})

    answer = client.post(
        f"/in/generic/{TOKEN}", ASKED, content_type="application/json",
        headers={"X-Api-Key": "guess"},
    )  # fmt: skip

    assert answer.status_code == 401
    assert RejectionCount.objects.get().reason == "rejected_auth"
    assert Delivery.objects.count() == 0


def test_stored_delivery_never_has_the_secret(client, vendor):
    Source.objects.update(setup={"proof": "header", "header": "X-Own-Key"})

    client.post(
        f"/in/generic/{TOKEN}", ASKED, content_type="application/json",
        headers={"X-Own-Key": "s3cret"},
    )  # fmt: skip

    delivery = Delivery.objects.get()
    assert "s3cret" not in json.dumps(delivery.headers)
    assert delivery.verification == "secret in a header"


def test_spreadsheet_source_accepts_no_posts(client, db):
    digest = hashlib.sha256(b"csv-token").hexdigest()
    make.source("csv_import", token="csv-token", token_hash=digest)

    answer = client.post("/in/csv_import/csv-token", b"Name,Phone\nA,1", content_type="text/csv")

    assert answer.status_code == 403
    assert Delivery.objects.count() == 0


def test_fixed_field_map_lets_a_quarantined_delivery_be_replayed(client, vendor, clerk):
    body = {"wer": "Ana Diaz", "wo": "8135550189"}
    client.post(f"/in/generic/{TOKEN}", body, content_type="application/json")
    assert Delivery.objects.get().state == "quarantined"
    lines = {"field-0": "name", "path-0": "wer", "field-1": "phone", "path-1": "wo"}

    refused = clerk.post(reverse("source_map_publication", args=[vendor.pk]), lines)
    accepted = clerk.post(
        reverse("source_map_publication", args=[vendor.pk]), {**lines, "summary": "Their words"}
    )
    clerk.post(reverse("replays", args=[vendor.pk]))
    journey.run(at=timezone.now())

    assert (refused.status_code, accepted.status_code) == (422, 303)
    assert MapEdition.objects.get().summary == "Their words"
    assert Lead.objects.get().person.first_name == "Ana"


def test_publishing_a_field_map_says_what_it_would_break_in_the_last_deliveries(
    client, vendor, clerk
):
    publication = reverse("source_map_publication", args=[vendor.pk])
    lines = {"field-0": "name", "path-0": "name", "field-1": "phone", "path-1": "phone",
             "field-2": "property_state", "path-2": "property_state",
             "summary": "First"}  # fmt: skip
    clerk.post(publication, lines)
    for nth in range(2):
        client.get(f"/in/generic/{TOKEN}", {**ASKED, "id": f"q-{nth}", "phone": f"813555018{nth}"})
    wrong = {**lines, "path-1": "fone", "path-2": "", "field-2": "", "summary": "Second"}

    asked = clerk.post(publication, wrong)
    assert asked.status_code == 422
    assert "loses data that the last 2 deliveries had" in asked.text
    assert "2 would not become leads anymore" in asked.text
    assert [count for _, count in asked.context["impact"].lost_fields] == [2, 2]
    assert MapEdition.objects.count() == 1

    assert clerk.post(publication, {**wrong, "confirmed": "on"}).status_code == 303
    clerk.post(publication, lines)
    kept = clerk.post(reverse("source_map_restoration", args=[vendor.pk, 2]), follow=True).text
    assert "Its lines are your draft now" in kept
    assert MapEdition.objects.count() == 3


def test_earlier_field_map_is_restored_as_a_new_version(vendor, clerk):
    for nth, path in enumerate(("a", "b"), start=1):
        clerk.post(
            reverse("source_map_publication", args=[vendor.pk]),
            {"field-0": "name", "path-0": path, "field-1": "phone", "path-1": "p",
             "summary": f"No. {nth}"},
        )  # fmt: skip

    clerk.post(reverse("source_map_restoration", args=[vendor.pk, 1]))

    assert list(MapEdition.objects.order_by("number").values_list("number", "summary")) == [
        (1, "No. 1"), (2, "No. 2"), (3, "Back to v1"),
    ]  # fmt: skip
    vendor.refresh_from_db()
    assert vendor.setup["map"][0]["path"] == "a"


def test_test_post_previews_the_lead_and_stores_nothing(vendor, clerk):
    page = clerk.post(
        reverse("source_reading", args=[vendor.pk]),
        {"body": '{"name": "Ana Diaz", "phone": "8135550142"}'},
    )

    assert "This post would create a lead." in page.content.decode()
    assert (Delivery.objects.count(), Lead.objects.count()) == (0, 0)


def test_new_source_shows_its_address_secret_and_a_sample_command(clerk):
    form = {"adapter": "generic", "name": "Northern Leads", "zone": "America/New_York"}
    page = clerk.post(reverse("setup_sources"), form).content.decode()

    source = Source.objects.get(name="Northern Leads")
    assert f"/in/generic/{source.token}" in page
    assert source.secret in page
    assert "curl -X POST" in page
    page_again = clerk.get(reverse("setup_source", args=[source.pk])).content.decode()
    assert source.token not in page_again
    assert source.secret not in page_again


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"header": "X Bad Header"}, "only a header name"),
        ({"networks": "nowhere"}, "nowhere is not an IP address"),
        ({"success": "{not json}"}, "This is not JSON"),
    ],
)
def test_invalid_source_setting_is_rejected_at_its_field(vendor, clerk, wrong, message):
    usual = {"channel": "website", "proof": "address", "answer": "json", "status": "200"}

    page = clerk.post(reverse("source_posts", args=[vendor.pk]), usual | wrong)

    assert page.status_code == 422
    assert message.replace("’", "&#x27;") in page.content.decode()
    vendor.refresh_from_db()
    assert vendor.setup == {}


def test_field_map_page_shows_markup_as_text(client, vendor, clerk):
    body = {"name": "<script>alert(1)</script>", "phone": "1"}
    client.post(f"/in/generic/{TOKEN}", body, content_type="application/json")

    page = clerk.get(reverse("source_map", args=[vendor.pk])).content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_refused_import_rows_download_as_a_safe_file(clerk):
    journey.set_up_company()
    book = make.source("csv_import")
    rows = b"First name,Mobile,Note\nAna,8135550190,ok\n=1+2,,@SUM(A1)\n"
    clerk.post(reverse("imports"), {
        "source": str(book.pk), "file": SimpleUploadedFile("a.csv", rows, "text/csv"),
    })  # fmt: skip
    sheet = Spreadsheet.objects.get()
    clerk.post(
        reverse("import", args=[sheet.pk]),
        {"field-0": "first_name", "field-1": "mobile", "then": "keep", "known": "leave"},
    )
    journey.run()
    spreadsheet_imports.start_import(sheet_id=sheet.pk, by=make.user("operations"), at=make.NOON)
    journey.run()

    answer = clerk.get(reverse("import_refused", args=[sheet.pk]))

    header, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert header == ["First name", "Mobile", "Note", "Line", "What to change"]
    assert row == ["'=1+2", "", "'@SUM(A1)", "3",
                   "Enter a valid ten-digit phone number or an email address."]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "escaped"),
    [("=1", "'=1"), ("+1 (2)", "'+1 (2)"), ("+18135550190", "+18135550190"), ("-5", "-5"),
     ("@x", "'@x"), ("\t=1", "'\t=1"), (" =1", "' =1"), ("\n=1", "'\n=1"), ("＝1", "'＝1"),
     ("plain", "plain"), ("", "")],
)  # fmt: skip
def test_formula_cell_is_escaped_unless_it_is_a_number(cell, escaped):
    assert escape_formula(cell) == escaped


def test_unreadable_import_file_is_rejected_on_the_page(clerk):
    book = make.source("csv_import")
    file = SimpleUploadedFile("a.xlsx", b"PK\x03\x04", "text/csv")

    page = clerk.post(reverse("imports"), {"source": str(book.pk), "file": file})

    assert page.status_code == 422
    assert import_staging.UPLOAD_PROBLEMS["not_csv_zip_signature"] in unescape(
        page.content.decode()
    )


def test_adapter_settings_are_entered_on_a_page_and_checked(clerk):
    line = make.source("phone_twilio", name="Mailers", setup={"maps": {}})
    page = reverse("source_settings", args=[line.pk])

    wrong = clerk.post(page, {"lines": "+1813555 = October\nno sign here", "ring": "12"})
    assert wrong.status_code == 422
    assert "is not a phone number" in wrong.content.decode()
    clerk.post(page, {"lines": "+1 (813) 555-0199 = October mailer", "ring": ""})

    line.refresh_from_db()
    assert line.setup == {"maps": {}, "lines": {"+18135550199": "October mailer"}}
    assert "+18135550199 = October mailer" in clerk.get(page).content.decode()


def test_source_without_adapter_settings_says_so(clerk):
    zillow = make.source("zillow")

    page = clerk.get(reverse("source_settings", args=[zillow.pk])).content.decode()

    assert "only needs its post address" in page


def test_email_source_has_a_lowercase_address(clerk):
    answer = clerk.post(
        reverse("setup_sources"),
        {"adapter": "email_text", "name": "Ratehub", "zone": "America/New_York", "cost_cents": ""},
    )

    assert answer.status_code == 200
    token = Source.objects.get(name="Ratehub").token
    assert token == token.lower()
    assert f"leads+{token}@" in answer.content.decode()


def test_officer_cannot_change_source_settings(signed_in, db):
    make.company()
    source = make.source("phone_twilio")
    officer = signed_in(make.officer("Dana Okafor").user)

    assert officer.post(reverse("source_settings", args=[source.pk]), {}).status_code in (403, 404)
