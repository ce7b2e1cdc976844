import html

import pytest
from django.urls import reverse
from django.utils import timezone

from rooftree.compliance.models import Verdict
from rooftree.leads.models import ContactAttempt, Lead, Person, Phone, Touch
from rooftree.ledger.models import Event
from rooftree.org.models import Company
from rooftree.outreach.models import Template
from rooftree.outreach.wording import message_templates
from rooftree.reporting.models import RollupDelta
from rooftree.routing import lead_ownership
from tests import make

MIDDAY = timezone.now().replace(hour=17, minute=0, second=0, microsecond=0)


@pytest.fixture
def ben(cast, monkeypatch):
    """Ben's new lead from our own form, assigned to Dana; it is midday at his place."""
    at = next(day for day in (MIDDAY + n * make.DAY for n in range(7)) if day.weekday() < 4)
    monkeypatch.setattr("django.utils.timezone.now", lambda: at)
    form = make.source("website_form", name="Our website")
    Company.objects.update(emergencies_checked_at=at, telemarketer_states=["FL"])
    Lead.objects.filter(pk=cast.ben.pk).update(source=form, last_inquiry_at=at)
    make.touch(Lead.objects.get(pk=cast.ben.pk), at=at)
    Touch.objects.update(source=form)
    lead_ownership.give_lead(lead_id=cast.ben.pk, officer_id=cast.dana.pk, by=None, at=at)
    return Lead.objects.get(pk=cast.ben.pk)


@pytest.fixture
def later(monkeypatch):
    """Return a function that moves the clock forward."""

    def wait(span):
        at = timezone.now() + span
        monkeypatch.setattr("django.utils.timezone.now", lambda: at)

    return wait


def calls_of(lead):
    return reverse("calls", args=[lead.pk])


def stop(lead):
    Phone.objects.filter(person=lead.person).update(unlinked_at=timezone.now())


def test_call_button_checks_the_gate_records_the_call_and_dials(cast, ben, signed_in, htmx):
    answer = signed_in(cast.dana.user).post(calls_of(ben), headers=htmx)

    attempt = ContactAttempt.objects.get(lead=ben)
    verdict = Verdict.objects.get(lead=ben)
    assert answer["HX-Redirect"] == "tel:+18135550142"
    assert (attempt.medium, attempt.result, attempt.by) == ("call", "", cast.dana.user)
    assert (verdict.idempotency_key, verdict.decision) == (attempt.idempotency_key, "allow")
    assert Lead.objects.get(pk=ben.pk).first_attempt_at == attempt.at
    assert Event.objects.filter(kind="outreach.call.begun", lead_id=ben.pk).count() == 1
    assert RollupDelta.objects.filter(
        idempotency_key__startswith=str(ben.pk), measure="attempted"
    ).exists()


def test_second_press_within_a_minute_is_the_same_call(cast, ben, signed_in, later):
    browser = signed_in(cast.dana.user)
    browser.post(calls_of(ben))
    later(50 * make.SECOND)
    browser.post(calls_of(ben))

    assert ContactAttempt.objects.filter(lead=ben).count() == 1
    assert {verdict.idempotency_key for verdict in Verdict.objects.filter(lead=ben)} == {
        ContactAttempt.objects.get(lead=ben).idempotency_key
    }


def test_later_press_is_a_new_call(cast, ben, signed_in, later):
    browser = signed_in(cast.dana.user)
    browser.post(calls_of(ben))
    later(2 * make.MINUTE)
    browser.post(calls_of(ben))

    assert ContactAttempt.objects.filter(lead=ben).count() == 2


def test_night_call_is_refused_and_its_verdict_stored(cast, ben, signed_in, later, htmx):
    later(11 * make.HOUR)  # four in the morning in Tampa

    answer = signed_in(cast.dana.user).post(calls_of(ben), headers=htmx)

    verdict = Verdict.objects.get(lead=ben)
    assert (answer.status_code, verdict.decision) == (409, "defer")
    assert verdict.sentence in html.unescape(answer.text)
    assert not ContactAttempt.objects.filter(lead=ben).exists()
    assert Lead.objects.get(pk=ben.pk).first_attempt_at is None


def test_lead_without_a_number_cannot_be_called(cast, ben, signed_in, htmx):
    stop(ben)

    answer = signed_in(cast.dana.user).post(calls_of(ben), headers=htmx)

    assert answer.status_code == 409
    assert "No phone number" in answer.text


def test_page_without_javascript_shows_the_number_and_outcomes(cast, ben, signed_in):
    page = signed_in(cast.dana.user).post(calls_of(ben), follow=True)

    assert 'href="tel:+18135550142"' in page.text
    assert 'value="voicemail"' in page.text


@pytest.fixture
def templates(cast):
    """The default templates."""
    message_templates.ensure_default_templates(at=make.NOON)


def move_borrower_to(state, lead):
    """Set the borrower's home state; the property and the area code stay in Florida."""
    Company.objects.update(telemarketer_states=["FL", state])
    Person.objects.filter(pk=lead.person_id).update(state=state)


def page_of(lead):
    return reverse("lead", args=[lead.pk])


def test_call_page_shows_the_opening_with_the_strictest_time_limit(
    cast, ben, signed_in, htmx, templates
):
    move_borrower_to("NM", ben)
    browser = signed_in(cast.dana.user)
    assert "Say first" not in browser.get(page_of(ben)).text

    browser.post(calls_of(ben), headers=htmx)

    for page in (browser.get(page_of(ben)).text, browser.get(calls_of(ben)).text):
        assert "Hello Ben, this is Dana Whitfield with Lindenfield Mortgage, calling" in page
        assert "<b>Say this within 15 seconds</b> (New Mexico law)" in page
    browser.post(reverse("attempts", args=[ben.pk]), {"result": "spoken"})
    assert "Say first" not in browser.get(page_of(ben)).text


def test_washington_call_page_says_when_to_hang_up(cast, ben, signed_in, templates):
    move_borrower_to("WA", ben)

    page = signed_in(cast.dana.user).post(calls_of(ben), follow=True).text

    assert "<b>Say this within 30 seconds</b> (Washington law)" in page
    assert "asks you to end the call, hang up within 10 seconds</b>" in page


def test_spanish_speaker_gets_a_spanish_opening(cast, ben, signed_in, templates):
    Person.objects.filter(pk=ben.person_id).update(language="es")

    page = signed_in(cast.dana.user).post(calls_of(ben), follow=True).text

    assert '<p class="opening__words" lang="es">Hola Ben, le habla Dana Whitfield' in page


def test_call_without_an_approved_opening_goes_ahead_with_instructions(cast, ben, signed_in, htmx):
    browser = signed_in(cast.dana.user)

    assert browser.post(calls_of(ben), headers=htmx)["HX-Redirect"] == "tel:+18135550142"

    assert "Say your name, your company and why you’re calling." in browser.get(page_of(ben)).text
    assert "opening" not in Event.objects.get(kind="outreach.call.begun").data


def test_opening_is_shown_only_to_the_caller(cast, ben, signed_in, templates):
    signed_in(cast.dana.user).post(calls_of(ben))

    for other in (cast.ruth, cast.omar):
        assert "Say first" not in signed_in(other).get(page_of(ben)).text


def test_ledger_and_page_keep_the_opening_version_from_the_start_of_the_call(
    cast, ben, signed_in, templates, later
):
    first = Template.objects.get(key="call_opening", language="en")
    browser = signed_in(cast.dana.user)
    browser.post(calls_of(ben))
    later(make.MINUTE)
    make.edition("call_opening", "call", body="Newer words", at=timezone.now())

    event_data = Event.objects.get(kind="outreach.call.begun").data
    assert event_data["opening"] == str(first.pk)
    assert "Newer words" not in browser.get(page_of(ben)).text


def test_outcome_completes_the_same_call_attempt(cast, ben, signed_in, later):
    browser = signed_in(cast.dana.user)
    browser.post(calls_of(ben))
    later(4 * make.MINUTE)
    browser.post(reverse("attempts", args=[ben.pk]), {"result": "spoken"})

    assert ContactAttempt.objects.get(lead=ben).result == "spoken"
    after = browser.get(calls_of(ben))
    assert after.status_code == 302


def test_outcome_a_day_later_is_a_new_call_attempt(cast, ben, signed_in, later):
    signed_in(cast.dana.user).post(calls_of(ben))
    later(24 * make.HOUR)
    signed_in(cast.dana.user).post(reverse("attempts", args=[ben.pk]), {"result": "spoken"})

    assert sorted(
        contact_attempt.result for contact_attempt in ContactAttempt.objects.filter(lead=ben)
    ) == ["", "spoken"]


def test_signed_out_visitor_and_read_only_user_cannot_call(cast, ben, signed_in):
    assert signed_in(cast.sam.user).post(calls_of(ben)).status_code == 404
    assert signed_in(cast.omar).post(calls_of(ben)).status_code == 403
    assert not Verdict.objects.exists()


def test_contact_badge_opens_every_rule_with_its_citation(cast, ben, signed_in, htmx):
    address = reverse("badge", args=[ben.pk, "text"])

    part = signed_in(cast.dana.user).get(address, headers=htmx)

    assert "<html" not in part.text
    assert "47 CFR 64.1200" in part.text
    assert part.text.count('class="rule-line"') > 10
    assert not Verdict.objects.exists()


@pytest.mark.parametrize("medium", ["call", "text", "email"])
def test_contact_badge_page_opens_by_itself_and_requires_sign_in(cast, ben, signed_in, medium):
    address = reverse("badge", args=[ben.pk, medium])

    assert "<h1>" in signed_in(cast.dana.user).get(address).text
    assert signed_in(cast.sam.user).get(address).status_code == 404


def test_unknown_medium_has_no_contact_badge(cast, ben, signed_in):
    answer = signed_in(cast.dana.user).get(reverse("badge", args=[ben.pk, "fax"]))

    assert answer.status_code == 404
