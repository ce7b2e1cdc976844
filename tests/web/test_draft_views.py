"""An abandoned form becomes a lead within a minute and sends no automatic message."""

import json

import pytest
from django.test import Client

from rooftree.capture.models import FormDraft
from rooftree.capture.own_form import form_drafts
from rooftree.compliance.models import Consent
from rooftree.flow import abandoned_forms, tick_schedule
from rooftree.leads.models import Delivery, Lead
from rooftree.outreach.models import Message
from rooftree.routing.models import Offer
from tests import make
from tests.flow import journey
from tests.web.visitor import ANSWERS, FORM, hidden, open_form, send

pytestmark = pytest.mark.django_db
FIRST_TWO = (
    *("loan_purpose", "property_state", "property_zip"),
    *("first_name", "last_name", "email", "phone", "language"),
)
LEFT = make.NOON + form_drafts.ABANDONED_AFTER


def send_draft(page: str, *, at=make.NOON, **changes):
    """Send the draft that the page sends after the visitor enters their phone number."""
    answers = {name: ANSWERS[name] for name in FIRST_TWO}
    data = {**hidden(page), "hp_company": "", **answers, **changes}
    with journey.moment.freeze(at):
        return Client(REMOTE_ADDR="203.0.113.10").post(
            f"{FORM}draft/", data, headers={"Origin": "http://testserver"}
        )


def drafts() -> list[dict]:
    return [
        json.loads(bytes(form_draft.body))
        for form_draft in FormDraft.objects.all()
        if form_draft.due_at
    ]


@pytest.fixture
def open_for_business(source):
    journey.set_up_company()
    make.officer()
    return source


def test_abandoned_form_becomes_a_lead_within_a_minute(open_for_business):
    assert send_draft(open_form()).status_code == 204
    assert not Lead.objects.exists()

    journey.run(LEFT)

    lead = Lead.objects.get()
    assert LEFT - make.NOON < make.MINUTE
    assert lead.person.name == "Ben Ortiz"
    assert lead.details["extras"]["is_unfinished"] == "yes"
    assert drafts() == []
    assert bytes(FormDraft.objects.get().body) == b""


def test_abandoned_form_sends_no_automatic_message_and_has_an_officer(open_for_business):
    send_draft(open_form())
    journey.run(LEFT)
    journey.run(LEFT + make.HOUR)

    assert (
        not Message.objects.filter(direction="out", lead__isnull=False)
        .exclude(medium="call")
        .exists()
    )
    assert Offer.objects.filter(lead=Lead.objects.get()).exists()
    assert not Consent.objects.filter(status="granted").exists()


def test_visitor_who_submits_later_is_the_same_lead_and_gets_a_reply(open_for_business):
    page = open_form()
    send_draft(page)
    journey.run(LEFT)

    assert send(page, at=LEFT + make.MINUTE, consent="yes").status_code == 303
    journey.run(LEFT + make.MINUTE)

    lead = Lead.objects.get()
    assert lead.touches.count() == 2
    assert {message.medium for message in Message.objects.filter(lead=lead, direction="out")} >= {
        "text", "email",
    }  # fmt: skip


def test_submitted_form_has_no_draft_even_after_a_late_signal(open_for_business):
    page = open_form()
    send_draft(page)
    send(page, at=make.NOON + make.SECOND)
    send_draft(page, at=make.NOON + 2 * make.SECOND)

    journey.run(LEFT + make.MINUTE)

    assert Delivery.objects.count() == 1
    assert Lead.objects.get().touches.count() == 1


@pytest.mark.parametrize(("seconds", "is_left"), [(44, False), (45, True)])
def test_open_page_with_signals_is_not_abandoned(open_for_business, seconds, is_left):
    page = open_form()
    send_draft(page)
    send_draft(page, at=make.NOON + 30 * make.SECOND)

    abandoned_forms.submit_abandoned_forms(at=make.NOON + (30 + seconds) * make.SECOND)

    assert Delivery.objects.exists() is is_left


@pytest.mark.parametrize(
    ("changes", "at", "status"),
    [
        ({"email": "", "phone": ""}, make.NOON, 204),  # no phone or email
        ({"email": "nobody", "phone": "12"}, make.NOON, 204),
        ({"hp_company": "x"}, make.NOON, 204),
        ({}, make.NOON - 2 * make.MINUTE + 2 * make.SECOND, 204),  # faster than a human
        ({"seal": "forged"}, make.NOON, 409),
        ({}, make.NOON + 25 * make.HOUR, 409),
    ],
)
def test_bots_other_sites_and_unreachable_visitors_leave_no_draft(source, changes, at, status):
    assert send_draft(open_form(), at=at, **changes).status_code == status
    assert not FormDraft.objects.exists()


def test_draft_omits_invalid_answers_and_masks_secrets(source):
    send_draft(open_form(), email="nobody", last_name="Ortiz 123-45-6789")

    (draft,) = drafts()
    assert "email" not in draft
    assert draft["phone"] == "(813) 555-0142"
    assert "6789" not in json.dumps(draft)


def test_draft_never_has_consent(source):
    send_draft(open_form(), consent="yes")

    (draft,) = drafts()
    assert "consent" not in draft


def test_draft_requests_are_limited_per_ip_address(source):
    answers = [send(open_form(), phone=f"(813) 555-{n:04d}").status_code for n in range(61)]

    assert answers == [303] * 60 + [429]


def test_scheduler_captures_abandoned_forms_and_deletes_old_drafts(open_for_business):
    send_draft(open_form())
    capture_forms = next(tick for tick in tick_schedule.TICKS if tick.name == "abandoned forms")
    delete_drafts = next(tick for tick in tick_schedule.TICKS if tick.name == "old form drafts")

    capture_forms.run(LEFT)
    delete_drafts.run(make.NOON + form_drafts.RETENTION)
    assert FormDraft.objects.count() == 1
    delete_drafts.run(make.NOON + form_drafts.RETENTION + make.SECOND)

    assert not FormDraft.objects.exists()
    assert Delivery.objects.count() == 1


def test_officer_sees_that_the_form_was_not_finished(open_for_business, signed_in):
    send_draft(open_form())
    journey.run(LEFT)

    page = signed_in(make.user("operations")).get(f"/leads/{Lead.objects.get().pk}/").text

    assert "Unfinished form: no automatic messages" in page
    assert "Unfinished form from" in page
