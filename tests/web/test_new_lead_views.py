from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from rooftree.compliance.models import Consent
from rooftree.core.uuid7 import uuid7
from rooftree.leads.models import Delivery, Lead, Remark
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey


def entry(**changes):
    return {
        "first_name": "Elena",
        "last_name": "Castillo",
        "phone": "(813) 555-0163",
        "email": "",
        "property_state": "FL",
        "loan_purpose": "purchase",
        "value": "365,000",
        "reached_by": "walk_in",
        "reference": str(uuid7()),
        **changes,
    }


def add(browser, **changes):
    return browser.post(reverse("new_lead"), entry(**changes))


@pytest.fixture
def dana(cast, signed_in):
    return signed_in(cast.dana.user)


def test_officer_types_a_lead_in_and_has_it_at_once(cast, dana):
    answer = add(dana, officer=str(cast.dana.pk), note="Met at the open house")

    lead = Lead.objects.get(person__first_name="Elena")
    assert urlsplit(answer["Location"]).path == reverse("lead", args=[lead.pk])
    assert (lead.officer, lead.value_cents, lead.source.name) == (
        cast.dana,
        365_000_00,
        "Typed in by staff",
    )
    assert Remark.objects.get(lead=lead).text == "Met at the open house"
    assert "Elena Castillo" in dana.get(answer["Location"]).text


def test_no_automatic_message_goes_out(cast, dana):
    add(dana, officer=str(cast.dana.pk), email="elena@home.example")
    journey.run()

    assert not Message.objects.filter(direction="out").exists()


def test_form_sent_twice_is_one_lead(cast, dana):
    reference = str(uuid7())
    first = add(dana, officer=str(cast.dana.pk), reference=reference)
    second = add(dana, officer=str(cast.dana.pk), reference=reference)

    assert first["Location"] == second["Location"]
    assert Lead.objects.filter(person__first_name="Elena").count() == 1


def test_known_borrower_keeps_the_open_lead(cast, dana):
    add(dana, officer=str(cast.dana.pk))
    add(dana, officer=str(cast.dana.pk), email="elena@home.example")

    lead = Lead.objects.get(person__first_name="Elena")
    assert lead.touches.count() == 2
    assert lead.person.emails.get().address == "elena@home.example"


def test_officer_without_a_license_leaves_it_to_routing(cast, dana):
    answer = add(dana, officer=str(cast.dana.pk), property_state="TX")

    lead = Lead.objects.get(person__first_name="Elena")
    assert lead.officer is None
    assert answer["Location"] == reverse("land")
    journey.run()
    assert Lead.objects.get(pk=lead.pk).offers.get().officer == cast.sam


def test_spoken_yes_allows_a_call_and_no_text(cast, dana):
    add(dana, officer=str(cast.dana.pk), agreed_to_call="on")

    consent = Consent.objects.get(person__first_name="Elena")
    assert (consent.status, consent.channels) == ("granted", ["call"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phone": "", "email": ""}, "Enter a phone number or an email."),
        ({"phone": "12"}, "neither can be reached"),
        ({"first_name": ""}, "Enter first name."),
        ({"value": "a lot"}, "Enter an amount in dollars"),
        ({"reference": "x"}, "Reload the page"),
    ],
)
def test_unusable_entry_is_refused_and_stores_no_lead(cast, dana, changes, words):
    leads = Lead.objects.count()

    answer = add(dana, **changes)

    assert answer.status_code == 422
    assert words in answer.text
    assert Lead.objects.count() == leads
    assert not Delivery.objects.filter(source__adapter="staff_entry", state="quarantined").exists()


def test_post_from_outside_is_refused(cast, dana, client):
    add(dana)
    source = Lead.objects.get(person__first_name="Elena").source

    answer = client.post(
        f"/in/staff_entry/{source.token}", entry(), content_type="application/json"
    )

    assert answer.status_code == 403


@pytest.mark.parametrize("role", ["compliance", "marketing", "executive"])
def test_roles_without_leads_of_their_own_cannot_add_one(cast, signed_in, role):
    user = make.user(role, email=f"{role}@lindenfield.example")

    assert signed_in(user).get(reverse("new_lead")).status_code == 403


def test_assistant_adds_a_lead_for_their_officer(cast, signed_in):
    nina = make.user("assistant", email="nina@lindenfield.example", name="Nina Petrov")
    cast.dana.assistants.create(assistant=nina)
    browser = signed_in(nina)

    assert "Dana Whitfield" in browser.get(reverse("new_lead")).text
    add(browser, officer=str(cast.dana.pk))

    assert Lead.objects.get(person__first_name="Elena").officer == cast.dana


def test_note_that_is_too_long_is_refused_and_stores_no_lead(cast, dana):
    answer = add(dana, note="x" * 4_001)

    assert answer.status_code == 422
    assert "The limit is 4,000." in answer.text
    assert not Lead.objects.filter(person__first_name="Elena").exists()
