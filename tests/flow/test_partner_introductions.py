"""Partners introduce borrowers: by the door all leads take, and see no more than they were let."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from rooftree.capture.partners import partner_accounts
from rooftree.capture.partners.thing_of_value_ruling import BadPartner
from rooftree.compliance.models import Consent
from rooftree.core.uuid7 import uuid7
from rooftree.flow import partner_introductions
from rooftree.flow.partner_introductions import IntroducedClient
from rooftree.leads.models import Delivery, Introduction, Lead, Loan, Milestone, ThingOfValue
from rooftree.reporting import partner_progress
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
IDA = IntroducedClient(
    first_name="Ida", last_name="Berg", phone="(813) 555-0177", email="ida@home.example",
    purpose="purchase", property_state="FL", note="Under contract Friday.",
)  # fmt: skip
LUNCH = {
    "direction": "given", "what": "Lunch for the team", "why": "We explained VA loans",
    "fair_value_cents": 84_20, "on_date": date(2026, 11, 20), "basis": "gift",
    "has_happened": True,
}  # fmt: skip


@pytest.fixture
def ana(db):
    journey.ready()
    return make.partner("Ana Ruiz")


def introduce(partner, client=IDA, *, reference=None):
    made = partner_introductions.submit_introduction(
        partner=partner, client=client, reference=reference or uuid7(), at=make.NOON
    )
    journey.run()
    return made


def seen(partner) -> list[str]:
    rows = Introduction.objects.filter(partner=partner)
    return [one.label for one in partner_progress.load_progress(rows)]


def reached(lead, *codes) -> None:
    loan, _ = Loan.objects.get_or_create(
        lead=lead, los="encompass", instance="BE1", los_loan_id="1",
        defaults={"created_at": make.NOON},
    )  # fmt: skip
    for code in codes:
        Milestone.objects.create(loan=loan, code=code, reached_at=make.NOON, recorded_at=make.NOON)


def permit(introduction, steps, by=None, at=make.NOON):
    return partner_accounts.record_permission(
        introduction_id=introduction.pk, steps=steps, words="On the phone",
        by=by or make.user("operations"), at=at,
    )  # fmt: skip


def test_an_introduction_becomes_a_lead_by_the_door_of_all_leads(ana):
    made = introduce(ana)

    lead = Lead.objects.get()
    assert (lead.person.name, lead.property_state, lead.source) == ("Ida Berg", "FL", ana.source)
    assert lead.touches.get().delivery == made.delivery
    referral = lead.details["referral"]
    assert (referral["name"], referral["partner_id"]) == ("Ana Ruiz", str(ana.pk))


def test_the_same_page_sent_twice_is_one_introduction(ana):
    reference = uuid7()

    assert introduce(ana, reference=reference) == introduce(ana, reference=reference)

    assert Lead.objects.count() == Introduction.objects.count() == 1


def test_the_reference_of_another_partners_introduction_shows_nothing_of_it(ana):
    reference = introduce(ana).pk
    ben = make.partner("Ben Stone")

    with pytest.raises(BadPartner, match="used before"):
        introduce(ben, reference=reference)

    assert not Introduction.objects.filter(partner=ben).exists()


@pytest.mark.parametrize(("wants", "status"), [(False, "not_provided"), (True, "granted")])
def test_a_partners_word_lets_a_person_call_at_most_and_texts_nobody(ana, wants, status):
    introduce(ana, replace(IDA, agreed_to_contact=wants))

    lead = Lead.objects.get()
    given = Consent.objects.filter(person=lead.person, address="+18135550177")
    assert {consent.status for consent in given} <= {status}
    assert all("text" not in consent.channels for consent in given)
    assert journey.texts(lead) == []


def test_who_can_neither_be_called_nor_written_to_is_not_taken(ana):
    with pytest.raises(BadPartner):
        introduce(ana, replace(IDA, phone="", email=""))

    assert not Delivery.objects.exists()


def test_a_partner_sees_that_it_came_and_nothing_more_until_the_borrower_allows_it(ana):
    made = introduce(ana)
    lead = Lead.objects.get()
    Lead.objects.update(first_talk_at=make.NOON)
    reached(lead, "application", "clear_to_close")

    assert seen(ana) == ["Received"]
    permit(made, ["contacted", "application"])
    assert seen(ana) == ["Applied"]
    permit(made, ["contacted", "clear_to_close"], at=make.NOON + make.MINUTE)
    assert seen(ana) == ["Cleared to close"]
    permit(made, [], at=make.NOON + make.HOUR)
    assert seen(ana) == ["Received"]


def test_that_somebody_got_no_loan_can_be_shown_to_no_partner(ana):
    made = introduce(ana)

    with pytest.raises(BadPartner):
        permit(made, ["denied"])


def test_what_one_introduced_is_not_among_anothers(ana):
    introduce(ana)

    assert seen(make.partner("Ben Stone")) == []


def test_what_was_allowed_cannot_be_changed_afterwards(ana):
    allowed = permit(introduce(ana), ["contacted"])

    with pytest.raises(DatabaseError, match="append-only|permission denied"), transaction.atomic():
        type(allowed).objects.filter(pk=allowed.pk).update(steps=["funded"])


def test_a_thing_of_value_is_kept_and_a_slip_taken_back_by_another_row(ana):
    by = make.user("compliance")
    thing = partner_accounts.record_thing_of_value(
        partner_id=ana.pk, typed=LUNCH, by=by, at=make.NOON
    )
    assert partner_accounts.thing_of_value_totals(ana) == {"given": 84_20, "received": 0}

    for _ in range(2):
        partner_accounts.correct_thing_of_value(
            thing_id=thing.pk, why="Another partner", by=by, at=make.NOON
        )

    assert ThingOfValue.objects.count() == 2
    assert partner_accounts.thing_of_value_totals(ana) == {"given": 0, "received": 0}
    for statement in ("delete from thing_of_value", "update thing_of_value set why = ''"):
        with (
            pytest.raises(DatabaseError, match="append-only|permission denied"),
            transaction.atomic(),
        ):
            connection.cursor().execute(statement)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"direction": "lost"}, "direction"),
        ({"what": " "}, "what"),
        ({"why": ""}, "why"),
        ({"fair_value_cents": None}, "fair_value_cents"),
        ({"on_date": date(2026, 11, 24)}, "on_date"),
    ],
)
def test_a_thing_of_value_says_who_what_what_for_and_when(ana, change, field):
    with pytest.raises(BadPartner) as problem:
        partner_accounts.record_thing_of_value(
            partner_id=ana.pk, typed={**LUNCH, **change}, by=make.user("marketing"), at=make.NOON
        )

    assert problem.value.field == field
    assert not ThingOfValue.objects.exists()
