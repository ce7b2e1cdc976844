"""Posting instructions: they are true, their commands work, and a preview stores nothing."""

import re
import subprocess
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from rooftree.capture.parsing.envelope import Outcome
from rooftree.capture.source_setup import manage_sources, posting_instructions
from rooftree.capture.sources import SOURCES
from rooftree.leads.models import Delivery, Lead
from tests import make
from tests.flow import journey

ADAPTERS = sorted(
    key for key, adapter in SOURCES.items()
    if key in manage_sources.ADAPTERS_WITH_PROOF_CHOICE or hasattr(adapter, "EXAMPLE")
)  # fmt: skip
SITE = {"allowed_origins": ["https://www.lindenfield.example"]}


def open_source(adapter, by, **setup):
    details = SITE if adapter == "website_form" else {}
    created = manage_sources.create_source(
        adapter=adapter, name=f"A {adapter}", details=details, by=by, at=timezone.now()
    )
    created.source.setup = setup
    created.source.save(update_fields=["setup"])
    return created


@pytest.fixture
def clerk(signed_in, db):
    journey.set_up_company()
    return signed_in(make.user("operations"))


def page(source, name="source_instructions"):
    return reverse(name, args=[source.pk])


def run(script):
    """Run the commands as a vendor does; return the answer's status and body."""
    script_with_status = script.replace("curl ", "curl -sS -w '\\n%{http_code}' ", 1)
    process = subprocess.run(
        ["/bin/sh", "-c", script_with_status], capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stderr
    body, _, status = process.stdout.rpartition("\n")
    return int(status), body


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_sample_command_works_unchanged_and_gets_the_documented_answers(
    committed, live_server, adapter
):
    journey.set_up_company()
    created = open_source(adapter, make.user("operations"))
    instructions = posting_instructions.build_instructions(created.source, at=timezone.now())
    path = manage_sources.source_paths(created.source, created.source.token)[0]
    script = posting_instructions.curl_commands(
        created.source, f"{live_server.url}{path}", created.secret
    )

    status, body = run(script)
    repeated_status, _ = run(script)

    good, repeated = instructions.replies[:2]
    assert status == good.answer.status < 300, body
    if adapter != "ping_post":
        assert repeated_status == repeated.answer.status
        assert Delivery.objects.filter(state="duplicate").count() == 1
        delivery = Delivery.objects.exclude(state="duplicate").get()
        assert delivery.outcome in ("accepted", "accepted_test")


@pytest.mark.parametrize(
    ("proof", "more"),
    [
        ("address", {}),
        ("header", {"header": "X-Lead-Key"}),
        ("header", {"header": "Authorization"}),
        ("basic", {"user": "net"}),
        ("hmac", {}),
    ],
)
def test_each_authentication_works_from_the_command_and_fails_with_another_secret(
    committed, live_server, proof, more
):
    journey.set_up_company()
    created = open_source("generic", make.user("operations"), proof=proof, **more)
    path = manage_sources.source_paths(created.source, created.source.token)[0]
    address = f"{live_server.url}{path}"

    assert (
        run(posting_instructions.curl_commands(created.source, address, created.secret))[0] == 200
    )
    wrong, _ = run(posting_instructions.curl_commands(created.source, address, "wrong"))
    assert wrong == (200 if proof == "address" else 401)
    instructions = posting_instructions.build_instructions(created.source, at=timezone.now())
    assert any(
        reply.answer.status == 401 and "secret" in reply.when for reply in instructions.replies
    ) == (proof != "address")


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_every_field_of_the_example_is_read(clerk, adapter):
    source = open_source(adapter, make.user("operations")).source
    body = posting_instructions.build_example_post(source).encode()

    preview = posting_instructions.preview_post(source, body, at=timezone.now())

    assert preview.outcome in (Outcome.ACCEPTED, Outcome.ACCEPTED_TEST, Outcome.NO_BID)
    for lead in preview.leads:
        assert lead.is_workable()
    assert not Delivery.objects.exists()


def test_page_documents_fields_authentication_and_answers_without_the_secret(clerk):
    created = open_source("leadconduit", make.user("operations"))

    page_text = unescape(clerk.get(page(created.source)).content.decode())

    assert "Send the secret in the X-Api-Key header" in page_text
    assert "<code>mortgage.loan.purpose</code>" in page_text
    assert '"outcome":"failure","reason":"duplicate"' in page_text
    assert re.search(r"<td class=\"num\">401</td>", page_text)
    assert created.secret not in page_text and created.source.token not in page_text


def test_test_flag_is_documented_where_the_format_has_one(clerk):
    user = make.user("operations")
    with_flag = clerk.get(page(open_source("aggregator_post", user).source)).content.decode()
    without = clerk.get(page(open_source("zillow", user).source)).content.decode()

    assert "<code>lead_mode = 0</code>" in with_flag
    assert "has no test flag" in without


@pytest.mark.parametrize(
    ("body", "sentences"),
    [
        ('{"first_name": "Ana", "last_name": "Diaz", "phone": "8135550142", "shoe": "9"}',
         ["This post would create a lead.", "+18135550142", "not recognized", "shoe"]),
        ("first_name=Ana&last_name=Diaz&email=ana@example.com", ["This post would create a lead."]),
        ("<lead><first_name>Ana</first_name><phone>8135550142</phone></lead>",
         ["This post would create a lead."]),
        ('{"first_name": "Ana"}',
         ["This post would not create a lead.", "There is no valid phone"]),
        ('{"first_name": ', ["This post would not create a lead.", "The JSON isn’t valid."]),
        ("<!DOCTYPE x><a/>", ["which Rooftree never reads"]),
    ],
)  # fmt: skip
def test_preview_shows_what_would_be_read_and_stores_nothing(clerk, body, sentences):
    source = open_source("generic", make.user("operations")).source

    answer = clerk.post(page(source, "source_reading"), {"body": body})

    page_text = unescape(answer.content.decode())
    assert answer.status_code == 200
    assert [sentence for sentence in sentences if sentence not in page_text] == []
    assert (Delivery.objects.count(), Lead.objects.count()) == (0, 0)


def test_preview_shows_what_the_source_limits_would_refuse(clerk):
    source = open_source(
        "generic", make.user("operations"), acceptance={"required": ["loan_purpose"]}
    ).source

    answer = clerk.post(page(source, "source_reading"), {"body": "name=Ana Diaz&phone=8135550142"})

    page_text = unescape(answer.content.decode())
    assert "This post would be refused.</b> Missing the loan purpose." in page_text
    assert '{"status":"error","error":"missing: the loan purpose"}' in page_text


def test_empty_paste_is_reported_and_pasted_markup_is_shown_as_text(clerk):
    source = open_source("generic", make.user("operations")).source

    assert clerk.post(page(source, "source_reading"), {"body": " "}).status_code == 422
    page_text = clerk.post(
        page(source, "source_reading"), {"body": "name=<script>alert(1)</script>&phone=8135550142"}
    ).content.decode()
    assert "<script>alert" not in page_text


def test_source_set_up_at_its_vendor_has_no_posting_instructions(clerk):
    assert clerk.get(page(make.source("meta_lead_ads"))).status_code == 404
