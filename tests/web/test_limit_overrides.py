"""The page that says why a contact waits holds the override, for those who have the grant."""

import pytest
from django.urls import reverse
from django.utils import timezone

from rooftree.compliance.models import Verdict
from rooftree.leads.models import ContactAttempt
from rooftree.ledger.models import Event
from rooftree.org.models import Company, User
from rooftree.outreach.models import LimitOverride
from rooftree.web.setup.people_views import UserForm
from tests import make

MIDDAY = timezone.now().replace(hour=19, minute=0, second=0, microsecond=0)
WHY = "He asked me to ring twice"


@pytest.fixture
def mei(cast, monkeypatch):
    """A borrower in California whom Dana called twice within the last hour."""
    at = next(day for day in (MIDDAY + n * make.DAY for n in range(7)) if day.weekday() < 4)
    monkeypatch.setattr("django.utils.timezone.now", lambda: at)
    Company.objects.update(emergencies_checked_at=at)
    asked = at - 5 * make.DAY
    lead = make.lead(
        at=asked, officer=cast.dana, source=make.source("website_form"), property_state="CA",
        person=make.person(phone="+14155550199", at=asked),
    )  # fmt: skip
    make.touch(lead, at=asked)
    for minutes in (50, 45):
        ContactAttempt.objects.create(
            lead=lead, person=lead.person, medium="call", at=at - minutes * make.MINUTE,
            result="no_answer", idempotency_key=f"test:{minutes}", by=cast.dana.user,
        )  # fmt: skip
    return lead


def grant(user):
    User.objects.filter(pk=user.pk).update(overrides_limits_from=make.NOON)


def page(lead):
    return reverse("badge", args=[lead.pk, "call"])


def test_officer_with_grant_overrides_the_limit_and_calls(cast, mei, signed_in, htmx):
    grant(cast.dana.user)
    browser = signed_in(cast.dana.user)
    assert "House limit: 1 call every 2 hours" in browser.get(page(mei)).text
    refused = browser.post(reverse("calls", args=[mei.pk]), headers=htmx)
    assert refused.status_code == 409

    answer = browser.post(reverse("limit_override", args=[mei.pk, "call"]), {"reason": WHY})

    assert (answer.status_code, answer.url) == (303, reverse("lead", args=[mei.pk]))
    dialed = browser.post(reverse("calls", args=[mei.pk]), headers=htmx)
    assert dialed["HX-Redirect"] == "tel:+14155550199"
    verdict = Verdict.objects.get(medium="call", decision="allow")
    decision = browser.get(reverse("verdict", args=[verdict.pk])).text
    assert "House limit overridden by a named person" in decision
    assert "Dana Whitfield" in decision and WHY in decision


def test_officer_without_grant_sees_no_override(cast, mei, signed_in):
    browser = signed_in(cast.dana.user)

    assert "Override house limit" not in browser.get(page(mei)).text
    answer = browser.post(reverse("limit_override", args=[mei.pk, "call"]), {"reason": WHY})

    assert answer.status_code == 403
    assert not LimitOverride.objects.exists()


def test_override_without_reason_asks_for_one(cast, mei, signed_in):
    grant(cast.dana.user)

    answer = signed_in(cast.dana.user).post(
        reverse("limit_override", args=[mei.pk, "call"]), {"reason": " "}
    )

    assert answer.status_code == 422
    assert "Enter reason." in answer.text


def test_administrator_grants_and_ends_the_override_on_the_users_page(cast, signed_in):
    admin = make.user("administrator")
    browser, dana = signed_in(admin), cast.dana.user
    url = reverse("setup_person", args=[dana.pk])
    typed = {"name": dana.name, "role": "officer", "branch": str(dana.branch_id)}
    assert "Can override house contact limits" in browser.get(url).text

    browser.post(url, typed | {"overrides_limits": "on"})
    dana.refresh_from_db()
    assert dana.overrides_limits_from is not None
    browser.post(url, typed)

    dana.refresh_from_db()
    assert dana.overrides_limits_from is None
    kinds = Event.objects.filter(kind__startswith="org.user.limits_").values_list("kind", flat=True)
    assert [*kinds.order_by("id")] == ["org.user.limits_granted", "org.user.limits_ended"]
    assert "overrides_limits" not in UserForm(user=cast.omar).fields
