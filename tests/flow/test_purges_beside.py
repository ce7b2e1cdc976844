"""Records that mention a person are purged together with the person's own records."""

import pytest
from django.db import DatabaseError, connection, transaction

from rooftree.compliance.credit.clock_due_dates import CLOCK_KINDS
from rooftree.compliance.models import CreditClock
from rooftree.db.db_role import assume_role
from rooftree.leads.models import Lead
from rooftree.money import book_entries
from rooftree.money.models import Claim, ClaimStep, Contract
from rooftree.org.models import User
from rooftree.outreach.models import Message
from rooftree.outreach.releases import release_drafts
from rooftree.reporting.models import ExportRequest
from rooftree.retention import legal_holds
from tests import make
from tests.flow.test_purges import BEN, OF_BEN, ben, run_purges, tables_containing, years_later

__all__ = ["ben"]  # the fixture
pytestmark = pytest.mark.django_db


def test_records_about_person_are_anonymous_after_all_purges(ben) -> None:
    omar = make.user("compliance")
    create_records_about(ben, by=omar)
    release = release_drafts.create_and_seal(
        kind="written", title="Hi", members={"hi:1": ben}, at=make.NOON
    )
    hold = legal_holds.place_hold(
        legal_holds.HoldScope(address=BEN),
        matter="Case 7",
        why="A letter of counsel",
        by=omar,
        at=make.NOON,
    )
    legal_holds.lift_hold(hold_id=hold.pk, because="It was settled", by=omar, at=make.NOON)
    assert set(tables_containing("Ortiz", BEN)) >= {
        "credit_clock", "claim_step", "export_request", "legal_hold",
    }  # fmt: skip

    for number in (2, 3, 5, 7, 9):
        run_purges(years_later(number, days=40))

    assert tables_containing(*OF_BEN) == {}
    assert not release.members.exists()
    hold.refresh_from_db()
    assert (hold.matter, hold.address) == ("Case 7", "no longer kept")
    assert ClaimStep.objects.get().note == "", "that there was a step is still told"


def test_release_members_are_erased_with_their_messages(ben) -> None:
    release = release_drafts.create_and_seal(
        kind="written", title="Hi", members={"hi:1": ben}, at=make.NOON
    )
    Message.objects.filter(lead=ben, medium="email").update(release=release)
    run_purges(years_later(7, days=-5))
    assert release.members.count() == 1
    run_purges(years_later(7, days=5))
    assert not release.members.exists()


def test_claim_step_can_only_be_emptied(ben) -> None:
    create_records_about(ben, by=make.user("compliance"))
    for change in ("note = 'Another'", "note = '', kind = 'sent'", "note = '', at = now()"):
        with pytest.raises(DatabaseError, match="append-only"), assume_role("keeper"):
            connection.cursor().execute(f"update claim_step set {change}")
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute("update claim_step set note = ''")


def create_records_about(lead: Lead, *, by: User) -> None:
    CreditClock.objects.create(
        lead=lead,
        kind=next(iter(CLOCK_KINDS)),
        began_on=make.NOON,
        due_on=make.NOON,
        due_at=make.NOON,
        sentence="Ben Ortiz applied",
        opened_at=make.NOON,
        closed_at=make.NOON,
        outcome="sent",
        idempotency_key="clock:1",
    )
    contract = Contract.objects.create(
        source=lead.source, from_date=make.NOON, window_days=14, warn_days=2, watcher=by,
        made_by=by, made_at=make.NOON,
    )  # fmt: skip
    entry = book_entries.book_entry(
        kind="cost", amount_cents=100, on_date=make.NOON.date(), source_id=lead.source_id,
        basis="typed", idempotency_key="typed:1", lead_id=lead.pk, by=by, at=make.NOON,
    )  # fmt: skip
    claim = Claim.objects.create(
        source=lead.source, contract=contract, touch=lead.touches.get(), entry=entry,
        reason="wrong_number", sentence="Not his", claimed_cents=100, send_by=make.NOON,
        drafted_at=make.NOON,
    )  # fmt: skip
    ClaimStep.objects.create(claim=claim, kind="noted", note="Mr. Ortiz denies it", at=make.NOON)
    ExportRequest.objects.create(
        subject="records:funded", query="q=Ortiz", number=12, reason="For counsel", requested_by=by,
        requested_at=make.NOON,
    )  # fmt: skip
