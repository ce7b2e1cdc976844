"""Return pages: contract entry, the return file, and recorded vendor answers."""

import pytest
from django.urls import reverse

from rooftree.flow import clock, vendor_returns
from rooftree.leads.models import Source
from rooftree.money.models import Claim, Contract, Entry
from rooftree.org.models import AccessEntry
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
TYPED = {
    "from_date": "2026-11-01", "window_days": "14", "warn_days": "3", "duplicate_days": "30",
    "reasons": ["out_of_area", "duplicate"], "word_out_of_area": "OOA", "told_funded": "FUNDED",
}  # fmt: skip


@pytest.fixture
def pat(db):
    journey.set_up_company()
    return make.user("operations", name="Pat Lowe")


@pytest.fixture
def clerk(pat, signed_in):
    with clock.freeze(make.NOON + make.DAY):
        yield signed_in(pat)


@pytest.fixture
def zillow(pat) -> Source:
    return journey.create_zillow()


def save_contract(clerk, zillow, pat, **changes):
    return clerk.post(
        reverse("contract", args=[zillow.pk]), {**TYPED, "watcher": str(pat.pk), **changes}
    )


@pytest.fixture
def claim(clerk, zillow, pat) -> Claim:
    save_contract(clerk, zillow, pat)
    nevada = {"stateAbbreviation": "NV"}
    journey.deliver(zillow, journey.zillow_contact(details=nevada))
    vendor_returns.check_due_contracts(at=make.NOON + make.DAY)
    return Claim.objects.get()


def act(clerk, claim, action, **typed):
    return clerk.post(f"/returns/{claim.pk}/{action}/", typed)


def now(claim) -> Claim:
    return Claim.objects.get(pk=claim.pk)


def test_contract_is_saved_as_typed_and_replaced_by_the_next_one(clerk, zillow, pat):
    answer = save_contract(clerk, zillow, pat)

    assert answer.status_code == 303
    contract = Contract.objects.get()
    assert contract.reasons == {"out_of_area": "OOA", "duplicate": ""}
    assert (contract.statuses, contract.watcher, contract.made_by) == (
        {"funded": "FUNDED"},
        pat,
        pat,
    )
    page_text = clerk.get(reverse("contract", args=[zillow.pk])).content.decode()
    assert "OOA" in page_text
    assert "14 days to return: Duplicate of an earlier lead; Out of area" in page_text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"watcher": ""}, "Enter who is warned"),
        ({"warn_days": "14"}, "Choose fewer days than the return window"),
        ({"duplicate_days": "0"}, "Enter within how many days"),
        ({"states": "Texas"}, "Unknown state: TEXAS"),
    ],
)
def test_invalid_contract_is_reported_at_its_field(clerk, zillow, pat, change, message):
    answer = save_contract(clerk, zillow, pat, **change)

    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert not Contract.objects.exists()


def test_returns_list_shows_amounts_and_reasons(clerk, claim):
    page_text = clerk.get(reverse("returns")).content.decode()

    assert "$65.50" in page_text
    assert "The property is in NV, where we have no license." in page_text


def test_return_file_needs_a_reason_and_downloads_again_unchanged(clerk, claim, zillow):
    page = reverse("return_send", args=[zillow.pk])

    refused = clerk.post(page, {"reason": ""})
    assert refused.status_code == 422
    assert now(claim).state == "drafted"
    first = clerk.post(page, {"reason": "Returns of this week"})
    second = clerk.post(
        reverse("return_file", args=[now(claim).file_id]), {"reason": "The first one was lost"}
    )

    assert first["Content-Type"] == "text/csv; charset=utf-8"
    assert first["Content-Disposition"] == 'attachment; filename="zillow-returns-1.csv"'
    assert second.content == first.content
    reasons = AccessEntry.objects.filter(kind="exported").order_by("at", "pk")
    assert {reason.reason for reason in reasons} == {
        "Returns of this week",
        "The first one was lost",
    }


def test_vendor_answer_is_recorded_and_the_credit_booked(clerk, claim, zillow):
    clerk.post(reverse("return_send", args=[zillow.pk]), {"reason": "Returns of this week"})

    too_much = act(clerk, claim, "credit", amount="70", before="0")
    assert too_much.status_code == 422
    assert "Only $65.50 is left" in too_much.content.decode()
    act(clerk, claim, "credit", amount="20.25", before="0")
    act(clerk, claim, "refusal", note="No more than that.")
    act(clerk, claim, "dispute", note="NV was never ordered.")
    act(clerk, claim, "credit", amount="45.25", before="2025")

    assert (now(claim).state, now(claim).closed_as) == ("closed", "credited")
    credits = Entry.objects.filter(kind="credit").order_by("amount_cents")
    assert [credit.amount_cents for credit in credits] == [20_25, 45_25]
    page_text = clerk.get(reverse("return", args=[claim.pk])).content.decode()
    assert "NV was never ordered." in page_text


@pytest.mark.parametrize("typed", ["", "all of it", "0", "-5", "60 or more"])
def test_invalid_amount_is_not_booked(clerk, claim, zillow, typed):
    clerk.post(reverse("return_send", args=[zillow.pk]), {"reason": "Returns of this week"})

    assert act(clerk, claim, "credit", amount=typed, before="0").status_code == 422
    assert not Entry.objects.filter(kind="credit").exists()


def test_marketing_handles_returns_and_cannot_export_people(claim, zillow, signed_in):
    marketer = signed_in(make.user("marketing"))

    assert act(marketer, claim, "note", note="Asked their desk.").status_code == 303
    assert marketer.get(reverse("return_send", args=[zillow.pk])).status_code == 403


def test_executive_reads_returns_and_cannot_change_them(claim, signed_in):
    executive = signed_in(make.user("executive"))

    assert executive.get(reverse("return", args=[claim.pk])).status_code == 200
    assert act(executive, claim, "note", note="Hello").status_code == 403


def test_source_without_a_contract_says_what_to_do(clerk, zillow):
    page_text = clerk.get(reverse("returns")).content.decode()

    assert "No contracts yet" in page_text
    assert reverse("contract", args=[zillow.pk]) in page_text


@pytest.fixture
def arrived(clerk, zillow, pat):
    save_contract(clerk, zillow, pat)
    return journey.deliver(zillow, journey.zillow_contact()).touches.get()


def test_lead_is_returned_by_hand_from_its_delivery(clerk, arrived):
    delivery = clerk.get(reverse("delivery", args=[arrived.delivery_id])).text
    page = reverse("return_by_hand", args=[arrived.pk])
    assert page in delivery
    page_text = clerk.get(page).text
    assert (
        "Out of area" in page_text and "Invalid phone number" not in page_text
    )  # the contract's own reasons

    answer = clerk.post(page, {"reason": "out_of_area", "sentence": "They moved to Nevada."})

    claim = Claim.objects.get()
    assert answer["Location"] == reverse("return", args=[claim.pk])
    assert "They moved to Nevada." in clerk.get(answer["Location"]).text
    after = clerk.get(reverse("delivery", args=[arrived.delivery_id])).text
    assert answer["Location"] in after and page not in after


def test_manual_return_without_a_reason_is_rejected_and_keeps_the_typed_values(clerk, arrived):
    page = reverse("return_by_hand", args=[arrived.pk])

    answer = clerk.post(page, {"reason": "duplicate", "sentence": ""})

    assert answer.status_code == 422
    assert '<option value="duplicate" selected>' in answer.text
    assert not Claim.objects.exists()


def test_lead_that_cannot_be_returned_says_why(clerk, zillow):
    touch = journey.deliver(zillow, journey.zillow_contact()).touches.get()

    page_text = clerk.get(reverse("return_by_hand", args=[touch.pk])).text

    assert "No contract with Zillow allows returns of leads from that day." in page_text


def test_read_only_user_is_offered_no_return(signed_in, clerk, arrived):
    boss = signed_in(make.user("executive"))

    page_text = boss.get(reverse("delivery", args=[arrived.delivery_id])).text
    assert "Give it back" not in page_text
    assert boss.get(reverse("return_by_hand", args=[arrived.pk])).status_code == 403
