"""Terms of a loan are for the licensed officer to write; helpers write of the rest (LIC-02)."""

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
    arrived = journey.deliver(journey.website(), journey.form_post())
    if arrived.officer_id is None:
        make.ownership(arrived, dana)
    return type(arrived).objects.get(pk=arrived.pk)


def said(lead, by, body: str) -> Message:
    """The message as it stands after somebody typed it in Dana's name."""
    try:
        return send_typed_message(
            lead_id=lead.pk, medium="text", body=body, by=by, at=journey.later(1)
        )
    except CannotSend:
        return Message.objects.latest("created_at")


def ruled(message: Message) -> list[tuple[str, str]]:
    return [(result["decision"], result["reason"]) for result in message.verdict.results]


@pytest.mark.parametrize("body", TERMS)
def test_an_assistants_words_about_terms_are_stopped_with_the_reason(lead, dana, carriers, body):
    before = len(carriers.texts)

    stopped = said(lead, make.assistant(dana), body)

    assert ("block", "mlo_activity_needs_licence") in ruled(stopped)
    assert stopped.state == "blocked"
    assert len(carriers.texts) == before


@pytest.mark.parametrize("body", TERMS)
def test_the_officers_own_words_are_asked_for_their_proof_and_not_for_a_license(lead, dana, body):
    assert ("block", "mlo_activity_needs_licence") not in ruled(said(lead, dana.user, body))


def test_an_assistant_may_arrange_and_collect(lead, dana, carriers):
    sent = said(lead, make.assistant(dana), "Could you send your last two pay stubs by Friday?")

    assert ("allow", "clerical_activity") in ruled(sent)
    assert sent.state == "sent"


def test_words_that_put_a_group_off_wait_for_a_person_whoever_wrote_them(lead, dana):
    waits = said(lead, dana.user, "Homes in a safe neighborhood, perfect for young couples")

    assert ("require", "fair_lending_review") in ruled(waits)
    assert waits.state == "review"
