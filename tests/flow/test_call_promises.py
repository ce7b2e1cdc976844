"""First messages promise a call only when one is allowed, and never say that nobody is there."""

from datetime import timedelta

import pytest

from rooftree.compliance.consent import store_revocation
from rooftree.leads.models import Source
from rooftree.org.models import Company, LoanOfficer
from rooftree.outreach.models import Message
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db
SUNDAY = make.NOON - make.DAY
BEN = "+18135550142"


@pytest.fixture(autouse=True)
def dana():
    journey.set_up_company(hours=make.WORKDAYS)
    return make.officer("Dana Whitfield", licensed=("CA", "FL"))


def arrive(at=make.NOON, **changes):
    Company.objects.update(emergencies_checked_at=at)
    times = {"rendered_at": at - timedelta(minutes=2), "submitted_at": at - timedelta(seconds=30)}
    post = journey.form_post(**{key: f"{time:%FT%TZ}" for key, time in times.items()}, **changes)
    website = Source.objects.filter(slug="our-site").first() or journey.create_website()
    return journey.deliver(website, post, at=at)


def words(lead) -> dict[str, str]:
    return {
        message.medium: message.body
        for message in Message.objects.filter(lead=lead, direction="out")
    }


def forbid_calls() -> None:
    store_revocation.store_revocation(
        person_id=None, address=BEN, kind="do_not_contact", media=["call"], origin="page:test",
        idempotency_key="test:1", at=make.NOON - make.DAY,
    )  # fmt: skip


def test_officer_at_work_outside_company_hours_calls_shortly():
    said = words(arrive(SUNDAY))

    assert "will call you shortly" in said["text"]
    assert "is reviewing your request now and will call you" in said["email"]


def test_nobody_at_work_means_a_call_on_the_day_the_company_opens():
    LoanOfficer.objects.update(hours=make.WORKDAYS)

    said = words(arrive(SUNDAY))

    assert "A loan officer will call you on Monday." in said["text"]
    assert "will call you on Monday" in said["email"]
    assert "off right now" not in said["text"] + said["email"]


def test_officer_without_the_license_does_not_count_as_at_work(dana):
    LoanOfficer.objects.update(hours=make.WORKDAYS)
    make.officer("Sam Rivera", licensed=("TX",))

    assert "on Monday" in words(arrive(SUNDAY))["text"]


def test_lead_at_night_is_promised_a_call_in_calling_hours():
    said = words(arrive(make.NIGHT))

    assert "will call you on Tuesday" in said["text"]
    assert "will call you on Tuesday" in said["email"]


def test_lead_without_state_or_call_is_asked_for_the_state_and_promised_nothing():
    forbid_calls()
    said = words(arrive(consent=False, property_state="", property_zip=""))

    assert "call you" not in said["email"]
    assert "Which state is the home in?" in said["email"]


def test_borrower_who_opted_out_of_calls_is_promised_none():
    forbid_calls()

    said = words(arrive(consent=False))

    assert "call you" not in said["email"]
    assert "just reply to this message with your questions" in said["email"].lower()


def test_spanish_speaker_without_a_call_gets_spanish():
    forbid_calls()
    said = words(arrive(consent=False, property_state="", property_zip="", language="es"))

    assert "¿En qué estado está la casa?" in said["email"]
    assert "llamará" not in said["email"]


def test_lead_owned_by_an_officer_off_work_hears_the_day(dana):
    first = arrive(make.NOON)
    assert first.officer_id or make.ownership(first, dana)
    LoanOfficer.objects.filter(pk=dana.pk).update(hours=make.WORKDAYS)
    make.officer("Robin Lee", licensed=("FL",))

    again = arrive(make.NOON + 6 * make.DAY)

    assert again == first
    newest = Message.objects.filter(lead=again, medium="email").latest("created_at")
    assert "will call you on Monday" in newest.body
