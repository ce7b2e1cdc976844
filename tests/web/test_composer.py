"""The composer: drafts kept on the server, snippets, and the conversation around it."""

import pytest
from django.urls import reverse

from rooftree.flow import clock
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.outreach.models import Message
from rooftree.outreach.wording.models import MessageDraft, Snippet
from tests import make
from tests.flow import journey
from tests.outreach.conftest import carriers, dana

__all__ = ["carriers", "dana"]  # fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(dana, carriers):
    """Ben inquired on our website a minute ago, and is Dana's."""
    arrived = journey.deliver(journey.create_website(), journey.form_post())
    if arrived.officer_id is None:
        make.ownership(arrived, dana)
    with clock.freeze(journey.later(5)):
        yield Lead.objects.get(pk=arrived.pk)


@pytest.fixture
def snippet(lead):
    return Snippet.objects.create(
        title="Cash to close", body="Hi {{ borrower.first_name }}, when?", written_at=make.NOON
    )


def save_draft(browser, lead, body, medium="text", **more):
    data = {"medium": medium, "body": body}
    return browser.post(reverse("message_draft", args=[lead.pk]), data, **more)


def conversation(lead, query=""):
    return reverse("conversation", args=[lead.pk]) + query


def test_draft_is_kept_per_user_lead_and_medium(lead, dana, signed_in):
    browser = signed_in(dana.user)
    save_draft(browser, lead, "Are you")
    save_draft(browser, lead, "Are you free at 5?")
    save_draft(browser, lead, "Dear Ben", medium="email")

    assert MessageDraft.objects.count() == 2
    assert "Are you free at 5?</textarea>" in browser.get(conversation(lead, "?medium=text")).text
    assert "Dear Ben</textarea>" in browser.get(conversation(lead, "?medium=email")).text
    assert "Are you free at 5?" in browser.get(reverse("lead", args=[lead.pk])).text
    ruth = make.user("manager")
    assert "Are you free" not in signed_in(ruth).get(conversation(lead, "?medium=text")).text


def test_draft_shows_wording_problems_and_length_as_typed(lead, dana, signed_in, htmx):
    answer = save_draft(signed_in(dana.user), lead, "We have 6.0% today", headers=htmx)

    assert "“6.0%”" in answer.text
    assert "1 segment" in answer.text
    assert "Draft saved" in answer.text


def test_emptied_draft_is_deleted(lead, dana, signed_in):
    browser = signed_in(dana.user)
    save_draft(browser, lead, "Hello")
    save_draft(browser, lead, "  ")

    assert not MessageDraft.objects.exists()


def test_sent_message_ends_its_draft_even_if_the_page_saves_it_late(lead, dana, signed_in):
    browser = signed_in(dana.user)
    save_draft(browser, lead, "Can we talk?")
    browser.post(reverse("messages", args=[lead.pk]), {"medium": "text", "body": "Can we talk?"})
    save_draft(browser, lead, "Can we talk?")

    assert Message.objects.filter(by=dana.user).count() == 1
    assert not MessageDraft.objects.exists()


def test_refused_message_stays_as_a_draft(lead, dana, signed_in):
    lead.person.phones.update(unlinked_at=make.NOON)
    browser = signed_in(dana.user)

    answer = browser.post(
        reverse("messages", args=[lead.pk]), {"medium": "text", "body": "Can we talk?"}
    )

    assert answer.status_code == 422
    assert MessageDraft.objects.get().body == "Can we talk?"


def test_snippet_fills_the_composer_without_a_script(lead, snippet, dana, signed_in):
    browser = signed_in(dana.user)
    save_draft(browser, lead, "First this.")

    page = browser.get(conversation(lead, f"?medium=text&snippet={snippet.pk}")).text

    assert "First this.\nHi Ben, when?</textarea>" in page
    assert 'data-snippet="Hi Ben, when?"' in page


def test_conversation_has_call_button_numbers_to_copy_and_calls(lead, dana, signed_in):
    ContactAttempt.objects.create(
        lead=lead, person=lead.person, medium="call", result="voicemail", seconds=70,
        at=make.NOON, idempotency_key="test:1",
    )  # fmt: skip

    page = signed_in(dana.user).get(conversation(lead)).text

    assert 'aria-label="Call Ben Ortiz"' in page
    assert 'data-copy="(813) 555-0142"' in page
    assert "Call, 1 min · Voicemail" in page


def test_conversation_without_a_script_returns_to_itself_after_sending(lead, dana, signed_in):
    answer = signed_in(dana.user).post(
        reverse("messages", args=[lead.pk]),
        {"medium": "text", "body": "Can we talk?", "page": "conversation"},
    )

    assert answer.url == conversation(lead)


def test_snippet_page_saves_own_and_shared_snippets_by_role(snippet, dana, signed_in):
    officer, marketing = signed_in(dana.user), signed_in(make.user("marketing"))
    typed = {"title": "Docs", "body": "Please send your W-2s.", "language": "en"}

    assert officer.post(reverse("snippet_new"), typed).status_code == 303
    marketing.post(reverse("snippet_new"), {**typed, "title": "For all"})

    assert Snippet.objects.get(title="Docs").owner == dana.user
    assert Snippet.objects.get(title="For all").owner is None
    assert "Docs" in officer.get(reverse("snippets")).text
    assert "Docs" not in marketing.get(reverse("snippets")).text
    assert officer.post(reverse("snippet", args=[snippet.pk]), typed).status_code == 403


def test_snippet_page_checks_the_wording_as_typed(lead, dana, signed_in):
    address = reverse("snippet_check")

    answer = signed_in(dana.user).post(address, {"body": "We have 6.0%", "language": "en"})

    assert "“6.0%”" in answer.text
