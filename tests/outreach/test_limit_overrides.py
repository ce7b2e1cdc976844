"""House limits can be overridden with a reason by those whom the lender lets; law never can."""

import pytest

from rooftree.compliance.models import Verdict
from rooftree.ledger.models import Event
from rooftree.outreach.calls import dial_borrower
from rooftree.outreach.calls.dial_borrower import DialedCall
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.messages.limit_overrides import CannotOverride, override_limits
from rooftree.outreach.models import LimitOverride
from rooftree.outreach.wording.typed_messages import send_typed_message
from rooftree.reporting import deep_checks
from tests import make
from tests.flow import journey
from tests.outreach.test_contact_purpose import (
    CA_NIGHT,
    CA_NUMBER,
    FL_NUMBER,
    attempt,
    lead_in,
    lend,
)

pytestmark = pytest.mark.django_db
WHY = "Rate lock ends tonight, and he asked to hear from me"


@pytest.fixture
def dana(dana):
    """An officer whom the administrator lets override house limits."""
    dana.user.overrides_limits_from = make.NOON - make.DAY
    dana.user.save()
    return dana


@pytest.fixture
def lead(dana, carriers):
    return lead_in(dana, "CA", CA_NUMBER)


def override(lead, dana, *, medium="text", at=make.NOON, reason=WHY) -> LimitOverride:
    return override_limits(lead=lead, medium=medium, reason=reason, by=dana.user, at=at)


def write(lead, dana, at=make.NOON, body="Call me today."):
    return send_typed_message(lead_id=lead.pk, medium="text", body=body, by=dana.user, at=at)


def test_overridden_limit_lets_one_text_go_and_shows_who_and_why(lead, dana):
    attempt(lead, "text", make.NOON - make.HOUR)
    assert write(lead, dana).state == "held"

    override(lead, dana)

    sent = write(lead, dana, body="Your lock ends tonight.", at=make.NOON + make.MINUTE)
    assert (sent.state, sent.verdict.reason) == ("sent", "house_limit_overridden")
    assert sent.verdict.facts["answers"] == [
        {
            "rule": "CAP-01", "reason": "house_cap_1_text_24h", "by": f"user:{dana.user.pk}",
            "at": "2026-11-23T17:00:00+00:00", "words": WHY,
        }
    ]  # fmt: skip
    assert deep_checks.is_same_verdict(sent.verdict)
    assert Event.objects.get(kind="outreach.limit.overridden").lead_id == lead.pk
    assert write(lead, dana, body="And one more.", at=make.NOON + 5 * make.MINUTE).state == "held"


def test_override_counts_for_one_medium_and_one_hour(lead, dana):
    for medium in ("text", "call"):
        attempt(lead, medium, make.NOON - make.HOUR)
    override(lead, dana)

    after = contact_permissions.permissions_of_lead(lead.pk, at=make.NOON + 59 * make.MINUTE)
    expired = contact_permissions.permissions_of_lead(lead.pk, at=make.NOON + 61 * make.MINUTE)

    assert (after["text"].decision, after["call"].decision) == ("allow", "defer")
    assert expired["text"].decision == "defer"


def test_automatic_message_does_not_use_the_override(lead, dana):
    attempt(lead, "text", make.NOON - make.HOUR)
    override(lead, dana)
    attempt(lead, "text", make.NOON + make.MINUTE, is_automated=True)

    assert write(lead, dana, at=make.NOON + 2 * make.MINUTE).state == "sent"


def test_state_cap_cannot_be_overridden(dana, carriers):
    lead = lead_in(dana, "FL", FL_NUMBER)
    for hours in (5, 4, 3):
        attempt(lead, "text", make.NOON - hours * make.HOUR)

    with pytest.raises(CannotOverride, match="No house limit to override"):
        override(lead, dana)
    # An override of the house limit alone doesn't lift the state's, reached since.
    LimitOverride.objects.create(
        lead=lead, medium="call", limits=["CAP-01:cap_3_in_24h"], reason=WHY, by=dana.user,
        at=make.NOON,
    )  # fmt: skip
    assert dial_borrower.begin_call(lead_id=lead.pk, by=dana.user, at=make.NOON).decision == "defer"


def test_quiet_hours_of_the_law_cannot_be_overridden(lead, dana):
    with pytest.raises(CannotOverride, match="California|Federal|after"):
        override(lead, dana, at=CA_NIGHT)


def test_night_limit_of_a_loan_in_process_can_be_overridden(lead, dana):
    lend(lead, application_date=make.NOON.date(), rank=50)
    override(lead, dana, medium="call", at=CA_NIGHT)

    assert isinstance(
        dial_borrower.begin_call(lead_id=lead.pk, by=dana.user, at=CA_NIGHT + make.MINUTE),
        DialedCall,
    )
    assert Verdict.objects.latest("at").reason == "house_limit_overridden"


def test_override_needs_a_reason_and_the_administrators_grant(lead, dana):
    attempt(lead, "text", make.NOON - make.HOUR)

    with pytest.raises(CannotOverride, match="Enter a reason"):
        override(lead, dana, reason="  ")
    dana.user.overrides_limits_from = None
    with pytest.raises(CannotOverride, match="Only people whom your administrator chose"):
        override(lead, dana)
    assert not LimitOverride.objects.exists()


def test_reachable_borrower_has_no_limit_to_override(lead, dana):
    with pytest.raises(CannotOverride, match="No house limit"):
        override(lead, dana)
    assert journey.sent_texts(lead) == []
