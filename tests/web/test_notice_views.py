import pytest
from django.urls import reverse

from rooftree.org import staff_notices
from rooftree.org.models import StaffNotice
from tests import make


@pytest.fixture
def alert_address(cast):
    """Notify Ruth that no one took Ben's lead and Dana that he replied; return its address."""
    link = reverse("lead", args=[cast.ben.pk])
    for user, kind, text in (
        (cast.ruth, "unclaimed", "Unclaimed lead: Zillow purchase in FL."),
        (cast.dana.user, "reply", "Ben wrote."),
    ):
        staff_notices.notify_user(
            user_id=user.pk,
            kind=kind,
            idempotency_key=f"{kind}:1",
            text=text,
            link=link,
            at=make.NOON,
        )
    return link


def test_bell_counts_unread_notices(cast, alert_address, signed_in):
    page = signed_in(cast.dana.user).get("/queue/")

    assert 'aria-label="Notifications, 1 unread"' in page.text
    assert "Ben wrote." in page.text


def test_alert_is_on_the_managers_team_page_and_links_to_the_lead(cast, alert_address, signed_in):
    browser = signed_in(cast.ruth)
    assert "Unclaimed lead: Zillow purchase in FL." in browser.get("/team/").text

    alarm = StaffNotice.objects.get(user=cast.ruth)
    answer = browser.post(reverse("notice_reading", args=[alarm.pk]))

    assert (answer.status_code, answer["Location"]) == (303, alert_address)
    assert StaffNotice.objects.get(user=cast.ruth).read_at is not None
    assert "Unclaimed lead" not in browser.get("/team/").text


def test_another_users_notice_is_a_404(cast, alert_address, signed_in):
    alarm = StaffNotice.objects.get(user=cast.ruth)

    answer = signed_in(cast.dana.user).post(reverse("notice_reading", args=[alarm.pk]))

    assert answer.status_code == 404
    assert StaffNotice.objects.get(pk=alarm.pk).read_at is None


def test_mark_all_read_changes_only_own_notices(cast, alert_address, signed_in):
    signed_in(cast.dana.user).post(reverse("notices_reading"))

    assert StaffNotice.objects.get(user=cast.dana.user).read_at is not None
    assert StaffNotice.objects.get(user=cast.ruth).read_at is None


def test_read_notices_stay_on_the_notices_page(cast, alert_address, signed_in):
    browser = signed_in(cast.dana.user)
    browser.post(reverse("notices_reading"))

    assert "Ben wrote." in browser.get("/notices/").text


def test_htmx_gets_only_the_bell_and_the_list(cast, alert_address, signed_in, htmx):
    part = signed_in(cast.dana.user).get("/notices/", headers=htmx)

    assert part.text.count('hx-swap-oob="outerMorph"') == 3
    assert "<html" not in part.text
