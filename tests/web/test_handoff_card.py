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
