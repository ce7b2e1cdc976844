"""Facts for the gate: every one comes from a row, and none is missing."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rooftree.compliance.consent import store_revocation
from rooftree.compliance.do_not_call.load_list import ListUpload, load_file
from rooftree.compliance.gate import contact_caps, do_not_call_check, facts_json, message_gate
from rooftree.compliance.gate.facts import Medium, PriorContact, Purpose
from rooftree.leads.models import ContactAttempt, Lead, Loan, Milestone
from rooftree.org.models import CompanyLicense
from rooftree.outreach.facts.message_facts import (
    OutgoingContact,
    address_key,
    gather_facts,
    possible_places,
)
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("dana")]
BEN, MAIL = "+18135550142", "ben.ortiz@home.example"


@pytest.fixture
def lead() -> Lead:
    return journey.deliver(journey.create_website(), journey.form_post())


def facts(lead: Lead, *, at=make.NOON + make.MINUTE, **changes):
    medium = changes.pop("medium", Medium.TEXT)
    outgoing = OutgoingContact(
        **{
            "medium": medium,
            "purpose": Purpose.MARKETING,
            "is_automated": True,
            "to": MAIL if medium is Medium.EMAIL else BEN,
            "text": "Hello",
            **changes,
        }
    )
    fresh = Lead.objects.select_related("person", "source").get(pk=lead.pk)
    return gather_facts(outgoing, lead=fresh, company=make.company(), at=at)


@pytest.mark.parametrize("medium", [Medium.TEXT, Medium.CALL, Medium.EMAIL, Medium.VOICEMAIL])
@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("known_facts", [True, False])
def test_every_message_fact_has_a_value(lead, medium, purpose, known_facts):
    if not known_facts:  # a lead with the fewest facts
        lead = make.lead(
            person=make.person(phone=BEN, email=MAIL),
            property_state="",
            purpose="",
            amount_cents=None,
        )

    message_facts = facts(lead, medium=medium, purpose=purpose)

    assert message_gate.missing_facts(message_facts) == ()
    assert "gate_failed_closed" not in {
        ruling.reason for ruling in message_gate.decide(message_facts).rulings
    }


def test_consent_applies_only_to_its_own_number(lead):
    assert len(facts(lead).consents) == 1
    assert facts(lead, to="+18135550199").consents == ()


def test_consent_applies_from_when_it_was_recorded(lead):
    assert facts(lead, at=make.NOON - make.SECOND).consents == ()


@pytest.mark.parametrize(
    ("changes", "name", "expected"),
    [
        ({"kind": "stop"}, "revocations", 1),
        ({"kind": "unsubscribe", "media": ["email"]}, "revocations", 1),
        ({"kind": "review"}, "is_held", True),
        ({"kind": "wrong_person"}, "is_wrong_person", True),
        ({"kind": "do_not_contact"}, "internal_dnc_on", date(2026, 11, 23)),
        ({"kind": "vendor"}, "internal_dnc_on", date(2026, 11, 23)),
        (
            {"kind": "vendor", "media": ["call"]},
            "internal_dnc_on",
            None,
        ),  # the words refer to calls
        ({"kind": "stop", "address": "+18135550199"}, "revocations", 0),  # of a stranger
    ],
)
def test_each_revocation_kind_sets_its_own_fact(lead, changes, name, expected):
    store_revocation.store_revocation(
        **{
            "person_id": None,
            "address": BEN if changes.get("media") != ["email"] else address_key(MAIL),
            "media": ["call", "text", "voicemail"],
            "origin": "page:test",
            "idempotency_key": "test:1",
            "at": make.NOON,
            **changes,
        }
    )
    medium = Medium.EMAIL if changes.get("media") == ["email"] else Medium.TEXT

    value = getattr(facts(lead, medium=medium), name)

    assert (len(value) if isinstance(value, tuple) else value) == expected


def test_opt_out_on_one_number_applies_to_all_numbers_of_person(lead):
    store_revocation.store_revocation(
        person_id=lead.person_id,
        address=BEN,
        kind="stop",
        media=["text"],
        origin="message:SM1",
        idempotency_key="text:SM1",
        at=make.NOON,
    )

    revocations = facts(lead, to="+18135550199").revocations

    assert [(revocation.media, revocation.by_text) for revocation in revocations] == [
        ((Medium.TEXT,), True)
    ]


def test_attempts_of_message_do_not_count_against_itself(lead):
    text = Message.objects.get(medium="text")

    assert len(facts(lead).contacts) == 2
    assert len(facts(lead, idempotency_key=f"message:{text.pk}").contacts) == 1


def test_attempts_older_than_every_cap_are_ignored(lead):
    assert facts(lead, at=make.NOON + 8 * make.DAY + make.SECOND).contacts == ()


def test_cap_day_has_24_hours_when_clocks_change(lead):
    """By local time, a contact of 24.5 hours ago can be less than a day old."""
    at = datetime(2026, 11, 1, 9, tzinfo=ZoneInfo("America/New_York"))
    message_facts = facts(lead, at=at)
    with_contacts = replace(message_facts, contacts=tuple(
        PriorContact(at=at.astimezone(UTC) - timedelta(hours=24, minutes=hour), medium=Medium.CALL)
        for hour in (30, 31, 32)
    ))  # fmt: skip

    stored = facts_json.facts_from_json(facts_json.facts_to_json(with_contacts))
    for decided in (with_contacts, stored):
        rulings = contact_caps.check_contact_caps(decided)
        assert [ruling.reason for ruling in rulings] == ["under_cap"]


def test_text_counts_as_first_until_one_was_sent(lead):
    assert not facts(lead).is_first_message
    Message.objects.update(sent_at=None)
    assert facts(lead).is_first_message
    assert not facts(lead, medium=Medium.EMAIL).is_first_message


@pytest.mark.parametrize(
    ("at", "licensed"),
    [
        ("2026-12-01T04:59:59+00:00", True),  # 23:59:59 in Tampa, the last evening
        ("2026-12-01T05:00:00+00:00", False),  # midnight there
    ],
)
def test_license_ends_at_midnight_in_property_time_zone(lead, at, licensed):
    CompanyLicense.objects.filter(state="FL").update(until_date=date(2026, 12, 1))

    company_facts = facts(lead, at=datetime.fromisoformat(at)).company

    assert ("FL" in company_facts.licensed_states) is licensed


def test_every_possible_location_is_listed():
    person = make.person(phone="+14155550187", state="TX", zip="75201")
    lead = make.lead(person=person, property_state="FL", property_zip="33602")

    assert {possible_place.state for possible_place in possible_places(lead)} == {"CA", "TX", "FL"}

    person.phones.update(unlinked_at=make.NOON)
    again = Lead.objects.get(pk=lead.pk)
    assert {possible_place.state for possible_place in possible_places(again)} == {"TX", "FL"}


def test_inquiry_counts_as_ours_only_if_form_named_us():
    lead = make.lead(source=make.source("lendingtree"))
    make.touch(lead)

    assert [relationship.with_us for relationship in facts(lead).relationships] == [False]

    make.terms(lead.source, reviewed_at=make.NOON)
    assert [relationship.with_us for relationship in facts(lead).relationships] == [True]


def listed(lines: str, registry: str = "US", *, days: int = 3) -> None:
    dated = make.NOON.date() - timedelta(days=days)
    upload = ListUpload(
        registry=registry, name="list.txt", dated=dated, file=io.BytesIO(lines.encode())
    )
    load_file(upload, by=None, at=make.NOON)


def test_number_in_current_area_code_is_listed_or_unlisted(lead):
    assert (facts(lead).registry_date, facts(lead).is_on_registry) == (None, False)

    listed("813,5550143\n")
    message_facts = facts(lead)
    assert (message_facts.registry_date, message_facts.is_on_registry) == (
        make.NOON.date() - timedelta(days=3),
        False,
    )

    listed("813,5550142,2026-11-23,A\n", days=0)
    message_facts = facts(lead)
    assert (message_facts.registry_date, message_facts.is_on_registry) == (make.NOON.date(), True)


def test_number_in_missing_area_code_is_unknown(lead):
    listed("305,5550142\n")
    assert (facts(lead).registry_date, facts(lead).is_on_registry) == (None, False)


def test_manual_call_needs_current_registry_copy(lead):
    make_call = {"medium": Medium.CALL, "is_automated": False, "text": ""}
    listed("813,5550143\n", days=3)
    listed("8135550143\n", "FL", days=3)

    def decide_after(days: int) -> str:
        found = replace(
            facts(lead, at=make.NOON + timedelta(days=days), **make_call),
            consents=(),
            relationships=(),
            asks=("national_dnc",),
        )
        return message_gate.decide(found).reason

    assert decide_after(0) == "dnc_clear"
    assert decide_after(28) == "dnc_clear"
    assert decide_after(29) == "scrub_stale"


def test_state_list_applies_to_people_in_that_state(lead):
    listed("8135550142\n", "FL")
    (state_list,) = facts(lead).state_lists
    assert (state_list.state, state_list.version_date, state_list.is_listed) == (
        "FL",
        make.NOON.date() - timedelta(days=3),
        True,
    )


def test_litigator_is_never_called_even_with_consent(lead):
    listed("8135550142\n", "LITIGATOR")
    message_facts = facts(lead)
    assert message_facts.internal_dnc_on == message_facts.at.date()
    asking_facts = replace(message_facts, asks=("internal_dnc",))
    assert message_gate.decide(asking_facts).reason == "internal_dnc"


def test_imported_internal_list_counts_from_its_date(lead):
    listed("8135550142\n", "INTERNAL", days=400)
    assert facts(lead).internal_dnc_on == make.NOON.date() - timedelta(days=400)


@pytest.mark.parametrize(
    ("code", "kind", "last_good"),
    [
        ("funded", "transaction", date(2028, 4, 29)),
        ("application", "application", date(2027, 1, 29)),
    ],
)
def test_loan_with_us_is_a_relationship_from_los_date(lead, code, kind, last_good):
    """18 months after a transaction, 3 after an application, 47 CFR 64.1200(f)(5)."""
    loan = Loan.objects.create(lead=lead, los_loan_id="L1", los="encompass", created_at=make.NOON)
    on = date(2026, 10, 30)
    Milestone.objects.create(
        loan=loan, code=code, on_date=on, reached_at=make.NOON, recorded_at=make.NOON
    )

    message_facts = facts(lead, medium=Medium.CALL, is_automated=False)
    (dealt,) = [
        relationship for relationship in message_facts.relationships if relationship.kind == kind
    ]
    assert (dealt.on, dealt.with_us) == (on, True)

    def decide_after(day: date) -> str:
        at = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
        alone = replace(
            message_facts, relationships=(dealt,), consents=(), is_on_registry=True, at=at
        )
        return do_not_call_check.check_national_registry(alone).reason

    assert decide_after(last_good) == (
        "ebr_transaction" if kind == "transaction" else "ebr_inquiry"
    )
    assert decide_after(last_good + timedelta(days=1)) == "ebr_expired"


def test_inferred_or_later_milestone_is_no_relationship(lead):
    loan = Loan.objects.create(lead=lead, los_loan_id="L1", los="encompass", created_at=make.NOON)
    for inferred, recorded_at in ((True, make.NOON), (False, make.NOON + make.DAY)):
        Milestone.objects.create(
            loan=loan, code="funded", reached_at=make.NOON, recorded_at=recorded_at,
            is_inferred=inferred,
        )  # fmt: skip

    assert {relationship.kind for relationship in facts(lead).relationships} == {"inquiry"}


def test_last_contact_is_latest_inquiry_call_or_message_on_number(lead):
    assert facts(lead).last_confirmed_on == date(2026, 11, 23)
    for day, result, number in (
        (1, "spoken", BEN), (2, "replied", "+18135550199"), (3, "no_answer", BEN),
        (4, "wrong_person", BEN),
    ):  # fmt: skip
        make_attempt(lead, day, result, number)

    assert facts(lead, at=make.NOON + 9 * make.DAY).last_confirmed_on == date(2026, 11, 24)


def make_attempt(lead, day: int, result: str, number: str) -> None:
    ContactAttempt.objects.create(
        lead=lead, person=lead.person, medium="call", address=number, result=result,
        at=make.NOON + day * make.DAY, idempotency_key=f"test:{make.number()}",
    )  # fmt: skip
