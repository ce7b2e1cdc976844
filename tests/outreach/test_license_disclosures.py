"""License disclosures by the property's state, in sent and held messages."""

import pytest

from rooftree.flow import company_changes
from rooftree.org.models import Company, CompanyLicense
from rooftree.outreach.messages import automatic_messages, contact_permissions, send
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("carriers")]
CFL = "California Financing Law license 60DBO-1"


@pytest.fixture
def lead(dana):
    """Return Dana's lead for a California property, where we have a Financing Law license."""
    licensed = CompanyLicense.objects.filter(state="CA")
    licensed.update(number="60DBO-1", license="cfl")
    arrived = journey.deliver(journey.create_website(), journey.form_post())
    if arrived.officer_id is None:
        make.ownership(arrived, dana)
    type(arrived).objects.filter(pk=arrived.pk).update(property_state="CA")
    return type(arrived).objects.select_related("person", "officer__user").get(pk=arrived.pk)


def queue_message(lead, medium: str, at=make.NOON) -> Message:
    (message,) = automatic_messages.queue_template(
        lead=lead, key="not_reached_1", cause=f"step:{medium}", media=[medium], at=at
    )
    return message


def deliver(message: Message, at=make.NOON) -> Message:
    send.deliver_messages([message.pk], at=at)
    message.refresh_from_db()
    return message


def test_text_ends_with_disclosure_and_is_stored_as_sent(lead, carriers):
    sent = deliver(queue_message(lead, "text"), at=journey.later(60))

    assert sent.state == "sent", sent.problem
    assert sent.ending == f"\n{CFL}"
    assert carriers.texts[-1].body == sent.body + sent.ending
    assert sent.verdict.facts["text"] == carriers.texts[-1].body
    assert "Cal. Fin. Code 22162(a)" in " ".join(result["cite"] for result in sent.verdict.results)


def test_email_footer_has_disclosure_above_unsubscribe(lead, carriers):
    sent = deliver(queue_message(lead, "email"), at=journey.later(60))

    assert sent.state == "sent", sent.problem
    disclosure = (
        "Loans made or arranged pursuant to a California Financing Law license, number 60DBO-1"
    )
    letter = carriers.letters[-1]["text"]
    assert disclosure in " ".join(letter.split())
    assert (
        letter.index("Tampa, FL 33602")
        < letter.index("California Financing")
        < letter.index("To stop")
    )


def test_text_is_unchanged_where_state_requires_no_disclosure(lead, carriers):
    type(lead).objects.filter(pk=lead.pk).update(property_state="FL")
    lead.refresh_from_db()

    sent = deliver(queue_message(lead, "text"), at=journey.later(60))

    assert (sent.state, sent.ending) == ("sent", "")
    assert carriers.texts[-1].body == sent.body


def test_message_held_overnight_uses_current_license(lead, carriers):
    held_text = deliver(queue_message(lead, "text", at=make.NIGHT), at=make.NIGHT)
    assert held_text.state == "held", held_text.problem
    licensed = CompanyLicense.objects.get(state="CA")
    company_changes.edit_license(
        license_id=licensed.pk, number="60DBO-2", license="cfl",
        dates=(licensed.from_date, None), by=make.user("administrator"), at=make.NIGHT,
    )  # fmt: skip

    sent = deliver(held_text, at=held_text.due_at)

    assert sent.state == "sent", sent.problem
    assert carriers.texts[-1].body.endswith("\nCalifornia Financing Law license 60DBO-2")
    assert "60DBO-1" not in carriers.texts[-1].body


def test_message_waits_until_missing_license_is_entered(lead, carriers):
    licensed = CompanyLicense.objects.get(state="CA")
    CompanyLicense.objects.filter(pk=licensed.pk).update(license="")
    before = len(carriers.texts)

    stopped = deliver(queue_message(lead, "text"), at=journey.later(60))

    assert (stopped.state, len(carriers.texts)) == ("review", before)
    assert stopped.problem == (
        "License wording for California needs details that aren’t on file: the kind of license. "
        "Add it under Setup, Licenses."
    )
    duty = lead.tasks.get(kind="require:license_words_not_on_file")
    assert duty.title == "Enter our license as the state requires it"
    assert not contact_permissions.permissions_of_lead(lead.pk, at=journey.later(60))[
        "text"
    ].is_allowed

    company_changes.edit_license(
        license_id=licensed.pk, number="60DBO-1", license="cfl",
        dates=(licensed.from_date, None), by=make.user("administrator"), at=journey.later(70),
    )  # fmt: skip

    stopped.refresh_from_db()
    assert stopped.state == "waiting"
    duty.refresh_from_db()
    assert duty.canceled_at == journey.later(70)
    assert contact_permissions.permissions_of_lead(lead.pk, at=journey.later(70))["text"].is_allowed
    assert deliver(stopped, at=journey.later(71)).state == "sent"
    assert carriers.texts[-1].body.endswith(CFL)


def test_texas_disclosure_uses_company_website(lead, carriers):
    type(lead).objects.filter(pk=lead.pk).update(property_state="TX")
    make.license_of(lead.officer, "TX")
    Company.objects.update(website="")
    lead.refresh_from_db()
    stopped = deliver(queue_message(lead, "email"), at=journey.later(60))
    assert stopped.problem.endswith("Add it under Setup, Company.")

    company_changes.update_company(
        {"website": "https://lindenfield.example/"},
        by=make.user("administrator"),
        at=journey.later(70),
    )

    assert deliver(stopped, at=journey.later(71)).state == "sent"
    assert "lindenfield.example" in carriers.letters[-1]["text"].splitlines()
