"""Only the licensed officer writes about loan terms; assistants about the rest (LIC-02)."""

import pytest

from rooftree.outreach.models import Message
from rooftree.outreach.wording.typed_messages import CannotSend, send_typed_message
from tests import make
from tests.flow import journey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("carriers")]
TERMS = [
    "I can get you 5.9% on that",
    "A 30-year fixed may fit",
    "That would be $1,950 a month",
    "We have locked a rate for you",
]


@pytest.fixture
def lead(dana):
    arrived = journey.deliver(journey.create_website(), journey.form_post())
    if arrived.officer_id is None:
        make.ownership(arrived, dana)
    return type(arrived).objects.get(pk=arrived.pk)


def typed_message(lead, by, body: str) -> Message:
    """Return the message after a user typed it in Dana's name."""
    try:
        return send_typed_message(
            lead_id=lead.pk, medium="text", body=body, by=by, at=journey.later(1)
        )
    except CannotSend:
        return Message.objects.latest("created_at")


def ruled(message: Message) -> list[tuple[str, str]]:
    return [(result["decision"], result["reason"]) for result in message.verdict.results]


@pytest.mark.parametrize("body", TERMS)
def test_assistants_message_about_loan_terms_is_blocked_with_reason(lead, dana, carriers, body):
    before = len(carriers.texts)

    stopped = typed_message(lead, make.assistant(dana), body)

    assert ("block", "mlo_activity_needs_licence") in ruled(stopped)
    assert stopped.state == "blocked"
    assert len(carriers.texts) == before


@pytest.mark.parametrize("body", TERMS)
def test_officers_message_about_terms_needs_proof_not_license(lead, dana, body):
    assert ("block", "mlo_activity_needs_licence") not in ruled(
        typed_message(lead, dana.user, body)
    )


def test_assistant_can_schedule_and_collect_documents(lead, dana, carriers):
    sent = typed_message(
        lead, make.assistant(dana), "Could you send your last two pay stubs by Friday?"
    )

    assert ("allow", "clerical_activity") in ruled(sent)
    assert sent.state == "sent"


def test_message_that_discourages_a_group_needs_review_from_anyone(lead, dana):
    waits = typed_message(
        lead, dana.user, "Homes in a safe neighborhood, perfect for young couples"
    )

    assert ("require", "fair_lending_review") in ruled(waits)
    assert waits.state == "review"
