"""Partner introductions use normal intake, and partners see only what borrowers permit."""

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
    journey.set_up_company()
    return make.partner("Ana Ruiz")


def introduce(partner, client=IDA, *, reference=None):
    introduction = partner_introductions.submit_introduction(
        partner=partner, client=client, reference=reference or uuid7(), at=make.NOON
    )
    journey.run()
    return introduction


def visible_labels(partner) -> list[str]:
    rows = Introduction.objects.filter(partner=partner)
    return [progress.label for progress in partner_progress.load_progress(rows)]


def reach_milestones(lead, *codes) -> None:
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


def test_introduction_becomes_lead_through_normal_intake(ana):
    introduction = introduce(ana)

    lead = Lead.objects.get()
    assert (lead.person.name, lead.property_state, lead.source) == ("Ida Berg", "FL", ana.source)
    assert lead.touches.get().delivery == introduction.delivery
    referral = lead.details["referral"]
    assert (referral["name"], referral["partner_id"]) == ("Ana Ruiz", str(ana.pk))


def test_form_submitted_twice_is_one_introduction(ana):
    reference = uuid7()

    assert introduce(ana, reference=reference) == introduce(ana, reference=reference)

    assert Lead.objects.count() == Introduction.objects.count() == 1


def test_reference_of_another_partner_reveals_nothing(ana):
    reference = introduce(ana).pk
    ben = make.partner("Ben Stone")

    with pytest.raises(BadPartner, match="already submitted"):
        introduce(ben, reference=reference)

    assert not Introduction.objects.filter(partner=ben).exists()


@pytest.mark.parametrize(("wants", "status"), [(False, "not_provided"), (True, "granted")])
def test_partner_referral_allows_calls_at_most_and_no_texts(ana, wants, status):
    introduce(ana, replace(IDA, agreed_to_contact=wants))

    lead = Lead.objects.get()
    consents = Consent.objects.filter(person=lead.person, address="+18135550177")
    assert {consent.status for consent in consents} <= {status}
    assert all("text" not in consent.channels for consent in consents)
    assert journey.sent_texts(lead) == []


def test_introduction_without_contact_is_refused(ana):
    with pytest.raises(BadPartner):
        introduce(ana, replace(IDA, phone="", email=""))

    assert not Delivery.objects.exists()


def test_partner_sees_only_receipt_until_borrower_permits_more(ana):
    introduction = introduce(ana)
    lead = Lead.objects.get()
    Lead.objects.update(first_conversation_at=make.NOON)
    reach_milestones(lead, "application", "clear_to_close")

    assert visible_labels(ana) == ["Received"]
    permit(introduction, ["contacted", "application"])
    assert visible_labels(ana) == ["Applied"]
    permit(introduction, ["contacted", "clear_to_close"], at=make.NOON + make.MINUTE)
    assert visible_labels(ana) == ["Cleared to close"]
    permit(introduction, [], at=make.NOON + make.HOUR)
    assert visible_labels(ana) == ["Received"]


def test_denial_cannot_be_shown_to_partner(ana):
    introduction = introduce(ana)

    with pytest.raises(BadPartner):
        permit(introduction, ["denied"])


def test_partner_does_not_see_introductions_of_others(ana):
    introduce(ana)

    assert visible_labels(make.partner("Ben Stone")) == []


def test_partner_permission_cannot_be_changed_afterwards(ana):
    permission = permit(introduce(ana), ["contacted"])

    with pytest.raises(DatabaseError, match="append-only|permission denied"), transaction.atomic():
        type(permission).objects.filter(pk=permission.pk).update(steps=["funded"])


def test_thing_of_value_is_kept_and_corrected_by_another_row(ana):
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
    for statement in ("delete from thing_of_value", "update thing_of_value set justification = ''"):
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
def test_thing_of_value_requires_all_details(ana, change, field):
    with pytest.raises(BadPartner) as problem:
        partner_accounts.record_thing_of_value(
            partner_id=ana.pk, typed={**LUNCH, **change}, by=make.user("marketing"), at=make.NOON
        )

    assert problem.value.field == field
    assert not ThingOfValue.objects.exists()
