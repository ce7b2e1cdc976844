"""Campaigns: recipients, second-person approval, canary, pace and stop."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from rooftree.compliance.consent import store_revocation
from rooftree.core.vendor_errors import RetryLater
from rooftree.flow import clock, message_reviews, person_merges, rate_alerts, release_runner
from rooftree.ledger.models import Event
from rooftree.nurture.models import Enrollment, Sequence
from rooftree.org.models import StaffNotice
from rooftree.outreach.messages import send, send_pacing
from rooftree.outreach.models import Message
from rooftree.outreach.releases import release_control, release_drafts, release_progress
from rooftree.outreach.releases.audience import Audience
from rooftree.outreach.releases.models import Release
from rooftree.outreach.wording.message_templates import MessageContent
from rooftree.rates import rate_watch
from rooftree.routing.models import Ownership
from tests import make
from tests.flow import journey

pytestmark = pytest.mark.django_db


@pytest.fixture
def limits(db, settings) -> None:
    """Set campaigns to need approval above three people and to pause after a canary of two."""
    make.release_limits(free_size=3, canary_size=2)
    settings.RELEASE_PER_SECOND = 5


@pytest.fixture
def mia(db):
    return make.user("marketing", name="Mia Torres")


@pytest.fixture
def omar(db):
    return make.user("compliance", name="Omar Haddad")


@pytest.fixture
def people(dana) -> Iterator[list]:
    """Create five borrowers of Dana who can get email."""
    return [make.lead(officer=dana, state="working") for _ in range(5)]


def create_release(by, at=make.NOON, **changes) -> Release:
    """Create a campaign of one email to everyone, with its preview."""
    release = release_runner.create_release(
        title="Spring check-in", audience=Audience(**changes), key="not_reached_2",
        medium="email", by=by, at=at,
    )  # fmt: skip
    journey.run(at)
    release.refresh_from_db()
    return release


def at_second(number: float):
    return make.NOON + number * make.SECOND


def go(release: Release, number: float) -> Release:
    journey.run(at_second(number))
    release.refresh_from_db()
    return release


def approve(release: Release, by, number: float = 1) -> Release:
    release_drafts.seal_draft(release.pk, by=release.made_by, at=at_second(number))
    release_control.approve_release(release, by=by, at=at_second(number + 0.5))
    release.refresh_from_db()
    return release


def hand_to(lead, officer) -> None:
    """Reassign the lead to another officer."""
    Ownership.objects.filter(lead=lead, until_at=None).update(until_at=at_second(1))
    make.ownership(lead, officer, at=at_second(1))


def written_to(carriers) -> int:
    """Count the emails to borrowers, without those to staff."""
    return sum(letter["to"][0].endswith("@home.example") for letter in carriers.letters)


def left(release: Release) -> int:
    return release.messages.filter(state__in=["sent", "delivered"]).count()


def test_campaign_preview_counts_verdicts_and_sends_nothing(limits, people, mia, carriers):
    store_revocation.store_revocation(
        person_id=people[0].person_id, address=people[0].person.emails.get().address,
        kind="unsubscribe", media=["email"], origin="page:1", idempotency_key="page:1",
        at=make.NOON - make.DAY,
    )  # fmt: skip
    people[1].person.emails.all().delete()

    release = create_release(mia)

    findings = release.findings
    assert (findings["people"], findings["messages"], findings["unreachable"]) == (5, 4, 1)
    answers = {row["decision"]: row["messages"] for row in findings["said"]}
    assert answers == {"allow": 3, "block": 1}
    assert "Lindenfield" in findings["examples"][0]["body"]
    assert Message.objects.filter(release=release).count() == 0
    assert carriers.letters == []


def test_large_campaign_waits_for_second_persons_approval(limits, people, mia, omar):
    release = create_release(mia)
    release_drafts.seal_draft(release.pk, by=mia, at=at_second(1))
    go(release, 2)

    assert (release.state, release.size, left(release)) == ("waiting", 5, 0)
    assert "Mia Torres asks" in StaffNotice.objects.get(user=omar).text
    with pytest.raises(release_control.CannotChangeRelease, match="Someone other than"):
        release_control.approve_release(release, by=mia, at=at_second(3))


def test_database_rejects_approval_by_campaign_maker(limits, people, mia):
    release = create_release(mia)
    release_drafts.seal_draft(release.pk, by=mia, at=at_second(1))
    rows = Release.objects.filter(pk=release.pk)

    with pytest.raises(IntegrityError, match="release_second_person"), transaction.atomic():
        rows.update(state="canary", approved_by=mia, approved_at=at_second(2))
    with pytest.raises(IntegrityError, match="release_large_approved"), transaction.atomic():
        rows.update(state="canary")
    with pytest.raises(ProgrammingError, match="cannot become"), transaction.atomic():
        rows.update(state="going")
    with pytest.raises(ProgrammingError, match="limits cannot be changed"), transaction.atomic():
        rows.update(free_size=100)
    with pytest.raises(ProgrammingError, match="no draft"), transaction.atomic():
        release_drafts.add_members(release, {"release:x": make.lead()}, at=at_second(2))


def test_small_campaign_needs_no_approval(limits, people, mia, carriers):
    for lead in people[3:]:
        type(lead).objects.filter(pk=lead.pk).update(state="application")
    release = create_release(mia)
    release_drafts.seal_draft(release.pk, by=mia, at=at_second(1))

    go(release, 2)

    assert (release.size, left(release), release.state) == (3, 3, "done")
    assert written_to(carriers) == 3


def test_campaign_sends_canary_first_and_rest_after_review(limits, people, mia, omar, carriers):
    release = approve(create_release(mia), omar)
    for number in (2, 4, 6):
        go(release, number)

    assert (release.state, left(release)) == ("looking", 2)
    result = release_progress.load_canary_result(release)
    assert (result.submitted, result.failed, result.stops, result.is_healthy) == (2, 0, 0, True)
    assert StaffNotice.objects.filter(user=omar, text__contains="The first 2").exists()

    release_control.continue_release(release, by=mia, at=at_second(7))
    go(release, 8)

    assert (release.state, left(release)) == ("done", 5)
    noted = Event.objects.filter(kind__startswith="outreach.release.")
    kinds = noted.order_by("occurred_at", "pk").values_list("kind", flat=True)
    assert [kind.rsplit(".", 1)[1] for kind in kinds] == [
        "begun", "waiting", "approved", "looking", "went_on", "done",
    ]  # fmt: skip


def test_campaign_continues_automatically_unless_canary_complains(
    limits, people, mia, omar, settings
):
    settings.RELEASE_AUTO_CONTINUE = True
    release = go(approve(create_release(mia), omar), 2)
    reached = release.messages.first()
    complaint = store_revocation.store_revocation(
        person_id=reached.person_id, address=reached.to_address, kind="do_not_contact",
        media=["email"], origin="user:1", idempotency_key="page:2", at=at_second(60),
    )  # fmt: skip

    go(release, 31 * 60)
    assert release.state == "looking"
    assert release_progress.load_canary_result(release).exceeded_limits == ["complaints"]

    type(complaint).objects.filter(pk=complaint.pk).delete()
    go(release, 32 * 60)
    assert (release.state, release.resumed_by) == ("done", None)


def test_campaign_stays_within_pace_and_hourly_cap(limits, people, mia, omar, settings):
    settings.RELEASE_PER_SECOND = 1
    make.release_limits(per_hour=4)
    release = go(approve(create_release(mia), omar), 2)
    assert left(release) == 1
    go(release, 2.5)
    assert left(release) == 1
    release_control.continue_release(go(release, 3), by=omar, at=at_second(3))

    for number in range(4, 10):
        go(release, number)
    assert (release.state, left(release)) == ("going", 4)

    go(release, 3605)
    assert (release.state, left(release)) == ("done", 5)


def test_held_messages_go_before_campaign_within_same_pace(limits, people, mia, omar, settings):
    settings.RELEASE_PER_SECOND = 2
    release = approve(create_release(mia), omar)
    waited = [
        send.queue_message(
            lead=person, medium="text", purpose="informational",
            words=MessageContent(body="Hi"),
            cause=f"step:{person.pk}", to="+18135550101", at=at_second(0) - make.HOUR,
        ).pk
        for person in people[:3]
    ]  # fmt: skip
    Message.objects.filter(pk__in=waited).update(due_at=at_second(2))
    assert release_progress.count_sendable_now(release, at=at_second(2)) == 0

    send_pacing.spread_due_messages(at=at_second(2))
    assert release_progress.count_sendable_now(release, at=at_second(2)) == 0
    Message.objects.filter(pk__in=waited, due_at__lte=at_second(2.5)).update(state="sent")
    assert release_progress.count_sendable_now(release, at=at_second(2.5)) == 1
    Message.objects.filter(pk__in=waited).update(state="sent")
    assert release_progress.count_sendable_now(release, at=at_second(3)) == 2


def test_stopped_campaign_cancels_all_unsent_messages(limits, people, mia, omar, carriers):
    release = go(approve(create_release(mia), omar), 2)
    release_control.continue_release(release, by=omar, at=at_second(3))
    Message.objects.filter(release=release).update(delivered_at=at_second(2.5), state="delivered")
    release.refresh_from_db()
    release_runner._create_messages(release, 10, at_second(3))

    taken = release_control.stop_release(release, by=mia, because="Wrong rate", at=at_second(4))
    go(release, 60)

    assert (taken, release.state, release.stopped_by, left(release)) == (3, "stopped", mia, 2)
    cancelled = release.messages.filter(state="cancelled")
    assert {message.problem for message in cancelled} == {
        "Mia Torres stopped the campaign: Wrong rate"
    }
    assert written_to(carriers) == 2
    assert list(release_progress.messages_beyond_recall(release)) == []


def test_messages_beyond_recall_are_those_sent_in_last_two_seconds(
    limits, people, mia, omar, carriers, settings
):
    settings.RELEASE_PER_SECOND = 1
    release = go(approve(create_release(mia), omar), 2)
    go(release, 3.5)
    first, last = release.messages.order_by("claimed_at")

    release_control.stop_release(release, by=omar, because="", at=at_second(4.2))
    release.refresh_from_db()

    assert first.claimed_at < last.claimed_at
    assert list(release_progress.messages_beyond_recall(release)) == [last]


def test_campaign_stopped_between_claim_and_carrier_sends_nothing(
    limits, people, mia, omar, carriers
):
    release = approve(create_release(mia), omar)
    release_runner._create_messages(release, 2, at_second(2))
    ids = list(release.messages.values_list("pk", flat=True))
    claimed = send._claim_messages(ids, at_second(2))
    assert len(claimed) == 2

    release_control.stop_release(release, by=omar, because="Wrong list", at=at_second(2.1))
    ready = send._recheck_claimed(claimed, at_second(2.2))

    assert ready == []
    assert set(release.messages.values_list("state", "claimed_at")) == {("cancelled", None)}


def test_message_requeued_after_stop_is_canceled(limits, people, mia, omar, carriers):
    release = approve(create_release(mia), omar)
    release_runner._create_messages(release, 2, at_second(2))
    ids = release.messages.values_list("pk", flat=True)
    handing_over = send._recheck_claimed(send._claim_messages(ids, at_second(2)), at_second(2))
    release_control.stop_release(release, by=omar, because="Wrong list", at=at_second(2.1))
    for message in handing_over:
        send._requeue_message(
            message.message, RetryLater("The carrier is busy."), make.MINUTE, at_second(2.2)
        )
    assert set(release.messages.values_list("state", flat=True)) == {"waiting"}

    go(release, 3)

    outcomes = release.messages.values_list("state", "problem").distinct()
    assert list(outcomes) == [("cancelled", "Omar Haddad stopped the campaign: Wrong list")]


def test_campaign_message_is_from_current_owner(limits, people, mia, omar, carriers):
    make.release_limits(canary_size=5)
    sam, former_officer = make.officer("Sam Okafor"), make.officer("Gil Gone")
    release = approve(create_release(mia), omar)
    moved, ended, *_ = people
    hand_to(moved, sam), hand_to(ended, former_officer)
    type(former_officer).objects.filter(pk=former_officer.pk).update(terminated_at=at_second(1))

    go(release, 2)

    message = Message.objects.get(release=release, lead=moved)
    assert (message.state, message.officer) == ("sent", sam)
    assert sam.nmls_id in message.body
    assert "not_sponsored" in Message.objects.get(release=release, lead=ended).verdict.reason


def test_held_campaign_message_is_signed_by_new_owner(limits, people, mia, omar, dana, carriers):
    sam = make.officer("Sam Okafor")
    release = approve(create_release(mia), omar)
    release_runner._create_messages(release, 1, at_second(2))
    message = release.messages.get()
    hand_to(message.lead, sam)

    send.deliver_messages([message.pk], at=at_second(3))

    message.refresh_from_db()
    assert (message.state, message.officer) == ("sent", sam)
    (letter,) = carriers.letters
    assert dict(letter["headers"])["From"].startswith("Sam Okafor <")
    assert f"Sam Okafor NMLS {sam.nmls_id}" in letter["text"]
    assert "Dana Whitfield" not in letter["text"]


def test_people_merged_before_their_turn_get_one_message(limits, people, mia, omar):
    release = approve(create_release(mia), omar)
    kept, duplicate, *_ = people
    person_merges.merge_people(
        survivor_id=kept.person_id,
        duplicate_id=duplicate.person_id,
        reason="spoken",
        by=omar,
        at=at_second(1.7),
    )

    release_runner._create_messages(release, 5, at_second(2))

    assert release.messages.count() == 4
    assert release.messages.filter(person=kept.person_id).count() == 1
    assert not release.members.filter(added_at=None).exists()


def test_campaign_stays_open_while_message_is_in_review(limits, people, mia, omar, carriers):
    for lead in people[3:]:
        type(lead).objects.filter(pk=lead.pk).update(state="application")
    unread, release = people[0], create_release(mia)
    store_revocation.store_revocation(
        person_id=unread.person_id, address=unread.person.emails.get().address, kind="review",
        media=["email"], words="cancel Tuesday", origin="page:1", idempotency_key="page:1",
        at=at_second(1),
    )  # fmt: skip
    release_drafts.seal_draft(release.pk, by=mia, at=at_second(1))
    go(release, 2)
    review_message = release.messages.get(state="review")
    assert (release.state, left(release)) == ("going", 2)

    message_reviews.decide_message(
        message_id=review_message.pk, is_release=True, reason="Read it", by=omar, at=at_second(3)
    )
    go(release, 4)

    assert (release.state, left(release)) == ("done", 3)


def rate_watches(people) -> None:
    for lead in people:
        rate_watch.set_watch(
            lead=lead, product="30yr_fixed", target_pct=Decimal("6.000"), by=None, at=make.NOON
        )


def record(rate: str, at) -> None:
    with clock.freeze(at):
        rate_alerts.record_rate(
            product="30yr_fixed", rate_pct=Decimal(rate), apr_pct=Decimal("6.1"),
            points=Decimal(0), sheet="Tuesday", by=None, at=at,
        )  # fmt: skip


def test_rate_alert_for_many_borrowers_waits_for_approval(limits, people, omar, dana, carriers):
    rate_watches(people)
    record("5.875", at_second(1))
    journey.run(at_second(2))

    release = Release.objects.get()
    assert (release.kind, release.state, release.size) == ("rates", "waiting", 5)
    assert release.made_by is None
    assert release.findings["messages"] == 10  # the approver sees a preview, too
    assert Message.objects.count() == 0

    release_control.approve_release(release, by=omar, at=at_second(3))
    for number in (4, 5, 6):
        go(release, number)
    assert release.state == "looking"
    assert {message.idempotency_key.split(":")[0] for message in release.messages.all()} == {
        "watch"
    }
    assert "5.875%" in carriers.letters[0]["text"]


def test_rate_alert_for_few_borrowers_is_sent_at_once(limits, people, dana, carriers):
    rate_watches(people[:2])
    record("5.875", at_second(1))
    journey.run(at_second(2))

    assert Release.objects.count() == 0
    assert len(carriers.letters) == 2


def test_sequence_step_for_many_borrowers_waits_for_approval(limits, people, omar, dana, carriers):
    sequence = Sequence.objects.get(key="not_reached")
    for lead in people:
        Enrollment.objects.create(
            lead=lead, sequence=sequence, next_step=1, started_at=make.NOON, due_at=make.NOON
        )
    journey.run(at_second(1))

    release = Release.objects.get()
    assert (release.kind, release.state, release.size) == ("steps", "waiting", 5)
    assert Message.objects.count() == 0
    Enrollment.objects.filter(lead=people[0]).update(end_reason="replied")
    release_control.approve_release(release, by=omar, at=at_second(2))
    for number in (3, 4, 5):
        go(release, number)
    release_control.continue_release(release, by=omar, at=at_second(6))
    go(release, 7)

    assert release.state == "done"
    assert release.messages.count() == 4  # borrowers who replied meanwhile get none
    assert not release.messages.filter(lead=people[0]).exists()


def test_officers_cannot_see_or_create_campaigns():
    from rooftree.routing.permissions import ROLES_BY_PERMISSION

    for act in ("see_releases", "make_release", "approve_release", "stop_release"):
        assert not {"officer", "assistant", "manager", "executive"} & {*ROLES_BY_PERMISSION[act]}
