from uuid import uuid4

import pytest
from django.urls import reverse

from rooftree.compliance.gate import next_calling_time
from rooftree.leads.models import ContactAttempt, Lead
from rooftree.org.models import LoanOfficer
from rooftree.outreach.wording import message_templates
from rooftree.routing import lead_ownership
from rooftree.routing.models import Offer, Ownership, RoutingDecision, RuleSet
from rooftree.web.shared.cached_urls import url_for
from tests import make


def give_lead(lead, officer, **changes):
    lead_ownership.give_lead(lead_id=lead.pk, officer_id=officer.pk, by=None, at=make.NOON)
    Lead.objects.filter(pk=lead.pk).update(**changes)
    return Lead.objects.get(pk=lead.pk)


def create_offer(lead, officer):
    rules, _ = RuleSet.objects.get_or_create(
        number=1, defaults={"rules": [], "published_at": make.NOON}
    )
    decision = RoutingDecision.objects.create(
        lead=lead,
        rule_set=rules,
        inputs={},
        outcome={},
        officer=officer,
        sentence="Licensed in Florida and next in turn.",
        at=make.NOON,
    )
    return Offer.objects.create(
        lead=lead,
        officer=officer,
        decision=decision,
        offered_at=make.NOON,
        due_at=make.NOON + 3650 * make.DAY,
    )


def test_queue_shows_the_officers_leads_with_their_reasons(cast, signed_in):
    give_lead(cast.ben, cast.dana, response_due_at=make.NOON + make.MINUTE)

    page = signed_in(cast.dana.user).get("/queue/")

    assert "Ben Ortiz" in page.text
    assert "Call now" in page.text
    assert "Zillow purchase in FL" in page.text
    assert "$400,000" in page.text


def test_later_calls_are_not_listed_under_call_now(cast, signed_in, monkeypatch):
    give_lead(cast.ben, cast.dana, response_due_at=None, first_attempt_at=make.NOON - 2 * make.DAY)
    officer = signed_in(cast.dana.user)

    monkeypatch.setattr(next_calling_time, "next_opening", lambda *place, at: at)
    by_day = officer.get("/queue/").text
    monkeypatch.setattr(next_calling_time, "next_opening", lambda *place, at: at + make.HOUR)
    by_night = officer.get("/queue/").text

    assert ("Next best calls" in by_day, "OK to call later" in by_day) == (True, False)
    assert ("Next best calls" in by_night, "OK to call later" in by_night) == (False, True)


def test_officer_cannot_see_another_officers_queue(cast, signed_in):
    give_lead(cast.ben, cast.dana)

    assert "Ben Ortiz" not in signed_in(cast.sam.user).get("/queue/").text
    assert signed_in(cast.omar).get("/queue/").status_code == 403


def test_empty_queue_says_that_all_is_done(cast, signed_in):
    page = signed_in(cast.dana.user).get("/queue/")

    assert "You’re all caught up" in page.text


def test_missing_facts_are_shown_in_words(cast, signed_in):
    nameless = make.person(first_name="", last_name="", email=None)
    give_lead(make.lead(person=nameless, amount_cents=None, property_city=""), cast.dana)

    page = signed_in(cast.dana.user).get("/queue/")

    assert "No name yet" in page.text
    assert "Email: no email on file" in page.text


@pytest.mark.parametrize("number", [1, 12])
def test_query_count_does_not_grow_with_the_queue(
    cast, signed_in, django_assert_max_num_queries, number
):
    for _ in range(number):
        give_lead(make.lead(), cast.dana, response_due_at=make.NOON)
    browser = signed_in(cast.dana.user)
    browser.get("/queue/")

    with django_assert_max_num_queries(21):
        browser.get("/queue/")


def rows_of(page):
    return page.text.count("data-row")


def test_long_queue_is_paged_best_first(cast, signed_in):
    for nth in range(60):
        give_lead(
            make.lead(), cast.dana, score=nth, response_due_at=None, first_attempt_at=make.NOON
        )
    browser = signed_in(cast.dana.user)

    first = browser.get("/queue/")

    assert rows_of(first) == 25
    assert "25 of 60" in first.text
    assert 'href="?tab=now&amp;shown=50"' in first.text
    assert rows_of(browser.get("/queue/?tab=now&shown=50")) == 50
    last = browser.get("/queue/?tab=now&shown=60")
    assert rows_of(last) == 60
    assert "Show more" not in last.text


@pytest.mark.parametrize("row_count", ["-1", "0", "many", "99999999999999999999", "²"])
def test_invalid_row_count_is_not_an_error(cast, signed_in, row_count):
    give_lead(cast.ben, cast.dana)

    assert rows_of(signed_in(cast.dana.user).get("/queue/", {"shown": row_count})) == 1


def test_loaded_rows_stay_when_the_queue_refreshes(cast, signed_in, htmx):
    for _ in range(30):
        give_lead(make.lead(), cast.dana, first_attempt_at=make.NOON)
    browser = signed_in(cast.dana.user)

    assert rows_of(browser.get("/queue/?tab=now&shown=30", headers=htmx)) == 30


def test_offer_is_accepted_with_a_plain_form(cast, signed_in):
    offer = create_offer(cast.ben, cast.dana)

    answer = signed_in(cast.dana.user).post(reverse("acceptance", args=[offer.pk]))

    assert answer.status_code == 303
    assert answer.url == reverse("lead", args=[cast.ben.pk])
    assert Ownership.objects.get(lead=cast.ben, until_at=None).officer == cast.dana


def test_expired_offer_answers_409_with_a_sentence(cast, signed_in, htmx):
    offer = create_offer(cast.ben, cast.dana)
    Offer.objects.filter(pk=offer.pk).update(expired_at=make.NOON)

    answer = signed_in(cast.dana.user).post(reverse("acceptance", args=[offer.pk]), headers=htmx)

    assert answer.status_code == 409
    assert answer["HX-Retarget"] == "#toasts"
    assert not Ownership.objects.filter(lead=cast.ben).exists()


def test_officer_cannot_accept_another_officers_offer(cast, signed_in, htmx):
    offer = create_offer(cast.ben, cast.dana)

    answer = signed_in(cast.sam.user).post(reverse("acceptance", args=[offer.pk]), headers=htmx)

    assert answer.status_code == 409
    assert not Ownership.objects.filter(lead=cast.ben).exists()


def test_offer_card_shows_loan_and_reason_without_the_borrowers_name(cast, signed_in, htmx):
    create_offer(cast.ben, cast.dana)

    card = signed_in(cast.dana.user).get("/offers/", headers=htmx)

    assert "Licensed in Florida and next in turn." in card.text
    assert "Ortiz" not in card.text


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("Dana Whitfield was next in rotation.", "You were next in rotation."),
        (
            "Dana Whitfield speaks Spanish and was next in rotation.",
            "You speak Spanish and were next in rotation.",
        ),
    ],
)
def test_offer_card_speaks_to_the_officer_it_is_for(cast, signed_in, htmx, sentence, shown):
    offer = create_offer(cast.ben, cast.dana)
    RoutingDecision.objects.filter(pk=offer.decision_id).update(sentence=sentence)

    assert shown in signed_in(cast.dana.user).get("/offers/", headers=htmx).text


@pytest.fixture
def connected_call(cast, monkeypatch):
    """Dana was connected to Ben by an officer call a minute ago."""
    at = make.NOON + make.MINUTE
    monkeypatch.setattr("django.utils.timezone.now", lambda: at)
    message_templates.ensure_default_templates(at=make.NOON)
    give_lead(cast.ben, cast.dana, first_attempt_at=make.NOON)
    return ContactAttempt.objects.create(
        lead=cast.ben, person_id=cast.ben.person_id, medium="call", by=cast.dana.user,
        idempotency_key="ring:1", at=make.NOON,
    )  # fmt: skip


def test_connected_officer_sees_the_opening_on_every_page(cast, signed_in, htmx, connected_call):
    browser = signed_in(cast.dana.user)

    card = browser.get("/offers/", headers=htmx).text
    assert "On the line" in card and "Ben Ortiz" in card
    assert "Hello Ben, this is Dana Whitfield with Lindenfield Mortgage" in card

    own_page = {**htmx, "HX-Current-URL": f"http://testserver{url_for('lead', cast.ben.pk)}"}
    assert "Hello Ben" not in browser.get("/offers/", headers=own_page).text
    assert "Hello Ben" in browser.get(url_for("lead", cast.ben.pk)).text


def test_opening_disappears_after_the_call_and_no_other_officer_sees_it(
    cast, signed_in, htmx, connected_call
):
    assert "On the line" not in signed_in(cast.sam.user).get("/offers/", headers=htmx).text

    ContactAttempt.objects.update(result="spoken")

    assert "On the line" not in signed_in(cast.dana.user).get("/offers/", headers=htmx).text


def test_availability_switch_pauses_and_resumes_new_leads(cast, signed_in):
    browser = signed_in(cast.dana.user)

    browser.post("/me/availability/", {"takes": "no"})
    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at is not None

    browser.post("/me/availability/", {"takes": "yes"})
    assert LoanOfficer.objects.get(pk=cast.dana.pk).paused_at is None


def test_manager_has_no_availability_switch(cast, signed_in):
    assert signed_in(cast.ruth).post("/me/availability/", {"takes": "no"}).status_code == 403


@pytest.mark.parametrize("name", ["lead", "messages", "calls", "acceptance"])
def test_queue_row_links_to_the_lead_page(name):
    key = uuid4()

    assert url_for(name, key) == reverse(name, args=[key])


def test_declined_offer_can_be_undone_from_the_toast(cast, signed_in, htmx):
    offer = create_offer(cast.ben, cast.dana)
    browser = signed_in(cast.dana.user)

    declined = browser.post(reverse("refusal", args=[offer.pk]), headers=htmx)
    undo = reverse("refusal_undo", args=[offer.pk])
    assert undo in declined.text
    assert "Undone" in browser.post(undo, headers=htmx).text

    assert Offer.objects.get(pk=offer.pk).declined_at is None
