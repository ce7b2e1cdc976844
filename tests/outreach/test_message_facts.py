"""Every fact the gate reads comes from a row, and none is ever missing."""

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
    return journey.deliver(journey.website(), journey.form_post())


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
@pytest.mark.parametrize("known", [True, False])
def test_no_fact_is_ever_missing(lead, medium, purpose, known):
    if not known:  # the barest lead there can be
        lead = make.lead(
            person=make.person(phone=BEN, email=MAIL),
            property_state="",
            purpose="",
            amount_cents=None,
        )

    found = facts(lead, medium=medium, purpose=purpose)

    assert message_gate.missing_facts(found) == ()
    assert "gate_failed_closed" not in {
        ruling.reason for ruling in message_gate.decide(found).rulings
    }


def test_a_permission_counts_for_its_own_number_only(lead):
    assert len(facts(lead).consents) == 1
    assert facts(lead, to="+18135550199").consents == ()


def test_a_permission_counts_from_when_it_was_written_down(lead):
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
        ({"kind": "vendor", "media": ["call"]}, "internal_dnc_on", None),  # calls were meant
        ({"kind": "stop", "address": "+18135550199"}, "revocations", 0),  # a stranger's
    ],
)
def test_each_kind_of_revocation_is_the_fact_it_is(lead, changes, name, expected):
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

    found = getattr(facts(lead, medium=medium), name)

    assert (len(found) if isinstance(found, tuple) else found) == expected


def test_a_stop_on_one_number_holds_for_every_number_of_that_person(lead):
    store_revocation.store_revocation(
        person_id=lead.person_id,
        address=BEN,
        kind="stop",
        media=["text"],
        origin="message:SM1",
        idempotency_key="text:SM1",
        at=make.NOON,
    )

    found = facts(lead, to="+18135550199").revocations

    assert [(revocation.media, revocation.by_text) for revocation in found] == [
        ((Medium.TEXT,), True)
    ]


def test_own_attempts_are_not_counted_against_the_message_itself(lead):
    text = Message.objects.get(medium="text")

    assert len(facts(lead).contacts) == 2
    assert len(facts(lead, idempotency_key=f"message:{text.pk}").contacts) == 1


def test_attempts_older_than_any_cap_are_left_out(lead):
    assert facts(lead, at=make.NOON + 8 * make.DAY + make.SECOND).contacts == ()


def test_a_day_has_24_hours_where_the_clocks_go_back(lead):
    """By the clock on the wall a contact of 24 and a half hours ago is not a day old."""
    at = datetime(2026, 11, 1, 9, tzinfo=ZoneInfo("America/New_York"))
    asked = facts(lead, at=at)
    told = replace(asked, contacts=tuple(
        PriorContact(at=at.astimezone(UTC) - timedelta(hours=24, minutes=one), medium=Medium.CALL)
        for one in (30, 31, 32)
    ))  # fmt: skip

    assert contact_caps.check_contact_caps(told).reason == "under_cap"
    assert (
        contact_caps.check_contact_caps(
            facts_json.facts_from_json(facts_json.facts_to_json(told))
        ).reason
        == "under_cap"
    )


def test_the_first_text_is_first_until_one_has_left(lead):
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
def test_a_license_ends_at_midnight_where_the_property_is(lead, at, licensed):
    CompanyLicense.objects.filter(state="FL").update(until_date=date(2026, 12, 1))

    found = facts(lead, at=datetime.fromisoformat(at)).company

    assert ("FL" in found.licensed_states) is licensed


def test_every_place_the_person_may_be_is_named():
    person = make.person(phone="+14155550187", state="TX", zip="75201")
    lead = make.lead(person=person, property_state="FL", property_zip="33602")

    assert {possible_place.state for possible_place in possible_places(lead)} == {"CA", "TX", "FL"}

    person.phones.update(unlinked_at=make.NOON)
    again = Lead.objects.get(pk=lead.pk)
    assert {possible_place.state for possible_place in possible_places(again)} == {"TX", "FL"}


def test_an_inquiry_counts_as_with_us_only_where_the_form_named_us():
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


def test_a_number_in_a_fresh_area_code_of_the_registry_is_listed_or_not(lead):
    assert (facts(lead).registry_date, facts(lead).is_on_registry) == (None, False)

    listed("813,5550143\n")
    found = facts(lead)
    assert (found.registry_date, found.is_on_registry) == (
        make.NOON.date() - timedelta(days=3),
        False,
    )

    listed("813,5550142,2026-11-23,A\n", days=0)
    found = facts(lead)
    assert (found.registry_date, found.is_on_registry) == (make.NOON.date(), True)


def test_an_area_code_that_we_do_not_hold_is_not_known(lead):
    listed("305,5550142\n")
    assert (facts(lead).registry_date, facts(lead).is_on_registry) == (None, False)


def test_a_call_by_hand_goes_to_an_unlisted_number_and_waits_when_the_copy_is_old(lead):
    make_call = {"medium": Medium.CALL, "is_automated": False, "text": ""}
    listed("813,5550143\n", days=3)
    listed("8135550143\n", "FL", days=3)

    def said(days: int) -> str:
        found = replace(
            facts(lead, at=make.NOON + timedelta(days=days), **make_call),
            consents=(),
            relationships=(),
            asks=("national_dnc",),
        )
        return message_gate.decide(found).reason

    assert said(0) == "dnc_clear"
    assert said(28) == "dnc_clear"
    assert said(29) == "scrub_stale"


def test_a_states_own_list_speaks_for_people_of_that_state(lead):
    listed("8135550142\n", "FL")
    (held,) = facts(lead).state_lists
    assert (held.state, held.version_date, held.is_listed) == (
        "FL",
        make.NOON.date() - timedelta(days=3),
        True,
    )


def test_a_litigator_is_never_called_whatever_they_signed(lead):
    listed("8135550142\n", "LITIGATOR")
    found = facts(lead)
    assert found.internal_dnc_on == found.at.date()
    asked = replace(found, asks=("internal_dnc",))
    assert message_gate.decide(asked).reason == "internal_dnc"


def test_our_own_list_of_before_counts_from_its_day(lead):
    listed("8135550142\n", "INTERNAL", days=400)
    assert facts(lead).internal_dnc_on == make.NOON.date() - timedelta(days=400)


@pytest.mark.parametrize(
    ("code", "kind", "last_good"),
    [
        ("funded", "transaction", date(2028, 4, 29)),
        ("application", "application", date(2027, 1, 29)),
    ],
)
def test_a_loan_with_us_is_a_relationship_from_the_day_the_los_gives(lead, code, kind, last_good):
    """18 months of a transaction and 3 of an application, 47 CFR 64.1200(f)(5)."""
    loan = Loan.objects.create(lead=lead, los_loan_id="L1", los="encompass", created_at=make.NOON)
    on = date(2026, 10, 30)
    Milestone.objects.create(
        loan=loan, code=code, on_date=on, reached_at=make.NOON, recorded_at=make.NOON
    )

    found = facts(lead, medium=Medium.CALL, is_automated=False)
    (dealt,) = [relationship for relationship in found.relationships if relationship.kind == kind]
    assert (dealt.on, dealt.with_us) == (on, True)

    def said(day: date) -> str:
        at = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
        alone = replace(found, relationships=(dealt,), consents=(), is_on_registry=True, at=at)
        return do_not_call_check.check_national_registry(alone).reason

    assert said(last_good) == ("ebr_transaction" if kind == "transaction" else "ebr_inquiry")
    assert said(last_good + timedelta(days=1)) == "ebr_expired"


def test_a_step_that_was_only_inferred_or_came_later_is_no_relationship(lead):
    loan = Loan.objects.create(lead=lead, los_loan_id="L1", los="encompass", created_at=make.NOON)
    for inferred, recorded_at in ((True, make.NOON), (False, make.NOON + make.DAY)):
        Milestone.objects.create(
            loan=loan, code="funded", reached_at=make.NOON, recorded_at=recorded_at,
            is_inferred=inferred,
        )  # fmt: skip

    assert {relationship.kind for relationship in facts(lead).relationships} == {"inquiry"}


def test_the_last_contact_is_when_they_asked_spoke_or_wrote_on_this_number(lead):
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
        at=make.NOON + day * make.DAY, cause=f"test:{make.number()}",
    )  # fmt: skip
