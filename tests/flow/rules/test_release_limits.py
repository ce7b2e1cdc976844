"""How far a release may go is a rule of the house: two people change it, from a day on."""

from datetime import UTC, date, datetime

import pytest

from rooftree.compliance.rule_changes.change_approval import BadChange, ChangeGrounds
from rooftree.flow import clock, message_dispatch, rule_change_process
from rooftree.outreach.messages import contact_permissions
from rooftree.outreach.releases import release_drafts
from rooftree.reporting import deep_checks
from rooftree.reporting.evidence import evidence_data
from tests import make
from tests.flow.in_line import asked, florida, waiting

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)
TOMORROW = date(2026, 11, 24)
AS_THEY_CAME = (100, 50, 1000)


def grounds(from_date=TODAY, counsel=""):
    return ChangeGrounds(from_date=from_date, cite="Policy 7", why="We are few", counsel=counsel)


def drafted(by, item, value, *, at=make.NOON, **changes):
    return rule_change_process.propose_change(
        place="US", item=item, value=value, grounds=grounds(**changes), by=by, at=at
    )


def approved(omar, lena, item, value, **changes):
    one = drafted(omar, item, value, **changes)
    return rule_change_process.approve_change(change_id=one.pk, by=lena, at=make.NOON)


def begun(at=make.NOON):
    return release_drafts.create_draft(kind="written", title="Hello", about={}, by=None, at=at)


def limits(release):
    release.refresh_from_db()
    return release.free_size, release.canary_size, release.per_hour


def test_the_next_release_keeps_what_two_people_changed_and_one_that_has_begun_does_not(omar, lena):
    before = begun()

    approved(omar, lena, "release_free_size", 20)
    approved(omar, lena, "release_canary_size", 5)
    approved(omar, lena, "release_per_hour", 300)

    assert limits(begun()) == (20, 5, 300)
    assert limits(before) == AS_THEY_CAME


def test_people_above_a_changed_limit_wait_for_a_second_person(omar, lena):
    approved(omar, lena, "release_free_size", 1)
    people = {f"hello:{number}": make.lead() for number in range(2)}

    many = release_drafts.create_and_seal(
        kind="written", title="Hello", members=people, at=make.NOON
    )
    one = release_drafts.create_and_seal(
        kind="written", title="Hello", members={"hello:0": people["hello:0"]}, at=make.NOON
    )

    assert (many.state, one.state) == ("waiting", "going")


def test_a_draft_alone_changes_nothing(omar):
    drafted(omar, "release_free_size", 20)

    assert limits(begun()) == AS_THEY_CAME


def test_a_change_counts_from_the_midnight_of_the_company(omar, lena):
    """New York's, where it is five in the morning by then in Greenwich."""
    approved(omar, lena, "release_free_size", 20, from_date=TOMORROW)

    assert limits(begun(datetime(2026, 11, 24, 4, 59, tzinfo=UTC))) == AS_THEY_CAME
    assert limits(begun(datetime(2026, 11, 24, 5, 0, tzinfo=UTC))) == (20, 50, 1000)


def test_a_withdrawn_change_ends_on_its_day(omar, lena):
    one = approved(omar, lena, "release_canary_size", 5)
    end = rule_change_process.propose_withdrawal(
        change=one, grounds=grounds(TOMORROW), by=lena, at=make.NOON
    )
    rule_change_process.approve_change(change_id=end.pk, by=omar, at=make.NOON)

    assert limits(begun()) == (100, 5, 1000)
    assert limits(begun(make.NOON + make.DAY)) == AS_THEY_CAME


@pytest.mark.parametrize(
    ("item", "value", "said"),
    [
        ("release_free_size", -1, "A whole number from 0 to 100."),
        ("release_free_size", 101, "A whole number from 0 to 100."),
        ("release_canary_size", 0, "A whole number from 1 to 50."),
        ("release_canary_size", 51, "A whole number from 1 to 50."),
        ("release_per_hour", 0, "A whole number from 1 to 5,000."),
        ("release_per_hour", 5001, "A whole number from 1 to 5,000."),
    ],
)
def test_a_limit_out_of_bounds_is_refused_with_what_it_may_be(item, value, said, omar):
    with pytest.raises(BadChange) as refused:
        drafted(omar, item, value, counsel="Memo 4")

    assert (str(refused.value), refused.value.field) == (said, "value")


@pytest.mark.parametrize(
    ("item", "value"), [("release_free_size", 0), ("release_canary_size", 1),
                        ("release_per_hour", 1)],
)  # fmt: skip
def test_the_tightest_limit_is_allowed_without_counsel(item, value, omar):
    assert not drafted(omar, item, value).is_looser


def test_more_in_an_hour_than_it_came_needs_counsels_document(omar):
    with pytest.raises(BadChange, match="Name the document"):
        drafted(omar, "release_per_hour", 5000)

    assert drafted(omar, "release_per_hour", 5000, counsel="Memo 4").is_looser


def test_a_changed_limit_moves_no_message_and_is_no_fact_of_one(omar, lena):
    lead = asked("Ann")
    held, night = waiting(lead, florida("2026-11-23T22:00")), florida("2026-11-23T22:00")
    with clock.freeze(night):
        message_dispatch.send_due_messages(at=night)
    held.refresh_from_db()
    assert held.state == "held"
    morning = held.due_at

    one = drafted(omar, "release_per_hour", 300)
    rule_change_process.run_dry_run(change_id=one.pk, at=make.NOON)
    rule_change_process.approve_change(change_id=one.pk, by=lena, at=make.NOON)
    verdict = contact_permissions.decide_call(lead_id=lead.pk, cause="test:1", at=make.NOON)

    one.refresh_from_db()
    held.refresh_from_db()
    assert (one.dry_run, held.due_at) == ({"first": []}, morning)
    assert verdict.facts["amendments"] == []
    assert deep_checks.is_same_verdict(verdict)
    assert all(check(make.NOON).holds for check in deep_checks.DEEP_CHECKS[:3])
    assert (
        evidence_data.collect_evidence(lead.person.phones.get().e164, at=make.NOON)["rule_changes"]
        == []
    )
