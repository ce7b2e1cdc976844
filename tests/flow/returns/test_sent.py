"""Claims that went to the vendor: their file, what came of them, and who is warned in time."""

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
from tests.flow.returns.claiming import agree, from_nevada, look, send

pytestmark = pytest.mark.django_db


def spend() -> int:
    kinds = dict(Entry.objects.values_list("kind").annotate(Sum("amount_cents")))
    return kinds.get("cost", 0) - kinds.get("credit", 0)


def test_the_file_says_what_the_vendor_delivered_and_who_took_it_out(zillow, pat):
    agree(zillow, pat, reasons={"out_of_area": "OOA"})
    from_nevada(zillow, id="LC-A")
    look()

    made, text = send(zillow, pat)

    (line,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    claim = Claim.objects.get()
    assert line | {"type": ""} == {
        "Lead id": "LC-A", "Delivered": "2026-11-23 12:00", "Phone": "813-555-0142",
        "E-mail": "ben.ortiz@home.example", "Reason": "OOA",
        "Why": "The property is in NV, where we hold no license.", "Price, dollars": "65.50",
        "Our reference": str(claim.pk), "type": "",
    }  # fmt: skip
    noted = AccessEntry.objects.get(kind="exported")
    assert (noted.user, noted.number, noted.reason) == (pat, 1, "Returns of this week")
    assert (claim.state, claim.file, claim.due_at) == ("sent", made, None)


def test_a_file_without_a_reason_is_not_made_and_nothing_counts_as_sent(zillow, contract, pat):
    from_nevada(zillow)
    look()

    with pytest.raises(CannotExport):
        send(zillow, pat, reason="")

    assert Claim.objects.get().state == "drafted"
    assert not ReturnFile.objects.exists()


def test_sending_twice_sends_once(zillow, contract, pat):
    from_nevada(zillow)
    look()
    send(zillow, pat)

    with pytest.raises(ClaimNotAllowed):
        send(zillow, pat)

    assert ReturnFile.objects.count() == 1


@pytest.fixture
def sent(zillow, contract, pat) -> Claim:
    from_nevada(zillow)
    look()
    send(zillow, pat)
    return Claim.objects.get()


def credited(claim, cents, by, before=0):
    vendor_returns.record_credit(
        claim.pk, cents=cents, before_cents=before, by=by, at=make.NOON + 2 * make.DAY
    )


def now(claim) -> Claim:
    return Claim.objects.get(pk=claim.pk)


def test_a_credit_is_booked_to_the_cent_and_every_sum_follows(sent, pat):
    assert spend() == 65_50

    credited(sent, 65_50, pat)

    assert (now(sent).state, now(sent).closed_as) == ("closed", "credited")
    assert spend() == 0
    entry = Entry.objects.get(kind="credit")
    assert (entry.lead, entry.source, entry.booked_by) == (sent.touch.lead, sent.source, pat)
    assert not rebuild_rollups.find_differences()


def test_a_credit_said_twice_is_booked_once(sent, pat):
    credited(sent, 20_00, pat)
    credited(sent, 20_00, pat)

    assert now(sent).credited_cents == 20_00
    assert spend() == 45_50


def test_two_people_who_book_different_credits_at_once_are_told(sent, pat):
    credited(sent, 20_00, pat)

    with pytest.raises(ClaimNotAllowed, match="meanwhile"):
        credited(sent, 30_00, pat)

    assert spend() == 45_50


def test_more_than_was_paid_cannot_be_credited(sent, pat):
    credited(sent, 60_00, pat)

    with pytest.raises(ClaimNotAllowed, match=r"Only \$5.50"):
        credited(sent, 5_51, pat, before=60_00)

    credited(sent, 5_50, pat, before=60_00)
    assert now(sent).closed_as == "credited"


def test_a_refused_claim_is_disputed_once(sent, pat):
    day = iter(make.NOON + nth * make.DAY for nth in range(3, 9))
    return_claims.record_refusal(sent.pk, note="They say it was valid.", by=pat, at=next(day))
    return_claims.dispute_claim(sent.pk, note="Their own lead says NV.", by=pat, at=next(day))
    return_claims.record_refusal(sent.pk, note="No again.", by=pat, at=next(day))

    with pytest.raises(ClaimNotAllowed, match="disputed before"):
        return_claims.dispute_claim(sent.pk, note="Once more.", by=pat, at=next(day))

    return_claims.close_claim(sent.pk, note="", by=pat, at=next(day))
    assert (now(sent).state, now(sent).closed_as) == ("closed", "refused")
    kinds = [step.kind for step in sent.steps.order_by("at", "pk")]
    assert kinds == ["drafted", "sent", "refused", "disputed", "refused", "closed"]


def test_a_refusal_needs_its_words(sent, pat):
    with pytest.raises(ClaimNotAllowed):
        return_claims.record_refusal(sent.pk, note="  ", by=pat, at=make.NOON)

    assert now(sent).state == "sent"


def test_the_named_person_is_warned_daily_before_the_time_ends_and_then_it_is_missed(
    zillow, contract, pat
):
    from_nevada(zillow)
    look()
    ends = Claim.objects.get().send_by

    def remind(moment):
        vendor_returns.remind_unsent_returns(at=moment)
        return list(StaffNotice.objects.order_by("at").values_list("user__name", "text"))

    assert remind(ends - 3 * make.DAY - make.MINUTE) == []
    first = remind(ends - 3 * make.DAY)
    assert first == [
        (
            "Pat Lowe",
            "1 return is not sent to Zillow yet: $65.50. The first must be there by Dec 7, 12:00.",
        )
    ]
    assert len(remind(ends - 3 * make.DAY + make.HOUR)) == 1
    assert len(remind(ends - 2 * make.DAY)) == 2
    vendor_returns.remind_unsent_returns(at=ends)
    claim = Claim.objects.get()
    assert (claim.state, claim.closed_as, claim.due_at) == ("closed", "missed", None)
    assert claim.steps.latest("at").note == "Not sent in time; $65.50 is lost."


def test_what_was_sent_warns_nobody(sent):
    vendor_returns.remind_unsent_returns(at=sent.send_by + make.DAY)

    assert now(sent).state == "sent"
    assert not StaffNotice.objects.filter(kind="returns").exists()


def two_people(zillow):
    """One human on file twice: another number, no name that tells."""
    first = journey.deliver(zillow, journey.zillow_contact(id="LC-A"))
    other = {"emailAddress": "b@other.example", "phoneNumber": "8135550177", "lastName": "Oritz"}
    second = journey.deliver(
        zillow, journey.zillow_contact(id="LC-B", sender=other), at=make.NOON + make.HOUR
    )
    assert first.person_id != second.person_id
    return first, second


def merged(first, second, by, at=make.NOON + make.DAY):
    return person_merges.merge_people(
        survivor_id=first.person_id, duplicate_id=second.person_id, reason="spoken", by=by, at=at
    )


def test_a_merge_makes_a_duplicate_and_a_split_takes_the_draft_back(zillow, contract, pat):
    first, second = two_people(zillow)
    look()
    assert not Claim.objects.exists()

    made = merged(first, second, pat)
    claim = Claim.objects.get()
    assert (claim.reason, claim.touch.lead_id) == ("duplicate", second.pk)
    person_merges.split_people(merge_id=made.pk, reason="slip", by=pat, at=make.NOON + 2 * make.DAY)

    assert (now(claim).state, now(claim).closed_as) == ("closed", "withdrawn")
    merged(first, second, pat, at=make.NOON + 3 * make.DAY)
    assert now(claim).state == "drafted"
    assert Claim.objects.count() == 1


def test_a_split_after_sending_is_told_and_the_credit_stays_with_its_lead(zillow, contract, pat):
    first, second = two_people(zillow)
    made = merged(first, second, pat)
    send(zillow, pat)
    claim = Claim.objects.get()

    for _ in range(2):
        person_merges.split_people(
            merge_id=made.pk, reason="slip", by=pat, at=make.NOON + 2 * make.DAY
        )

    assert now(claim).state == "sent"
    assert claim.steps.filter(kind="noted").count() == 1
    assert StaffNotice.objects.filter(cause=f"claim:{claim.pk}:doubt", user=pat).count() == 1
    credited(claim, 65_50, pat)
    assert Entry.objects.get(kind="credit").lead_id == second.pk
    assert not rebuild_rollups.find_differences()
