"""Leads that their vendors take back: found from what happened, sent in time, booked once."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from rooftree.flow import attempts, merging, returns
from rooftree.leads.models import Phone, Source
from rooftree.ledger.models import Event
from rooftree.money import claims, contracts
from rooftree.money.claims import CannotClaim
from rooftree.money.contracts import BadContract, Terms
from rooftree.money.models import Claim, Contract, Entry, ReturnFile
from rooftree.org.caller import NOWHERE
from rooftree.org.models import AccessEntry, StaffNotice
from rooftree.outreach import callbacks
from rooftree.reporting import recount
from rooftree.reporting.second_person import Asked, CannotExport
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
ALL = dict.fromkeys(
    ["invalid_phone", "wrong_number", "duplicate", "out_of_area", "invalid_email", "bought_before"],
    "",
)
NEVADA = {"stateAbbreviation": "NV"}


@pytest.fixture
def pat(db):
    journey.ready()
    return make.user("operations", name="Pat Lowe")


@pytest.fixture
def zillow(pat):
    return journey.zillow()


def agree(source, by, *, from_date=make.LICENSED_FROM, at=make.NOON, **changes) -> Contract:
    terms = {
        "window_days": 14, "warn_days": 3, "reasons": ALL, "duplicate_days": 30,
        "watcher_id": by.pk,
    }  # fmt: skip
    return contracts.record(
        source_id=source.pk, from_date=from_date, terms=Terms(**{**terms, **changes}), by=by, at=at
    )


@pytest.fixture
def contract(zillow, pat):
    return agree(zillow, pat)


def asked_by(user, reason="Returns of this week") -> Asked:
    return Asked(user_id=user.pk, subject="returns", reason=reason, caller=NOWHERE)


def send(source, by, at=None, **more):
    return returns.send(
        Claim.objects.all(), asked_by(by, **more), source_id=source.pk, by=by,
        at=at or make.NOON + make.DAY,
    )  # fmt: skip


def look(days: float = 1) -> None:
    returns.go_through(at=make.NOON + timedelta(days=days))


def spend() -> int:
    kinds = dict(Entry.objects.values_list("kind").annotate(Sum("amount_cents")))
    return kinds.get("cost", 0) - kinds.get("credit", 0)


def from_nevada(zillow, **changes):
    return journey.deliver(zillow, journey.zillow_contact(details=NEVADA, **changes))


def test_what_is_out_of_area_is_drafted_once_with_its_sentence_and_price(zillow, contract):
    lead = from_nevada(zillow)

    for _ in range(3):
        look()
        Contract.objects.update(look_at=make.NOON)

    claim = Claim.objects.get()
    assert (claim.reason, claim.state, claim.asked_cents) == ("out_of_area", "drafted", 65_50)
    assert claim.sentence == "The property is in NV, where we hold no license."
    assert claim.touch.lead_id == lead.pk
    assert claim.send_by == claim.touch.at + 14 * make.DAY
    assert Event.objects.filter(kind="money.claim.drafted", lead_id=lead.pk).count() == 1


def test_a_good_lead_a_test_lead_and_a_free_lead_are_not_claimed(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    from_nevada(journey.zillow(name="Trial", slug="trial", is_test=True, token="t2"))
    from_nevada(zillow, price=0)

    look()

    assert not Claim.objects.exists()


def test_nothing_is_returned_of_a_source_in_audit_until_it_is_launched(zillow, contract):
    Source.objects.update(launched_at=None)
    lead = from_nevada(zillow)

    look()
    returns.look_at([lead.pk], at=make.NOON + make.DAY)
    assert not Claim.objects.exists()

    Source.objects.update(launched_at=make.NOON + make.DAY)
    look(days=2)
    assert Claim.objects.get().reason == "out_of_area"


def test_a_number_the_carrier_knows_to_be_nobodys_is_claimed(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    callbacks.record_dead("+18135550142", at=make.NOON + make.HOUR)

    look()

    claim = Claim.objects.get()
    assert claim.reason == "invalid_phone"
    assert claim.evidence == [["Carrier on (813) 555-0142", "Nov 23, 2026, 13:00 EST"]]


def test_mail_that_came_back_is_claimed(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    callbacks.record_bounce(
        message_id="", address="Ben.Ortiz@home.example", at=make.NOON + make.HOUR
    )

    look()

    assert Claim.objects.get().reason == "invalid_email"


def test_one_tap_of_the_officer_makes_the_claim_at_once(zillow, contract):
    dana = make.officer("Dana Whitfield")
    lead = journey.deliver(zillow, journey.zillow_contact())

    attempts.record(lead_id=lead.pk, result="wrong_number", by=dana.user, at=make.NOON + make.HOUR)

    claim = Claim.objects.get()
    assert claim.reason == "wrong_number"
    assert "reached another person at (813) 555-0142" in claim.sentence
    assert ["Wrong number, says Dana Whitfield", "Nov 23, 2026, 13:00 EST"] in claim.evidence


def test_the_second_of_two_paid_deliveries_of_one_person_is_the_duplicate(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact(id="LC-A"))
    journey.deliver(zillow, journey.zillow_contact(id="LC-B"), at=make.NOON + make.HOUR)

    look()

    claim = Claim.objects.get()
    assert (claim.reason, claim.touch.vendor_lead_id) == ("duplicate", "LC-B")
    assert "as lead LC-A" in claim.sentence


def test_a_duplicate_of_one_that_is_asked_back_itself_is_none(zillow, contract):
    from_nevada(zillow, id="LC-A")
    look()
    journey.deliver(zillow, journey.zillow_contact(id="LC-B"), at=make.NOON + make.HOUR)

    look(1)

    assert [one.touch.vendor_lead_id for one in Claim.objects.all()] == ["LC-A"]


def test_a_refinance_after_a_purchase_is_no_duplicate(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    refinance = {"loanPurpose": "Refinance"}
    journey.deliver(zillow, journey.zillow_contact(details=refinance), at=make.NOON + make.HOUR)

    look()

    assert not Claim.objects.exists()


def test_only_reasons_the_contract_accepts_are_claimed(zillow, pat):
    agree(zillow, pat, reasons={"wrong_number": ""})
    from_nevada(zillow)

    look()

    assert not Claim.objects.exists()


def test_a_lead_goes_by_the_contract_of_its_day(zillow, pat):
    agree(zillow, pat)
    agree(zillow, pat, from_date=make.NOON.date() + timedelta(days=1), reasons={"wrong_number": ""})
    from_nevada(zillow, id="LC-A")
    other = {"emailAddress": "ida@home.example", "phoneNumber": "8135550177", "firstName": "Ida"}
    journey.deliver(
        zillow, journey.zillow_contact(id="LC-B", details=NEVADA, sender=other),
        at=make.NOON + 2 * make.DAY,
    )  # fmt: skip

    look(3)

    assert [one.touch.vendor_lead_id for one in Claim.objects.all()] == ["LC-A"]


def test_a_slip_in_a_contract_is_mended_and_the_drafts_follow(zillow, contract, pat):
    from_nevada(zillow)
    look()

    agree(zillow, pat, reasons={"wrong_number": ""}, at=make.NOON + make.DAY)
    look()
    assert Claim.objects.get().closed_as == "withdrawn"
    agree(zillow, pat, window_days=30, at=make.NOON + make.DAY)
    look()

    claim = Claim.objects.get()
    assert claim.state == "drafted"
    assert claim.send_by == claim.touch.at + 30 * make.DAY


@pytest.mark.parametrize(("days", "is_claimed"), [(13.99, True), (14, False)])
def test_what_is_found_when_the_time_is_over_is_not_claimed(zillow, contract, days, is_claimed):
    journey.deliver(zillow, journey.zillow_contact())
    callbacks.record_dead("+18135550142", at=make.NOON + 13 * make.DAY)

    look(days)

    assert Claim.objects.exists() is is_claimed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"window_days": 0}, "window_days"),
        ({"warn_days": 14}, "warn_days"),
        ({"duplicate_days": 0}, "duplicate_days"),
        ({"reasons": {"ugly": ""}}, "reasons"),
        ({"statuses": {"denied": ""}}, "statuses"),
    ],
)
def test_a_contract_that_makes_no_sense_is_refused(zillow, pat, change, field):
    with pytest.raises(BadContract) as problem:
        agree(zillow, pat, **change)

    assert problem.value.field == field
    assert not Contract.objects.exists()


def test_the_database_itself_refuses_a_second_claim_for_one_paid_delivery(zillow, contract):
    from_nevada(zillow)
    look()
    claim = Claim.objects.get()

    claim.pk = make.uuid7()
    claim._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        claim.save(force_insert=True)


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

    with pytest.raises(CannotClaim):
        send(zillow, pat)

    assert ReturnFile.objects.count() == 1


@pytest.fixture
def sent(zillow, contract, pat) -> Claim:
    from_nevada(zillow)
    look()
    send(zillow, pat)
    return Claim.objects.get()


def credited(claim, cents, by, before=0):
    returns.credited(claim.pk, cents=cents, before_cents=before, by=by, at=make.NOON + 2 * make.DAY)


def now(claim) -> Claim:
    return Claim.objects.get(pk=claim.pk)


def test_a_credit_is_booked_to_the_cent_and_every_sum_follows(sent, pat):
    assert spend() == 65_50

    credited(sent, 65_50, pat)

    assert (now(sent).state, now(sent).closed_as) == ("closed", "credited")
    assert spend() == 0
    entry = Entry.objects.get(kind="credit")
    assert (entry.lead, entry.source, entry.booked_by) == (sent.touch.lead, sent.source, pat)
    assert not recount.differences()


def test_a_credit_said_twice_is_booked_once(sent, pat):
    credited(sent, 20_00, pat)
    credited(sent, 20_00, pat)

    assert now(sent).credited_cents == 20_00
    assert spend() == 45_50


def test_two_people_who_book_different_credits_at_once_are_told(sent, pat):
    credited(sent, 20_00, pat)

    with pytest.raises(CannotClaim, match="meanwhile"):
        credited(sent, 30_00, pat)

    assert spend() == 45_50


def test_more_than_was_paid_cannot_be_credited(sent, pat):
    credited(sent, 60_00, pat)

    with pytest.raises(CannotClaim, match=r"Only \$5.50"):
        credited(sent, 5_51, pat, before=60_00)

    credited(sent, 5_50, pat, before=60_00)
    assert now(sent).closed_as == "credited"


def test_a_refused_claim_is_disputed_once(sent, pat):
    day = iter(make.NOON + nth * make.DAY for nth in range(3, 9))
    claims.refuse(sent.pk, note="They say it was valid.", by=pat, at=next(day))
    claims.dispute(sent.pk, note="Their own lead says NV.", by=pat, at=next(day))
    claims.refuse(sent.pk, note="No again.", by=pat, at=next(day))

    with pytest.raises(CannotClaim, match="disputed before"):
        claims.dispute(sent.pk, note="Once more.", by=pat, at=next(day))

    claims.close(sent.pk, note="", by=pat, at=next(day))
    assert (now(sent).state, now(sent).closed_as) == ("closed", "refused")
    kinds = [one.kind for one in sent.steps.order_by("at", "pk")]
    assert kinds == ["drafted", "sent", "refused", "disputed", "refused", "closed"]


def test_a_refusal_needs_its_words(sent, pat):
    with pytest.raises(CannotClaim):
        claims.refuse(sent.pk, note="  ", by=pat, at=make.NOON)

    assert now(sent).state == "sent"


def test_what_a_person_dropped_is_not_drafted_again(zillow, contract, pat):
    from_nevada(zillow)
    look()
    claims.close(Claim.objects.get().pk, note="A friend of the house", by=pat, at=make.NOON)

    Contract.objects.update(look_at=make.NOON)
    look()

    assert Claim.objects.get().closed_as == "dropped"


def test_the_named_person_is_warned_daily_before_the_time_ends_and_then_it_is_missed(
    zillow, contract, pat
):
    from_nevada(zillow)
    look()
    ends = Claim.objects.get().send_by

    def remind(moment):
        returns.remind(at=moment)
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
    returns.remind(at=ends)
    claim = Claim.objects.get()
    assert (claim.state, claim.closed_as, claim.due_at) == ("closed", "missed", None)
    assert claim.steps.latest("at").note == "Not sent in time; $65.50 is lost."


def test_what_was_sent_warns_nobody(sent):
    returns.remind(at=sent.send_by + make.DAY)

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
    return merging.merge(
        kept_id=first.person_id, gone_id=second.person_id, reason="spoken", by=by, at=at
    )


def test_a_merge_makes_a_duplicate_and_a_split_takes_the_draft_back(zillow, contract, pat):
    first, second = two_people(zillow)
    look()
    assert not Claim.objects.exists()

    made = merged(first, second, pat)
    claim = Claim.objects.get()
    assert (claim.reason, claim.touch.lead_id) == ("duplicate", second.pk)
    merging.split(merge_id=made.pk, reason="slip", by=pat, at=make.NOON + 2 * make.DAY)

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
        merging.split(merge_id=made.pk, reason="slip", by=pat, at=make.NOON + 2 * make.DAY)

    assert now(claim).state == "sent"
    assert claim.steps.filter(kind="noted").count() == 1
    assert StaffNotice.objects.filter(cause=f"claim:{claim.pk}:doubt", user=pat).count() == 1
    credited(claim, 65_50, pat)
    assert Entry.objects.get(kind="credit").lead_id == second.pk
    assert not recount.differences()


def test_a_number_the_carrier_gave_up_and_then_reached_is_no_ground(zillow, contract):
    journey.deliver(zillow, journey.zillow_contact())
    callbacks.record_dead("+18135550142", at=make.NOON + make.HOUR)
    look()
    Phone.objects.update(dead_at=None)
    Contract.objects.update(look_at=make.NOON)

    look()

    assert Claim.objects.get().closed_as == "withdrawn"
