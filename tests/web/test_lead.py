import pytest
from django.urls import reverse

from rooftree.leads.models import ContactAttempt, Lead, Remark, Task
from rooftree.los.models import Connection
from rooftree.outreach.models import Message
from rooftree.rates.models import RateWatch
from rooftree.routing import lead_ownership
from tests import make


@pytest.fixture
def ben(cast):
    """Ben's lead, assigned to Dana at noon."""
    make.touch(cast.ben)
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=make.NOON)
    return Lead.objects.get(pk=cast.ben.pk)


def page_of(lead):
    return reverse("lead", args=[lead.pk])


def test_lead_page_shows_borrower_loan_and_officer(cast, ben, signed_in):
    page = signed_in(cast.dana.user).get(page_of(ben))

    for expected_text in (
        "Ben Ortiz",
        "Purchase",
        "$400,000",
        "Tampa, FL 33602",
        "with Dana Whitfield",
    ):
        assert expected_text in page.text
    assert "(813) 555-0142" in page.text


def test_blocked_medium_stays_visible_with_its_reason(cast, ben, signed_in):
    page = signed_in(cast.dana.user).get(page_of(ben))

    assert 'aria-disabled="true" aria-describedby="badge-text"' in page.text
    assert 'id="verdict-text"' in page.text


def test_another_officer_cannot_open_the_lead(cast, ben, signed_in):
    assert signed_in(cast.sam.user).get(page_of(ben)).status_code == 404


def test_compliance_reads_a_lead_and_cannot_change_it(cast, ben, signed_in):
    browser = signed_in(cast.omar)

    assert browser.get(page_of(ben)).status_code == 200
    answer = browser.post(reverse("attempts", args=[ben.pk]), {"result": "voicemail"})
    assert answer.status_code == 403
    assert not ContactAttempt.objects.exists()


@pytest.mark.parametrize("name", ["attempts", "messages", "remarks", "tasks", "watches", "handoff"])
def test_every_action_on_another_officers_lead_is_a_404(cast, ben, signed_in, name):
    answer = signed_in(cast.sam.user).post(reverse(name, args=[ben.pk]), {"result": "spoken"})

    assert answer.status_code == 404


def test_outcome_button_records_the_outcome_and_meets_the_response_deadline(cast, ben, signed_in):
    Lead.objects.filter(pk=ben.pk).update(response_due_at=make.NOON + make.MINUTE)

    answer = signed_in(cast.dana.user).post(
        reverse("attempts", args=[ben.pk]), {"result": "spoken"}
    )

    assert answer.status_code == 303
    assert ContactAttempt.objects.get(lead=ben).result == "spoken"
    assert Lead.objects.get(pk=ben.pk).first_conversation_at is not None


def test_read_only_user_sees_no_action_buttons(cast, ben, signed_in):
    page = reverse("lead", args=[ben.pk])
    acts = ("attempts", "messages", "remarks", "tasks", "snooze", "watches", "handoff")

    def offered_actions(user):
        text = signed_in(user).get(page).text
        return {act for act in acts if reverse(act, args=[ben.pk]) in text}

    assert offered_actions(cast.dana.user) == {*acts} - {"handoff"}  # no LOS is connected yet
    Connection.objects.create(
        los="encompass", name="Encompass", slug="enc", base_url="http://localhost:1",
        instance="TEBE11", folder="", enabled_at=make.NOON,
    )  # fmt: skip
    assert offered_actions(cast.dana.user) == {*acts}
    assert offered_actions(make.user("executive")) == set()
    assert offered_actions(make.user("operations")) == {"remarks", "tasks", "snooze"}


def test_delivery_is_linked_only_for_users_who_can_open_it(cast, ben, signed_in):
    delivery = reverse("delivery", args=[make.touch(ben).delivery_id])
    page = reverse("lead", args=[ben.pk])

    assert delivery in signed_in(cast.omar).get(page).text
    assert delivery not in signed_in(cast.dana.user).get(page).text


def test_lead_in_the_los_needs_no_first_call(cast, ben, signed_in, monkeypatch):
    monkeypatch.setattr("rooftree.flow.clock.now", lambda: make.NOON)
    page = reverse("lead", args=[ben.pk])
    Lead.objects.filter(pk=ben.pk).update(response_due_at=make.NOON + make.MINUTE)
    before = signed_in(cast.dana.user).get(page).text

    Lead.objects.filter(pk=ben.pk).update(state="application")

    assert "to first call" in before
    assert "to first call" not in signed_in(cast.dana.user).get(page).text


def test_callback_outcome_shows_its_time(cast, ben, signed_in, monkeypatch):
    monkeypatch.setattr("rooftree.flow.clock.now", lambda: make.NOON)
    signed_in(cast.dana.user).post(reverse("attempts", args=[ben.pk]), {"result": "call_back:hour"})

    assert Task.objects.get(lead=ben).due_at == make.NOON + make.HOUR


def test_unknown_outcome_changes_nothing(cast, ben, signed_in, htmx):
    answer = signed_in(cast.dana.user).post(
        reverse("attempts", args=[ben.pk]), {"result": "sold"}, headers=htmx
    )

    assert answer.status_code == 422
    assert not ContactAttempt.objects.exists()


def test_note_is_saved_and_shown(cast, ben, signed_in):
    browser = signed_in(cast.dana.user)

    browser.post(reverse("remarks", args=[ben.pk]), {"text": "Prefers <evenings>"})

    assert Remark.objects.get(lead=ben).text == "Prefers <evenings>"
    assert "Prefers &lt;evenings&gt;" in browser.get(page_of(ben)).text


def test_blocked_text_is_refused_and_its_words_stay_in_the_form(cast, ben, signed_in):
    answer = signed_in(cast.dana.user).post(
        reverse("messages", args=[ben.pk]), {"medium": "text", "body": "Good morning, Ben"}
    )

    assert answer.status_code == 422
    assert "Not sent." in answer.text
    assert "Good morning, Ben</textarea>" in answer.text
    assert not Message.objects.filter(state__in=["sent", "delivered"]).exists()


def test_rate_watch_is_saved_and_a_word_is_not_a_rate(cast, ben, signed_in, htmx):
    browser, address = signed_in(cast.dana.user), reverse("watches", args=[ben.pk])

    refused = browser.post(address, {"product": "30yr_fixed", "target_pct": "low"}, headers=htmx)
    assert refused.status_code == 422
    assert not RateWatch.objects.exists()

    browser.post(address, {"product": "30yr_fixed", "target_pct": "6.0%"})
    watch = RateWatch.objects.get(lead=ben)
    assert watch.target_pct == 6

    browser.post(reverse("watch_end", args=[ben.pk, watch.pk]), headers=htmx)

    watch.refresh_from_db()
    assert watch.ended_at is not None


def test_task_is_added_and_completed_once(cast, ben, signed_in):
    browser = signed_in(cast.dana.user)
    browser.post(reverse("tasks", args=[ben.pk]), {"title": "Ask for a pay stub", "due": "day"})
    task = Task.objects.get(lead=ben)

    browser.post(reverse("completion", args=[task.pk]))
    done_at = Task.objects.get(pk=task.pk).done_at
    browser.post(reverse("completion", args=[task.pk]))

    assert done_at is not None
    assert Task.objects.get(pk=task.pk).done_at == done_at


def test_lead_update_is_sent_as_five_fragments(cast, ben, signed_in, htmx):
    answer = signed_in(cast.dana.user).get(page_of(ben), headers=htmx)

    assert answer.text.count('hx-swap-oob="outerMorph"') == 5
    assert "<html" not in answer.text


def test_query_count_does_not_grow_with_the_history(
    cast, ben, signed_in, django_assert_max_num_queries
):
    for number in range(30):
        at = make.NOON + number * make.MINUTE
        make.consent(ben.person, address="+18135550199", at=at)
        Remark.objects.create(lead=ben, by=cast.dana.user, text="n", at=at)
    browser = signed_in(cast.dana.user)
    browser.get(page_of(ben))

    with django_assert_max_num_queries(30):
        browser.get(page_of(ben))


def test_search_finds_names_numbers_and_emails_of_visible_leads(cast, ben, signed_in):
    browser = signed_in(cast.dana.user)
    for query in ("ortiz", "Ben Ort", "(813) 555-0142", "555014", "BEN.ORTIZ@home", "ben.ortiz"):
        assert "Ben Ortiz" in browser.get("/find/", {"q": query}).text, query

    assert "Ben Ortiz" not in signed_in(cast.sam.user).get("/find/", {"q": "ortiz"}).text


def test_fragment_is_never_cached_as_its_page(cast, ben, signed_in, htmx):
    page = reverse("lead", args=[ben.pk])
    officer = signed_in(cast.dana.user)

    page_answer, part = officer.get(page), officer.get(page, headers=htmx)

    assert "no-store" not in page_answer.headers["Cache-Control"]
    assert "no-store" in part.headers["Cache-Control"]
    for answer in (page_answer, part):
        assert "HX-Request" in answer.headers["Vary"]
