"""An outcome from the lead's page: undone for ten seconds, asked about once, then the next lead."""

import pytest
from django.urls import reverse

from rooftree.flow import clock, undo_window
from rooftree.leads import lead_tasks
from rooftree.leads.models import ContactAttempt, Lead, Task, UndoableAct
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(cast):
    return make.lead(officer=cast.dana, person=make.person(first_name="Ana", last_name="Cruz"))


@pytest.fixture
def next_lead(cast):
    return make.lead(
        officer=cast.dana,
        person=make.person(first_name="Grace", last_name="Kim"),
        response_due_at=make.NOON,
    )


def log(browser, lead, result, **more):
    return browser.post(reverse("attempts", args=[lead.pk]), {"result": result}, **more)


def undo_page(lead):
    return reverse("undo", args=[UndoableAct.objects.get(lead=lead).pk])


def test_outcome_goes_on_to_the_next_lead_in_one_tap_with_undo(
    cast, lead, next_lead, signed_in, htmx
):
    browser = signed_in(cast.dana.user)

    answer = log(browser, lead, "no_answer", headers=htmx)

    page = reverse("lead", args=[next_lead.pk])
    assert answer["HX-Redirect"] == page
    text = browser.get(page).text
    assert "Ana Cruz: Logged: no answer" in text
    assert undo_page(lead) in text


def test_conversation_stays_on_the_lead_and_offers_the_next(cast, lead, next_lead, signed_in, htmx):
    browser = signed_in(cast.dana.user)

    answer = log(browser, lead, "spoken", headers=htmx)

    assert "HX-Redirect" not in answer
    assert reverse("lead", args=[next_lead.pk]) in answer.text
    page = browser.get(reverse("lead", args=[lead.pk])).text
    assert "Logged: spoke" in page
    assert "Grace Kim" in page
    assert undo_page(lead) in page


def test_undo_works_as_a_plain_form_and_brings_the_lead_back(cast, lead, signed_in):
    browser = signed_in(cast.dana.user)
    log(browser, lead, "not_interested")
    address = undo_page(lead)
    assert "Undo" in browser.get(address).text

    answer = browser.post(address, follow=True)

    assert answer.redirect_chain == [(reverse("lead", args=[lead.pk]), 303)]
    assert "Undone" in answer.text
    assert Lead.objects.get(pk=lead.pk).state == "new"
    assert not ContactAttempt.objects.exists()


def test_undo_link_says_when_it_is_too_late(cast, lead, signed_in, htmx):
    browser = signed_in(cast.dana.user)
    log(browser, lead, "voicemail")
    UndoableAct.objects.update(settled_at=make.NOON)

    assert "too late" in browser.get(undo_page(lead)).text
    answer = browser.post(undo_page(lead), headers=htmx)

    assert (answer.status_code, "too late" in answer.text) == (409, True)
    assert ContactAttempt.objects.get().result == "voicemail"


def test_denial_is_asked_about_once_before_it_is_recorded(cast, lead, signed_in, htmx):
    browser = signed_in(cast.dana.user)

    question = log(browser, lead, "told_no")
    refused = log(browser, lead, "told_no", headers=htmx)
    assert "adverse action clock" in question.text
    assert refused.status_code == 422
    assert not ContactAttempt.objects.exists()

    log(browser, lead, "told_no:confirmed")
    assert ContactAttempt.objects.get().result == "told_no"


def test_manager_without_a_queue_stays_on_the_lead(cast, lead, next_lead, signed_in, htmx):
    answer = log(signed_in(cast.ruth), lead, "voicemail", headers=htmx)

    assert answer.status_code == 200
    assert "HX-Redirect" not in answer


def test_finished_task_is_opened_again_for_ten_seconds(cast, lead, signed_in, htmx):
    browser = signed_in(cast.dana.user)
    with clock.freeze(make.NOON):
        task = lead_tasks.add_task(
            lead_id=lead.pk, user_id=cast.dana.user.pk, title="Ask", due_at=make.NOON, at=make.NOON
        )
        answer = browser.post(reverse("completion", args=[task.pk]), headers=htmx)
    address = reverse("task_reopening", args=[task.pk])
    assert address in answer.text

    with clock.freeze(make.NOON + 9 * make.SECOND):
        signed_in(cast.ruth).post(address)
        assert Task.objects.get(pk=task.pk).done_at == make.NOON
        browser.post(address)
        assert Task.objects.get(pk=task.pk).done_at is None
        browser.post(reverse("completion", args=[task.pk]))
    with clock.freeze(make.NOON + make.MINUTE):
        assert browser.post(address, headers=htmx).status_code == 409
    assert Task.objects.get(pk=task.pk).done_by == cast.dana.user


def snooze(browser, lead, **more):
    form = {"due": "day", "because": "Waits for her bonus"}
    return browser.post(reverse("snooze", args=[lead.pk]), form, **more)


def test_snooze_is_undone_with_the_earlier_one_put_back(cast, lead, signed_in, htmx):
    browser = signed_in(cast.dana.user)
    before = clock.now() + make.HOUR
    Lead.objects.filter(pk=lead.pk).update(snoozed_until=before, snooze_reason="At work")

    toast = snooze(browser, lead, headers=htmx).text
    assert undo_page(lead) in toast
    lead.refresh_from_db()
    assert lead.snooze_reason == "Waits for her bonus"
    browser.post(undo_page(lead))

    lead.refresh_from_db()
    assert (lead.snoozed_until, lead.snooze_reason) == (before, "At work")


def test_snooze_and_outcome_do_not_undo_each_other(cast, lead, signed_in):
    browser = signed_in(cast.dana.user)
    log(browser, lead, "voicemail")

    snooze(browser, lead)
    log(browser, lead, "no_answer")

    lead.refresh_from_db()
    assert lead.snooze_reason == "Waits for her bonus"
    results = list(ContactAttempt.objects.filter(lead=lead).values_list("result", flat=True))
    assert sorted(results) == ["no_answer", "voicemail"]


def test_credit_reason_of_a_snooze_counts_once_it_cannot_be_undone(cast, lead):
    reason = "FICO too low"
    act = undo_window.snooze_lead(
        lead_id=lead.pk, until=make.NOON + make.DAY, because=reason, by=cast.dana.user, at=make.NOON
    )
    reviews = Task.objects.filter(lead=lead, kind="fair_lending_review")
    assert not reviews.exists()

    undo_window.settle_due_acts(at=act.settles_at)

    assert reviews.get().role == "compliance"
