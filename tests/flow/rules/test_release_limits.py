"""Release limits are house rules, which two people change from a given day."""

from datetime import UTC, date, datetime

import pytest

from rooftree.compliance.rule_changes.change_approval import BadChange, ChangeGrounds
from rooftree.flow import clock, message_dispatch, rule_change_process
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.releases import release_drafts
from rooftree.reporting import deep_checks
from rooftree.reporting.evidence import evidence_data
from tests import make
from tests.flow.in_line import create_consented_lead, florida_time, queue_message

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)
TOMORROW = date(2026, 11, 24)
DEFAULT_LIMITS = (100, 50, 1000)


def grounds(from_date=TODAY, counsel=""):
    return ChangeGrounds(from_date=from_date, cite="Policy 7", why="We are few", counsel=counsel)


def propose_limit(by, item, value, *, at=make.NOON, **changes):
    return rule_change_process.propose_change(
        place="US", item=item, value=value, grounds=grounds(**changes), by=by, at=at
    )


def approve_limit(omar, lena, item, value, **changes):
    change = propose_limit(omar, item, value, **changes)
    return rule_change_process.approve_change(change_id=change.pk, by=lena, at=make.NOON)


def create_release(at=make.NOON):
    return release_drafts.create_draft(kind="written", title="Hello", about={}, by=None, at=at)


def limits(release):
    release.refresh_from_db()
    return release.free_size, release.canary_size, release.per_hour


def test_changed_limits_apply_to_next_release_only(omar, lena):
    before = create_release()

    approve_limit(omar, lena, "release_free_size", 20)
    approve_limit(omar, lena, "release_canary_size", 5)
    approve_limit(omar, lena, "release_per_hour", 300)

    assert limits(create_release()) == (20, 5, 300)
    assert limits(before) == DEFAULT_LIMITS


def test_release_above_changed_limit_waits_for_second_person(omar, lena):
    approve_limit(omar, lena, "release_free_size", 1)
    people = {f"hello:{number}": make.lead() for number in range(2)}

    large_release = release_drafts.create_and_seal(
        kind="written", title="Hello", members=people, at=make.NOON
    )
    small_release = release_drafts.create_and_seal(
        kind="written", title="Hello", members={"hello:0": people["hello:0"]}, at=make.NOON
    )

    assert (large_release.state, small_release.state) == ("waiting", "going")


def test_proposed_limit_changes_nothing(omar):
    propose_limit(omar, "release_free_size", 20)

    assert limits(create_release()) == DEFAULT_LIMITS


def test_rule_change_starts_at_company_midnight(omar, lena):
    """Midnight in New York is 05:00 UTC."""
    approve_limit(omar, lena, "release_free_size", 20, from_date=TOMORROW)

    assert limits(create_release(datetime(2026, 11, 24, 4, 59, tzinfo=UTC))) == DEFAULT_LIMITS
    assert limits(create_release(datetime(2026, 11, 24, 5, 0, tzinfo=UTC))) == (20, 50, 1000)


def test_withdrawn_limit_change_ends_on_its_day(omar, lena):
    change = approve_limit(omar, lena, "release_canary_size", 5)
    withdrawal = rule_change_process.propose_withdrawal(
        change=change, grounds=grounds(TOMORROW), by=lena, at=make.NOON
    )
    rule_change_process.approve_change(change_id=withdrawal.pk, by=omar, at=make.NOON)

    assert limits(create_release()) == (100, 5, 1000)
    assert limits(create_release(make.NOON + make.DAY)) == DEFAULT_LIMITS


@pytest.mark.parametrize(
    ("item", "value", "reason"),
    [
        ("release_free_size", -1, "A whole number from 0 to 100."),
        ("release_free_size", 101, "A whole number from 0 to 100."),
        ("release_canary_size", 0, "A whole number from 1 to 50."),
        ("release_canary_size", 51, "A whole number from 1 to 50."),
        ("release_per_hour", 0, "A whole number from 1 to 5,000."),
        ("release_per_hour", 5001, "A whole number from 1 to 5,000."),
    ],
)
def test_limit_out_of_bounds_is_refused_with_allowed_range(item, value, reason, omar):
    with pytest.raises(BadChange) as refused:
        propose_limit(omar, item, value, counsel="Memo 4")

    assert (str(refused.value), refused.value.field) == (reason, "value")


@pytest.mark.parametrize(
    ("item", "value"), [("release_free_size", 0), ("release_canary_size", 1),
                        ("release_per_hour", 1)],
)  # fmt: skip
def test_tightest_limit_is_allowed_without_counsel(item, value, omar):
    assert not propose_limit(omar, item, value).is_looser


def test_higher_hourly_limit_requires_counsel_document(omar):
    with pytest.raises(BadChange, match="Name the document"):
        propose_limit(omar, "release_per_hour", 5000)

    assert propose_limit(omar, "release_per_hour", 5000, counsel="Memo 4").is_looser


def test_changed_release_limit_affects_no_message_or_verdict(omar, lena):
    lead = create_consented_lead("Ann")
    message, night = (
        queue_message(lead, florida_time("2026-11-23T22:00")),
        florida_time("2026-11-23T22:00"),
    )
    with clock.freeze(night):
        message_dispatch.send_due_messages(at=night)
    message.refresh_from_db()
    assert message.state == "held"
    morning = message.due_at

    change = propose_limit(omar, "release_per_hour", 300)
    rule_change_process.run_dry_run(change_id=change.pk, at=make.NOON)
    rule_change_process.approve_change(change_id=change.pk, by=lena, at=make.NOON)
    verdict = contact_permissions.decide_call(lead_id=lead.pk, cause="test:1", at=make.NOON)

    change.refresh_from_db()
    message.refresh_from_db()
    assert (change.dry_run, message.due_at) == ({"first": []}, morning)
    assert verdict.facts["amendments"] == []
    assert deep_checks.is_same_verdict(verdict)
    assert all(check(make.NOON).holds for check in deep_checks.DEEP_CHECKS[:3])
    assert (
        evidence_data.collect_evidence(lead.person.phones.get().e164, at=make.NOON)["rule_changes"]
        == []
    )
