"""A delivery's consent is stored once for each number and address."""

from dataclasses import replace
from datetime import date

import pytest

from rooftree.capture.intake import receive_delivery, store_inquiries
from rooftree.compliance.consent.store_consents import recorded_fields, terms_in_force
from rooftree.compliance.gate import telemarketing_records
from rooftree.compliance.models import Consent, Revocation
from rooftree.leads.canonical import Suppression
from rooftree.leads.models import Lead, Touch
from rooftree.ledger.models import Event
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
BEN, MAIL = "+18135550142", "ben.ortiz@home.example"


@pytest.fixture(autouse=True)
def ready():
    journey.set_up_company()


def of(address: str) -> Consent:
    return Consent.objects.get(address=address)


def test_checked_box_is_written_consent_with_its_exact_wording():
    lead = journey.deliver(journey.create_website(), journey.form_post())

    row = of(BEN)
    assert (row.status, row.person, row.wording) == ("granted", lead.person, journey.WORDING)
    assert row.record["type"] == "written"
    assert "text" in row.channels
    assert "email" not in row.channels
    assert len(row.wording_sha256) == 64
    assert row.idempotency_key == f"touch:{Touch.objects.get().pk}:{BEN}"
    written = Event.objects.filter(kind="compliance.consent.recorded", lead_id=lead.pk)
    assert written.count() == 2


def test_ledger_shows_if_the_consent_record_is_complete():
    lead = journey.deliver(journey.create_website(), journey.form_post())

    kind = Event.objects.filter(kind="compliance.consent.recorded", lead_id=lead.pk)
    instruction = {
        Consent.objects.get(pk=event.data["consent"]).address: event.data for event in kind
    }
    assert instruction[BEN]["is_complete"] is True
    assert "is_complete" not in instruction[MAIL]  # the rule is about calls
    row = of(BEN)
    row.wording = ""
    assert telemarketing_records.missing_fields("consent", recorded_fields(row)) == ["request_copy"]


def test_unchecked_box_is_stored_as_a_refusal():
    journey.deliver(journey.create_website(), journey.form_post(consent=False))

    assert of(BEN).status != "granted"


def test_source_without_evidence_is_stored_as_not_provided():
    journey.deliver(journey.create_zillow(), journey.zillow_contact())

    assert {of(BEN).status, of(MAIL).status} == {"not_provided"}
    assert of(BEN).delivery is not None


def test_processing_a_delivery_again_stores_nothing():
    source, contact = journey.create_zillow(), journey.zillow_contact()
    journey.deliver(source, contact)
    before = Consent.objects.count()

    journey.arrive(source, contact, at=journey.later(1))
    journey.run(journey.later(1))

    assert Consent.objects.count() == before


def test_later_delivery_adds_a_row_and_edits_none():
    journey.deliver(journey.create_website(), journey.form_post())
    first = of(BEN)

    journey.deliver(
        journey.create_website(slug="b", name="B"),
        journey.form_post(consent=False),
        at=journey.later(9),
    )

    rows = Consent.objects.filter(address=BEN).order_by("recorded_at")
    assert [row.pk for row in rows][0] == first.pk
    assert rows[0].record == first.record
    assert rows.count() == 2


@pytest.mark.parametrize(
    ("instruction", "address", "media"),
    [
        ("do_not_call", BEN, ["call", "text", "voicemail"]),
        ("do_not_text", BEN, ["text"]),
        ("do_not_email", MAIL, ["email"]),
    ],
)
def test_vendor_do_not_contact_applies_and_a_later_lead_does_not_undo_it(
    instruction, address, media
):
    lead = stored_with(instruction)

    row = Revocation.objects.get()
    assert (row.kind, row.address, sorted(row.media)) == ("vendor", address, media)
    assert (row.person, row.ended_at) == (lead.person, None)
    journey.deliver(journey.create_website(), journey.form_post(), at=journey.later(9))
    assert Revocation.objects.get().ended_at is None


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("Please take me off your list, I never asked for calls", {"stop"}),
        ("Por favor no me llamen", {"stop"}),
        ("How did you get my number?", {"review"}),
        ("Please don't stop texting, and take my ex off the mortgage", set()),
    ],
)
def test_words_of_any_inquiry_are_read_for_stops(words, kinds):
    for slug, body in (
        ("form", journey.form_post(comments=words)),
        ("note", journey.form_post(message=words)),
    ):
        journey.deliver(journey.create_website(slug=slug, name=slug), body)

    rows = Revocation.objects.all()
    assert {row.kind for row in rows} == kinds
    expected = {(BEN, ("call", "text", "voicemail")), (MAIL, ("email",))} if kinds else set()
    assert {(row.address, tuple(row.media)) for row in rows} == expected
    assert rows.count() == 2 * len(expected)


def stored_with(instruction: str) -> Lead:
    """Return the lead of an inquiry with a vendor's suppression, stored as intake stores it."""
    received = journey.arrive(journey.create_zillow(), journey.zillow_contact())
    (inquiry,) = receive_delivery.reread_delivery(received.delivery).leads
    inquiry = replace(inquiry, suppression=Suppression(**{instruction: True}))
    arrival = store_inquiries.Arrival(inquiry=inquiry, delivery=received.delivery, position=0)
    return store_inquiries.store_inquiries([arrival], at=make.NOON)[0].lead


@pytest.mark.parametrize(
    ("day", "changes", "in_force"),
    [
        ("2026-06-01", {}, True),
        ("2026-05-31", {}, False),  # the day before
        ("2026-06-30", {"until_date": "2026-07-01"}, True),
        ("2026-07-01", {"until_date": "2026-07-01"}, False),  # the end is exclusive
        ("2026-06-15", {"reviewed_at": None}, False),  # nobody has read them
    ],
)
def test_source_terms_count_within_their_dates_once_reviewed(day, changes, in_force):
    source = make.source()
    make.terms(source, **{"from_date": "2026-06-01", "reviewed_at": make.NOON, **changes})

    assert (terms_in_force(source.pk, date.fromisoformat(day)) is not None) is in_force


def test_newest_terms_in_force_count():
    source = make.source()
    make.terms(source, from_date="2026-01-01", reviewed_at=make.NOON)
    newer = make.terms(source, from_date="2026-06-01", reviewed_at=make.NOON)

    assert terms_in_force(source.pk, make.NOON.date()) == newer
