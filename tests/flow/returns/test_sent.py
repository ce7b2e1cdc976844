"""Claims sent to the vendor: their file, their results and the warnings before they are due."""

import csv
import io

import pytest
from django.db.models import Sum

from rooftree.flow import person_merges, vendor_returns
from rooftree.money import return_claims
from rooftree.money.models import Claim, Entry, ReturnFile
from rooftree.money.return_claims import ClaimNotAllowed
from rooftree.org.models import AccessEntry, StaffNotice
from rooftree.reporting.exports.export_approval import CannotExport
from rooftree.reporting.rollups import rebuild_rollups
from tests import make
from tests.flow import journey
from tests.flow.returns.claiming import (
    check_contracts,
    deliver_nevada_lead,
    record_contract,
    send_returns,
)

pytestmark = pytest.mark.django_db


def total_spend() -> int:
    kinds = dict(Entry.objects.values_list("kind").annotate(Sum("amount_cents")))
    return kinds.get("cost", 0) - kinds.get("credit", 0)


def test_return_file_lists_delivery_and_exporting_user(zillow, pat):
    record_contract(zillow, pat, reasons={"out_of_area": "OOA"})
    deliver_nevada_lead(zillow, id="LC-A")
    check_contracts()

    return_file, text = send_returns(zillow, pat)

    (line,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    claim = Claim.objects.get()
    assert line | {"type": ""} == {
        "Lead id": "LC-A", "Delivered": "2026-11-23 12:00", "Phone": "813-555-0142",
        "E-mail": "ben.ortiz@home.example", "Reason": "OOA",
        "Why": "The property is in NV, where we have no license.", "Price, dollars": "65.50",
        "Our reference": str(claim.pk), "type": "",
    }  # fmt: skip
    noted = AccessEntry.objects.get(kind="exported")
    assert (noted.user, noted.number, noted.reason) == (pat, 1, "Returns of this week")
    assert (claim.state, claim.file, claim.due_at) == ("sent", return_file, None)


def test_return_file_without_reason_is_not_created(zillow, contract, pat):
    deliver_nevada_lead(zillow)
    check_contracts()

    with pytest.raises(CannotExport):
        send_returns(zillow, pat, reason="")

    assert Claim.objects.get().state == "drafted"
    assert not ReturnFile.objects.exists()


def test_sending_returns_twice_sends_once(zillow, contract, pat):
    deliver_nevada_lead(zillow)
    check_contracts()
    send_returns(zillow, pat)

    with pytest.raises(ClaimNotAllowed):
        send_returns(zillow, pat)

    assert ReturnFile.objects.count() == 1


@pytest.fixture
def sent_claim(zillow, contract, pat) -> Claim:
    deliver_nevada_lead(zillow)
    check_contracts()
    send_returns(zillow, pat)
    return Claim.objects.get()


def record_credit(claim, cents, by, before=0):
    vendor_returns.record_credit(
        claim.pk, cents=cents, before_cents=before, by=by, at=make.NOON + 2 * make.DAY
    )


def reload_claim(claim) -> Claim:
    return Claim.objects.get(pk=claim.pk)


def test_credit_is_booked_to_the_cent_and_updates_totals(sent_claim, pat):
    assert total_spend() == 65_50

    record_credit(sent_claim, 65_50, pat)

    assert (reload_claim(sent_claim).state, reload_claim(sent_claim).closed_as) == (
        "closed",
        "credited",
    )
    assert total_spend() == 0
    entry = Entry.objects.get(kind="credit")
    assert (entry.lead, entry.source, entry.booked_by) == (
        sent_claim.touch.lead,
        sent_claim.source,
        pat,
    )
    assert not rebuild_rollups.find_differences()


def test_repeated_credit_is_booked_once(sent_claim, pat):
    record_credit(sent_claim, 20_00, pat)
    record_credit(sent_claim, 20_00, pat)

    assert reload_claim(sent_claim).credited_cents == 20_00
    assert total_spend() == 45_50


def test_conflicting_credits_are_reported(sent_claim, pat):
    record_credit(sent_claim, 20_00, pat)

    with pytest.raises(ClaimNotAllowed, match="Someone else recorded a credit"):
        record_credit(sent_claim, 30_00, pat)

    assert total_spend() == 45_50


def test_credit_cannot_exceed_amount_paid(sent_claim, pat):
    record_credit(sent_claim, 60_00, pat)

    with pytest.raises(ClaimNotAllowed, match=r"Only \$5.50"):
        record_credit(sent_claim, 5_51, pat, before=60_00)

    record_credit(sent_claim, 5_50, pat, before=60_00)
    assert reload_claim(sent_claim).closed_as == "credited"


def test_refused_claim_can_be_disputed_once(sent_claim, pat):
    day = iter(make.NOON + nth * make.DAY for nth in range(3, 9))
    return_claims.record_refusal(sent_claim.pk, note="They say it was valid.", by=pat, at=next(day))
    return_claims.dispute_claim(sent_claim.pk, note="Their own lead says NV.", by=pat, at=next(day))
    return_claims.record_refusal(sent_claim.pk, note="No again.", by=pat, at=next(day))

    with pytest.raises(ClaimNotAllowed, match="disputed before"):
        return_claims.dispute_claim(sent_claim.pk, note="Once more.", by=pat, at=next(day))

    return_claims.close_claim(sent_claim.pk, note="", by=pat, at=next(day))
    assert (reload_claim(sent_claim).state, reload_claim(sent_claim).closed_as) == (
        "closed",
        "refused",
    )
    kinds = [step.kind for step in sent_claim.steps.order_by("at", "pk")]
    assert kinds == ["drafted", "sent", "refused", "disputed", "refused", "closed"]


def test_vendor_refusal_requires_note(sent_claim, pat):
    with pytest.raises(ClaimNotAllowed):
        return_claims.record_refusal(sent_claim.pk, note="  ", by=pat, at=make.NOON)

    assert reload_claim(sent_claim).state == "sent"


def test_watcher_is_warned_daily_until_return_is_missed(zillow, contract, pat):
    deliver_nevada_lead(zillow)
    check_contracts()
    ends = Claim.objects.get().send_by

    def remind(moment):
        vendor_returns.remind_unsent_returns(at=moment)
        return list(StaffNotice.objects.order_by("at").values_list("user__name", "text"))

    assert remind(ends - 3 * make.DAY - make.MINUTE) == []
    first = remind(ends - 3 * make.DAY)
    assert first == [
        (
            "Pat Lowe",
            "1 return to Zillow not sent yet: $65.50. Send the first by Dec 7, 12:00 PM.",
        )
    ]
    assert len(remind(ends - 3 * make.DAY + make.HOUR)) == 1
    assert len(remind(ends - 2 * make.DAY)) == 2
    vendor_returns.remind_unsent_returns(at=ends)
    claim = Claim.objects.get()
    assert (claim.state, claim.closed_as, claim.due_at) == ("closed", "missed", None)
    assert claim.steps.latest("at").note == "Not sent in time. $65.50 lost."


def test_sent_return_causes_no_warning(sent_claim):
    vendor_returns.remind_unsent_returns(at=sent_claim.send_by + make.DAY)

    assert reload_claim(sent_claim).state == "sent"
    assert not StaffNotice.objects.filter(kind="returns").exists()


def deliver_two_people(zillow):
    """Deliver one person twice, with another number and a misspelled name."""
    first = journey.deliver(zillow, journey.zillow_contact(id="LC-A"))
    other = {"emailAddress": "b@other.example", "phoneNumber": "8135550177", "lastName": "Oritz"}
    second = journey.deliver(
        zillow, journey.zillow_contact(id="LC-B", sender=other), at=make.NOON + make.HOUR
    )
    assert first.person_id != second.person_id
    return first, second


def merge_people(first, second, by, at=make.NOON + make.DAY):
    return person_merges.merge_people(
        survivor_id=first.person_id, duplicate_id=second.person_id, reason="spoken", by=by, at=at
    )


def test_merge_drafts_duplicate_return_and_split_withdraws_it(zillow, contract, pat):
    first, second = deliver_two_people(zillow)
    check_contracts()
    assert not Claim.objects.exists()

    merge = merge_people(first, second, pat)
    claim = Claim.objects.get()
    assert (claim.reason, claim.touch.lead_id) == ("duplicate", second.pk)
    person_merges.split_people(
        merge_id=merge.pk, reason="slip", by=pat, at=make.NOON + 2 * make.DAY
    )

    assert (reload_claim(claim).state, reload_claim(claim).closed_as) == ("closed", "withdrawn")
    merge_people(first, second, pat, at=make.NOON + 3 * make.DAY)
    assert reload_claim(claim).state == "drafted"
    assert Claim.objects.count() == 1


def test_split_after_sending_is_reported_and_credit_stays_with_lead(zillow, contract, pat):
    first, second = deliver_two_people(zillow)
    merge = merge_people(first, second, pat)
    send_returns(zillow, pat)
    claim = Claim.objects.get()

    for _ in range(2):
        person_merges.split_people(
            merge_id=merge.pk, reason="slip", by=pat, at=make.NOON + 2 * make.DAY
        )

    assert reload_claim(claim).state == "sent"
    assert claim.steps.filter(kind="noted").count() == 1
    assert (
        StaffNotice.objects.filter(idempotency_key=f"claim:{claim.pk}:doubt", user=pat).count() == 1
    )
    record_credit(claim, 65_50, pat)
    assert Entry.objects.get(kind="credit").lead_id == second.pk
    assert not rebuild_rollups.find_differences()
