"""Message review and task pages."""

import pytest
from django.urls import reverse

from rooftree.leads import lead_tasks
from rooftree.leads.models import Lead, Task
from rooftree.org.models import User
from rooftree.outreach.models import Message, MessageReview
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(cast):
    lead = make.lead(officer=cast.dana)
    return Message.objects.create(
        lead=lead, person=lead.person, medium="text", purpose="marketing", idempotency_key="step:1",
        to_address="+18135550142", body="Hello <b>Ben</b>", state="review", due_at=None,
        problem="A bug of ours struck it.", created_at=make.NOON,
    )  # fmt: skip


def test_held_message_is_listed_with_its_reason_and_can_be_decided(cast, waiting, signed_in):
    browser = signed_in(cast.omar)
    page = browser.get(reverse("reviews"), {"open": waiting.pk})
    assert "Hello &lt;b&gt;Ben&lt;/b&gt;" in page.text
    assert "A bug of ours struck it." in page.text

    answer = browser.post(
        reverse("review_decision", args=[waiting.pk]),
        {"answer": "refuse", "reason": "Too late now"},
    )

    assert answer.status_code == 303
    assert Message.objects.get(pk=waiting.pk).state == "cancelled"
    assert "No messages to review" in browser.get(reverse("reviews")).text
    assert "Too late now" in browser.get(reverse("lead", args=[waiting.lead_id])).text


def test_decision_without_a_reason_is_rejected_and_changes_nothing(cast, waiting, signed_in, htmx):
    answer = signed_in(cast.omar).post(
        reverse("review_decision", args=[waiting.pk]), {"answer": "release"}, headers=htmx
    )

    assert answer.status_code == 409
    assert "Enter a reason" in answer.text
    assert not MessageReview.objects.exists()


def test_administrator_cannot_approve_a_message_in_their_own_name(cast, waiting, signed_in, htmx):
    User.objects.filter(pk=cast.dana.user_id).update(
        roles=["administrator", "officer"], branch=None
    )
    Message.objects.filter(pk=waiting.pk).update(officer=cast.dana)
    browser = signed_in(User.objects.get(pk=cast.dana.user_id))
    typed = {"answer": "release", "reason": "Fine"}

    page = browser.get(reverse("reviews"), {"open": waiting.pk}).text
    answer = browser.post(reverse("review_decision", args=[waiting.pk]), typed, headers=htmx)

    assert "Your own message" in page
    assert 'value="release"' not in page
    assert answer.status_code == 409
    assert "Ask a second person" in answer.text
    assert Message.objects.get(pk=waiting.pk).state == "review"


def test_release_that_the_gate_blocks_says_so(cast, waiting, signed_in, htmx):
    answer = signed_in(cast.omar).post(
        reverse("review_decision", args=[waiting.pk]),
        {"answer": "release", "reason": "Mended"},
        headers=htmx,
    )

    assert answer.status_code == 409
    assert "Not sent." in answer.text
    assert Message.objects.get(pk=waiting.pk).state == "blocked"


def test_messages_are_filtered_and_the_next_one_opens_after_a_decision(cast, waiting, signed_in):
    lead = make.lead(
        officer=cast.sam, property_state="TX",
        person=make.person(first_name="Ada", last_name="Reyes"),
    )  # fmt: skip
    later = Message.objects.create(
        lead=lead, person=lead.person, medium="email", purpose="marketing",
        idempotency_key="step:2", to_address="a@home.example", body="Hello", state="review",
        problem="Check it.", created_at=make.NOON + make.HOUR,
    )  # fmt: skip
    browser, address = signed_in(cast.omar), reverse("reviews")

    for query in ({"q": "ada"}, {"medium": "email"}, {"officer": cast.sam.pk}):
        page = browser.get(address, query).text
        assert f"open={later.pk}" in page, query
        assert f"open={waiting.pk}" not in page, query
    answer = browser.post(
        reverse("review_decision", args=[waiting.pk]),
        {"answer": "refuse", "reason": "Too late", "from": f"open={waiting.pk}"},
    )
    assert f'id="review-{later.pk}"' in browser.get(answer["Location"]).text


def add_task(lead, title="Send the list", *, user_id=None, due_at=make.NOON):
    return lead_tasks.add_task(
        lead_id=lead.pk, user_id=user_id, title=title, due_at=due_at, at=make.NOON - make.HOUR
    )


def test_officer_and_assistant_see_the_officers_tasks_and_other_officers_do_not(cast, signed_in):
    add_task(make.lead(officer=cast.dana))

    for user in (cast.dana.user, make.assistant(cast.dana)):
        assert "Send the list" in signed_in(user).get(reverse("my_tasks")).text
    assert "Send the list" not in signed_in(cast.sam.user).get(reverse("my_tasks")).text


def test_manager_sees_overdue_tasks_with_their_officer(cast, signed_in):
    lead = make.lead(officer=cast.dana, branch=cast.tampa)
    add_task(lead, user_id=cast.dana.user.pk)
    add_task(lead, "Not yet due", user_id=cast.dana.user.pk, due_at=make.NOON + 9999 * make.DAY)

    page = signed_in(cast.ruth).get(reverse("my_tasks")).text

    assert "Overdue on your team" in page
    assert "Send the list" in page
    assert "Dana Whitfield" in page
    assert "Not yet due" not in page


def test_role_task_is_in_that_roles_list(cast, signed_in):
    task = lead_tasks.SystemTask(
        kind="require:x", title="Read their answer", due_at=make.NOON, role="compliance"
    )
    lead_tasks.add_or_update_task(task, lead_id=make.lead(officer=cast.dana).pk, at=make.NOON)

    assert "Read their answer" in signed_in(cast.omar).get(reverse("my_tasks")).text
    assert "Read their answer" not in signed_in(cast.dana.user).get(reverse("my_tasks")).text


def test_callback_time_is_in_the_officers_time_zone(cast, signed_in):
    lead = make.lead(officer=cast.dana)

    signed_in(cast.dana.user).post(
        reverse("attempts", args=[lead.pk]),
        {"result": "call_back:at", "call_back_at": "2036-11-27T17:00"},
    )

    assert Task.objects.get().due_at.isoformat() == "2036-11-27T22:00:00+00:00"


def test_lead_is_snoozed_from_its_page_and_brought_back(cast, signed_in, htmx):
    lead = make.lead(officer=cast.dana, first_attempt_at=make.NOON)
    browser, address = signed_in(cast.dana.user), reverse("snooze", args=[lead.pk])

    assert browser.post(address, {"due": "at"}, headers=htmx).status_code == 422
    browser.post(address, {"due": "week", "because": "On <vacation>"})
    page = browser.get(reverse("lead", args=[lead.pk])).text
    assert "Snoozed until" in page
    assert "On &lt;vacation&gt;" in page

    browser.post(address, {"due": "now"})
    assert Lead.objects.get(pk=lead.pk).snoozed_until is None
