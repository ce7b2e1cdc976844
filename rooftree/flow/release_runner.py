"""Releases: create, dry-run and send messages to many people at a pace."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.tasks import task

from rooftree.db.statements import execute, query_row
from rooftree.flow import clock
from rooftree.flow.message_dispatch import send_messages_by_id
from rooftree.nurture import borrower_alerts, due_steps
from rooftree.org import shadow_mode
from rooftree.org.current_company import current_company
from rooftree.org.models import User
from rooftree.outreach.messages import automatic_messages, first_response
from rooftree.outreach.messages.automatic_messages import MessageRequest
from rooftree.outreach.models import Message
from rooftree.outreach.releases import release_control, release_drafts, release_progress
from rooftree.outreach.releases.audience import MAX_PEOPLE, Audience
from rooftree.outreach.releases.models import RUNNING_STATES, Release, ReleaseMember
from rooftree.outreach.releases.release_dry_run import DryRunTally
from rooftree.rates.models import RateObservation, RateWatch
from rooftree.tasks.live_updates import publish_update

OBSERVATION_TIME = timedelta(minutes=30)  # before a canary can pass without a person
DRY_RUN_BATCH = 100  # people per dry-run batch
_PACEMAKER_LOCK = 7_204  # advisory lock of the only process that sends


def create_release(
    *, title: str, audience: Audience, key: str, medium: str, by: User, at: datetime
) -> Release:
    """Create a draft of one template to many people and enqueue its dry run.

    Raises `release_control.CannotChangeRelease`.
    """
    rows = audience.select_leads(by, at=at).select_related("person")
    leads = list(rows[: MAX_PEOPLE + 1])
    if not leads:
        raise release_control.CannotChangeRelease("No one is in this audience. Change its filters.")
    if len(leads) > MAX_PEOPLE:
        raise release_control.CannotChangeRelease(
            f"This audience has more than {MAX_PEOPLE:,} people. Narrow it."
        )
    with transaction.atomic():
        template = {"key": key, "medium": medium, "worded_at": at.isoformat()}
        about = {**template, "audience": audience.to_json()}
        release = release_drafts.create_draft(
            kind="written", title=title, about=about, by=by, at=at
        )
        release_drafts.add_members(
            release, {f"release:{release.pk}:{lead.pk}": lead for lead in leads}, at=at
        )
        dry_run_release.enqueue(release_id=str(release.pk))
    return release


@task(queue_name="soon")
def dry_run_release(*, release_id: str) -> None:
    """Run the dry run of a release. It changes nothing, so an interrupted one starts over."""
    run_dry_run(release_id=UUID(release_id), at=clock.now())


def run_dry_run(*, release_id: UUID, at: datetime) -> None:
    """Ask the gate about everyone in an unapproved release and store the verdict counts."""
    release = Release.objects.get(pk=release_id)
    tally = DryRunTally(current_company())
    for members in batched(
        _select_members(release).iterator(chunk_size=DRY_RUN_BATCH), DRY_RUN_BATCH
    ):
        with transaction.atomic():
            requests = _build_messages(release, members, at)
        tally.add_requests(requests, len(members), at=at, worded_at=_wording_date(release, at))
    undecided = Release.objects.filter(pk=release_id, state__in=["draft", "waiting"])
    undecided.update(findings=tally.to_json())
    publish_update("releases", release=str(release_id))


def run_releases(*, at: datetime) -> int:
    """Send the messages that running releases can send now; return how many. Runs every second.

    Only one process sends at a time, because the pace is counted across all releases. In shadow
    mode campaigns wait; its end stops those made in it.
    """
    if shadow_mode.is_shadow_on():
        return 0
    release_drafts.seal_quiet_drafts(at=at)
    release_control.cancel_late_messages(at=at)
    _dry_run_automatic_releases()
    _continue_healthy_releases(at)
    with _pacemaker_lock() as is_locked:
        if not is_locked:
            return 0
        running = Release.objects.filter(state__in=RUNNING_STATES).order_by("made_at", "pk")
        return sum(_run_release(release, at) for release in running)


def _run_release(release: Release, at: datetime) -> int:
    started_at, limit = clock.now(), release_progress.count_sendable_now(release, at=at)
    ids = _find_due_message_ids(release, limit, at)
    if len(ids) < limit:
        _create_messages(release, limit - len(ids), at)
        ids = _find_due_message_ids(release, limit, at)
    handled = send_messages_by_id(ids, at=at) if ids else 0
    after = at + (clock.now() - started_at)  # after the messages just sent
    if (
        release.state == "canary"
        and release_progress.count_people_reached(release) >= release.canary_size
    ):
        release_control.pause_for_review(release, at=after)
    elif release_progress.is_finished(release):
        release_control.finish_release(release, at=after)
    if handled:
        publish_update("releases", release=str(release.pk))
    return handled


def _find_due_message_ids(release: Release, limit: int, at: datetime) -> list[UUID]:
    due = release.messages.filter(state__in=["waiting", "held"], due_at__lte=at)
    return list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])


def _create_messages(release: Release, people: int, at: datetime) -> None:
    """Create the messages of the next few people, in the name of each lead's current owner."""
    with transaction.atomic():
        waiting = _select_members(release).filter(added_at=None)
        members = list(waiting.select_for_update(of=("self",), skip_locked=True)[:people])
        messaged = set(release.messages.values_list("person_id", flat=True)) if members else set()
        # Two members can have been merged into one person since.
        by_person = {member.lead.person_id: member for member in members}
        new = [member for person_id, member in by_person.items() if person_id not in messaged]
        messages = automatic_messages.queue_requests(
            _build_messages(release, new, at), at=at, worded_at=_wording_date(release, at)
        )
        queued = Message.objects.filter(
            pk__in=[message.pk for message in messages], state="waiting", release=None
        )
        queued.update(release=release)
        ReleaseMember.objects.filter(pk__in=[member.pk for member in members]).update(added_at=at)


def _select_members(release: Release) -> QuerySet[ReleaseMember]:
    rows = release.members.select_related("lead__person", "lead__officer__user", "lead__source")
    return rows.order_by("pk")


def _wording_date(release: Release, at: datetime) -> datetime:
    """Return the date of the wording its approver read; automatic releases use today's."""
    worded_at = release.about.get("worded_at")
    return datetime.fromisoformat(worded_at) if worded_at else at


def _build_messages(
    release: Release, members: Sequence[ReleaseMember], at: datetime
) -> list[MessageRequest]:
    return MESSAGE_BUILDERS[release.kind](release, members, at)


def _build_written_messages(
    release: Release, members: Sequence[ReleaseMember], at: datetime
) -> list[MessageRequest]:
    key, medium = release.about["key"], release.about["medium"]
    return [
        MessageRequest(
            lead=member.lead, key=key, medium=medium, idempotency_key=member.idempotency_key
        )
        for member in members
        if member.lead.state in Audience().stages
    ]


def _build_rate_messages(
    release: Release, members: Sequence[ReleaseMember], at: datetime
) -> list[MessageRequest]:
    observation = RateObservation.objects.get(pk=release.about["observation"])
    watches = RateWatch.objects.in_bulk([_origin_id(member) for member in members])
    requests = []
    for member in members:
        if watch := watches.get(_origin_id(member)):
            watch.lead = member.lead
            requests += borrower_alerts.build_rate_alert(
                watch=watch, observation=observation, at=at
            )
    return requests


def _build_step_messages(
    release: Release, members: Sequence[ReleaseMember], at: datetime
) -> list[MessageRequest]:
    return [
        request
        for member in members
        for request in due_steps.build_step_requests(member.idempotency_key)
    ]


MESSAGE_BUILDERS: dict[
    str, Callable[[Release, Sequence[ReleaseMember], datetime], list[MessageRequest]]
] = {
    "written": _build_written_messages,
    "rates": _build_rate_messages,
    "greetings": lambda release, members, at: first_response.build_requests(
        [_origin_id(member) for member in members], at=at
    ),
    "steps": _build_step_messages,
}


def _origin_id(member: ReleaseMember) -> UUID:
    return UUID(member.idempotency_key.split(":")[1])


def _dry_run_automatic_releases() -> None:
    """Enqueue dry runs of automatic releases, so their approver sees one as for any other."""
    untried = Release.objects.filter(state="waiting", findings__isnull=True)
    for key in untried.values_list("pk", flat=True):
        with transaction.atomic():
            if untried.filter(pk=key).update(findings={}):  # claims the dry run
                dry_run_release.enqueue(release_id=str(key))


def _continue_healthy_releases(at: datetime) -> None:
    if not settings.RELEASE_AUTO_CONTINUE:
        return
    for release in Release.objects.filter(state="looking", checked_at__lte=at - OBSERVATION_TIME):
        if release_progress.load_canary_result(release).is_healthy:
            release_control.continue_release(release, by=None, at=at)


@contextmanager
def _pacemaker_lock() -> Iterator[bool]:
    """Hold the lock of the only process that sends; yield False if another process has it.

    The lock ends with the session, so a dead process does not block the others.
    """
    (is_locked,) = query_row("select pg_try_advisory_lock(%s)", [_PACEMAKER_LOCK])
    try:
        yield is_locked
    finally:
        if is_locked:
            execute("select pg_advisory_unlock(%s)", [_PACEMAKER_LOCK])
