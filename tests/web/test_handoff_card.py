import pytest
from django.urls import reverse

from rooftree.leads.models import Lead, Loan, Task
from rooftree.los.models import Connection, Handoff
from rooftree.routing import lead_ownership
from tests import make


@pytest.fixture
def ben(cast):
    """Ben's lead, assigned to Dana; Encompass is connected and does not know Dana."""
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    Connection.objects.create(
        los="encompass", name="Encompass", slug="enc", base_url="http://localhost:1",
        instance="TEBE11", folder="", enabled_at=make.NOON,
    )  # fmt: skip
    return Lead.objects.get(pk=cast.ben.pk)


def handed(lead, **changes):
    return Handoff.objects.create(
        lead=lead, connection=Connection.objects.get(), requested_at=make.NOON, **changes
    )


def page_of(cast, lead, signed_in):
    return signed_in(cast.dana.user).get(reverse("lead", args=[lead.pk])).text


def test_missing_handoff_items_are_listed_and_become_one_task(cast, ben, signed_in, htmx):
    browser, address = signed_in(cast.dana.user), reverse("handoff", args=[ben.pk])

    answer = browser.post(address, headers=htmx)
    browser.post(address, headers=htmx)

    sentence = "Add the LOS folder for new loans in Setup."
    task = Task.objects.get(lead=ben)
    assert answer.status_code == 409
    assert sentence in answer.text
    assert (task.user, task.done_at) == (cast.dana.user, None)
    assert sentence in task.title
    assert "Not ready to hand off." in page_of(cast, ben, signed_in)
    assert not Handoff.objects.exists()


@pytest.mark.parametrize(
    ("state", "problem", "sentence"),
    [
        ("pending", "", "Waiting to send"),
        ("sending", "", "Sending"),
        ("uncertain", "Waiting for the LOS search.", "Unconfirmed"),
        ("rejected", "Field 1109 is no amount.", "Field 1109 is no amount."),
    ],
)
def test_handoff_card_shows_its_progress(cast, ben, signed_in, state, problem, sentence):
    handed(ben, state=state, problem=problem, due_at=make.NOON)

    page = page_of(cast, ben, signed_in)

    assert sentence in page
    assert ("Hand off to LOS</button>" in page) == (state == "rejected")


def test_created_loan_shows_its_number(cast, ben, signed_in):
    loan = Loan.objects.create(
        lead=ben, los="encompass", instance="TEBE11", los_loan_id="x", loan_number="2611000042",
        created_at=make.NOON,
    )  # fmt: skip
    handed(ben, state="created", loan=loan)

    assert "2611000042" in page_of(cast, ben, signed_in)


def test_card_links_each_missing_fact_to_its_field(cast, ben, signed_in):
    Connection.objects.update(los="lendingpad")
    Lead.objects.filter(pk=ben.pk).update(details={})

    page = page_of(cast, ben, signed_in)

    assert "Not ready to hand off." in page
    assert f'href="{reverse("scenario_field", args=[ben.pk, "purpose"])}"' in page


def test_missing_facts_are_asked_in_one_form_and_then_the_lead_is_handed_off(cast, ben, signed_in):
    Lead.objects.filter(pk=ben.pk).update(
        details={"borrower": {"first_name": "Ben"}}, amount_cents=None
    )
    browser, address = signed_in(cast.dana.user), reverse("handoff", args=[ben.pk])

    page = browser.get(address).text
    assert "Not ready" in page
    assert "Add the LOS folder for new loans in Setup." in page
    assert " disabled>" in page

    Connection.objects.update(folder="Leads", officer_users={cast.dana.nmls_id: "dana"})
    refused = browser.post(reverse("handoff_facts", args=[ben.pk]), {"stated_by": "nobody"})
    assert refused.status_code == 422
    assert "Nothing was saved." in refused.text

    facts = {"amount": "310,000", "stated_by": "borrower"}
    answer = browser.post(reverse("handoff_facts", args=[ben.pk]), facts, follow=True)

    assert answer.redirect_chain == [(address, 303)]
    assert ben.edits.filter(field="amount", by=cast.dana.user, stated_by="borrower").exists()
    assert " disabled>" not in answer.text
    assert "$310,000" in answer.text  # among the facts
    assert "310000" in answer.text  # in the request as the LOS gets it
    answer = browser.post(address, {"from_page": "yes"}, follow=True)
    assert answer.redirect_chain == [(reverse("lead", args=[ben.pk]), 303)]
    assert Handoff.objects.get(lead=ben).record["canonical"]["loan"]["amount_cents"] == 31_000_000
    assert "was handed off already" in browser.get(address).text


def test_handoff_page_without_an_los_says_who_can_connect_one(cast, ben, signed_in):
    Connection.objects.update(enabled_at=None)

    page = signed_in(cast.dana.user).get(reverse("handoff", args=[ben.pk])).text

    assert "No LOS is connected yet" in page
    assert "An administrator can add one in Setup." in page
