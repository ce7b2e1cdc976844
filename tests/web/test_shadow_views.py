"""Shadow mode in Setup: its switch, the banner, the report and the list of the other system."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from rooftree.leads.models import ShadowLead
from rooftree.ledger.models import Event
from rooftree.org.models import AccessEntry, ShadowPeriod
from rooftree.reporting.models import ShadowResult
from tests import make

pytestmark = pytest.mark.django_db
BANNER = "Shadow mode: nothing is sent, nobody is called."


@pytest.fixture
def admin():
    make.company()
    return make.user("administrator")


@pytest.fixture
def period(admin):
    """Return an ended period with one lead."""
    touch = make.touch(vendor_lead_id="LC-1")
    started_at = touch.at - timedelta(hours=1)
    period = ShadowPeriod.objects.create(
        from_at=started_at, started_by=admin, ended_at=started_at + timedelta(days=14)
    )
    ShadowLead.objects.create(lead=touch.lead, period=period, touch=touch, arrived_at=touch.at)
    return period


def test_switch_needs_a_fresh_proof_and_keeps_who_and_when(admin, signed_in, settings):
    settings.IS_DEMO = False
    browser, page_url = signed_in(admin), reverse("setup_shadow")
    asked = browser.post(page_url, {"turn": "on"})
    assert asked.url.startswith(reverse("prove_again")) and not ShadowPeriod.objects.exists()
    browser.post(reverse("prove_again"), {"password": make.PASSWORD, "to": page_url})

    browser.post(page_url, {"turn": "on"})
    browser.post(page_url, {"turn": "on"})
    period = ShadowPeriod.objects.get()
    assert (period.started_by, period.ended_at) == (admin, None)
    officer = make.officer().user
    for user, path in ((admin, reverse("setup")), (officer, "/queue/")):
        assert BANNER in signed_in(user).get(path).text
    assert "Shadow mode is on: nothing is sent" in browser.get(reverse("setup")).text

    browser.post(page_url, {"turn": "off"})
    period.refresh_from_db()
    assert period.ended_by == admin and period.ended_at
    assert BANNER not in signed_in(officer).get("/queue/").text
    kinds = AccessEntry.objects.filter(user_id=admin.pk, kind__startswith="shadow").order_by("at")
    assert [entry.kind for entry in kinds] == ["shadow_started", "shadow_ended"]
    events = Event.objects.filter(kind__startswith="org.shadow").order_by("occurred_at")
    assert [event.actor for event in events] == [f"user:{admin.pk}"] * 2
    assert "Turned shadow mode off" in browser.get(reverse("access_log")).text


def test_branch_users_and_other_roles_have_no_part_in_shadow_mode(period, signed_in):
    branch_admin = make.user("administrator", branch=make.branch("Tampa"))
    for user in (branch_admin, make.user("manager"), make.officer().user):
        browser = signed_in(user)
        assert browser.post(reverse("setup_shadow"), {"turn": "on"}).status_code == 403
        assert browser.get(reverse("shadow_report", args=[period.pk])).status_code == 403
    operations = signed_in(make.user("operations"))
    assert operations.get(reverse("shadow_report", args=[period.pk])).status_code == 200
    assert operations.get(reverse("shadow_list", args=[period.pk])).status_code == 403
    assert ShadowPeriod.objects.count() == 1


def test_list_is_previewed_before_it_is_kept(period, admin, signed_in):
    browser = signed_in(admin)
    list_url = reverse("shadow_list", args=[period.pk])
    first_contact = ShadowLead.objects.get().arrived_at + timedelta(minutes=41)
    text = f"vendor id,first contact\nLC-1,{first_contact.isoformat()}\nLC-1,soon\n"
    upload = SimpleUploadedFile("theirs.csv", text.encode())

    preview = browser.post(list_url, {"lines": "", "file": upload}).text
    assert "Line 3" in preview and "isn’t readable" in preview.replace("&#x27;", "’")
    assert "1 of 1 lead received in shadow mode" in preview
    assert not ShadowResult.objects.exists()
    assert browser.post(list_url, {"lines": "  "}).status_code == 422

    browser.post(reverse("shadow_list_keep", args=[period.pk]), {"lines": text})
    assert ShadowResult.objects.get().lead == ShadowLead.objects.get().lead
    report = browser.get(reverse("shadow_report", args=[period.pk])).text
    assert "fewer than 10 leads" in report and "What this does not show" in report
    assert "No listed lead is old enough" in report

    file = browser.get(reverse("shadow_file", args=[period.pk]))
    assert file["Content-Type"].startswith("text/csv") and "2460.0" in file.text
    assert AccessEntry.objects.get(kind="exported").subject == "shadow report"


def test_report_of_an_open_period_without_leads_says_what_to_do(admin, signed_in):
    period = ShadowPeriod.objects.create(from_at=timezone.now(), started_by=admin)

    page = signed_in(admin).get(reverse("shadow_report", args=[period.pk])).text

    assert "No lead has arrived in shadow mode" in page and reverse("sources") in page
