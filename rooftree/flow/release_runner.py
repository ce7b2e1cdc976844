"""Acts that make messages to many people: gathered, looked at, let go at a pace, stopped."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import batched
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.tasks import task

from rooftree.flow import clock
from rooftree.flow.message_dispatch import send_messages_by_id
from rooftree.nurture import borrower_alerts, sequence_enrollment
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

OBSERVATION_TIME = timedelta(minutes=30)  # before the first few can be judged without a person
DRY_RUN_BATCH = 100  # people of one look in a dry run
_PACEMAKER_LOCK = 7_204  # advisory lock of the one that hands over at a time


def create_release(
    *, title: str, audience: Audience, key: str, medium: str, by: User, at: datetime
) -> Release:
    """A draft of one wording to many people, and its dry run. Raises `acts.CannotAct`."""
    leads = audience.select_leads(by, at=at).select_related("person")
    found = list(leads[: MAX_PEOPLE + 1])
    if not found:
        raise release_control.CannotChangeRelease("Nobody is in this audience.")
    if len(found) > MAX_PEOPLE:
        raise release_control.CannotChangeRelease(f"More than {MAX_PEOPLE:,} people: narrow it.")
    with transaction.atomic():
        worded = {"key": key, "medium": medium, "worded_at": at.isoformat()}
        about = {**worded, "audience": audience.to_json()}
        release = release_drafts.create_draft(
            kind="written", title=title, about=about, by=by, at=at
        )
        release_drafts.add_members(
            release, {f"release:{release.pk}:{lead.pk}": lead for lead in found}, at=at
        )
        dry_run_release.enqueue(release_id=str(release.pk))
    return release


@task(queue_name="soon")
def dry_run_release(*, release_id: str) -> None:
    """The dry run of a release. Interrupted, it begins again: it changes nothing."""
    run_dry_run(release_id=UUID(release_id), at=clock.now())


def run_dry_run(*, release_id: UUID, at: datetime) -> None:
    """Ask the gate about everybody in a release that nobody has let go, and keep what it said."""
    release = Release.objects.get(pk=release_id)
    tally = DryRunTally(current_company())
    for some in batched(
        _release_members(release).iterator(chunk_size=DRY_RUN_BATCH), DRY_RUN_BATCH
    ):
        with transaction.atomic():
            wanted = _build_messages(release, some, at)
        tally.add_requests(wanted, len(some), at=at, worded_at=_wording_date(release, at))
    undecided = Release.objects.filter(pk=release_id, state__in=["draft", "waiting"])
    undecided.update(findings=tally.to_json())
    publish_update("releases", release=str(release_id))


def run_releases(*, at: datetime) -> int:
    """Hand over what running releases may hand over now; how many messages. Each second.

    One at a time does it, in whatever process, as the pace is counted over all of them.
    """
    release_drafts.seal_quiet_drafts(at=at)
    release_control.cancel_late_messages(at=at)
    _dry_run_automatic_releases()
    _continue_healthy_releases(at)
    with _pacemaker_lock() as is_mine:
        if not is_mine:
            return 0
        running = Release.objects.filter(state__in=RUNNING_STATES).order_by("made_at", "pk")
        return sum(_run_release(release, at) for release in running)


def _run_release(release: Release, at: datetime) -> int:
    began, left = clock.now(), release_progress.count_sendable_now(release, at=at)
    ids = _due_message_ids(release, left, at)
    if len(ids) < left:
        _create_messages(release, left - len(ids), at)
        ids = _due_message_ids(release, left, at)
    handled = send_messages_by_id(ids, at=at) if ids else 0
    after = at + (clock.now() - began)  # not before what was just handed over
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


def _due_message_ids(release: Release, limit: int, at: datetime) -> list[UUID]:
    due = release.messages.filter(state__in=["waiting", "held"], due_at__lte=at)
    return list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])


def _create_messages(release: Release, people: int, at: datetime) -> None:
    """Make the messages of the next few people, in the name of who owns each lead now."""
    with transaction.atomic():
        waiting = _release_members(release).filter(lined_up_at=None)
        some = list(waiting.select_for_update(of=("self",), skip_locked=True)[:people])
        had = set(release.messages.values_list("person_id", flat=True)) if some else set()
        each = {one.lead.person_id: one for one in some}  # two may be one by now
        new = [one for person_id, one in each.items() if person_id not in had]
        wanted = _build_messages(release, new, at)
        made = automatic_messages.queue_requests(
            wanted, at=at, worded_at=_wording_date(release, at)
        )
        mine = Message.objects.filter(
            pk__in=[queue_request.pk for queue_request in made], state="waiting"
        )
        mine.filter(release=None).update(release=release)
        ReleaseMember.objects.filter(pk__in=[one.pk for one in some]).update(lined_up_at=at)


def _release_members(release: Release) -> QuerySet[ReleaseMember]:
    rows = release.members.select_related("lead__person", "lead__officer__user", "lead__source")
    return rows.order_by("pk")


def _wording_date(release: Release, at: datetime) -> datetime:
    """The wording that its approver read; what arose by itself has today's."""
    said = release.about.get("worded_at")
    return datetime.fromisoformat(said) if said else at


def _build_messages(
    release: Release, members: Sequence[ReleaseMember], at: datetime
) -> list[MessageRequest]:
    return MESSAGE_BUILDERS[release.kind](release, members, at)


def _written_messages(
    release: Release, members: Sequence[ReleaseMember], at: datetime
) -> list[MessageRequest]:
    key, medium = release.about["key"], release.about["medium"]
    return [
        MessageRequest(lead=member.lead, key=key, medium=medium, idempotency_key=member.cause)
        for member in members
        if member.lead.state in Audience().stages
    ]


def _rate_messages(
    release: Release, members: Sequence[ReleaseMember], at: datetime
) -> list[MessageRequest]:
    seen = RateObservation.objects.get(pk=release.about["observation"])
    watches = RateWatch.objects.in_bulk([_origin_id(member) for member in members])
    found = []
    for member in members:
        if watch := watches.get(_origin_id(member)):
            watch.lead = member.lead
            found += borrower_alerts.build_rate_alert(watch=watch, observation=seen, at=at)
    return found


def _greeting_messages(
    release: Release, members: Sequence[ReleaseMember], at: datetime
) -> list[MessageRequest]:
    return first_response.build_requests([_origin_id(member) for member in members], at=at)


def _step_messages(
    release: Release, members: Sequence[ReleaseMember], at: datetime
) -> list[MessageRequest]:
    return [
        wanted
        for member in members
        for wanted in sequence_enrollment.build_step_requests(member.cause)
    ]


MESSAGE_BUILDERS: dict[
    str, Callable[[Release, Sequence[ReleaseMember], datetime], list[MessageRequest]]
] = {
    "written": _written_messages,
    "rates": _rate_messages,
    "greetings": _greeting_messages,
    "steps": _step_messages,
}


def _origin_id(member: ReleaseMember) -> UUID:
    return UUID(member.cause.split(":")[1])


def _dry_run_automatic_releases() -> None:
    """Whoever is to approve what arose by itself reads a dry run first, as of any other."""
    untried = Release.objects.filter(state="waiting", findings__isnull=True)
    for key in untried.values_list("pk", flat=True):
        with transaction.atomic():
            if untried.filter(pk=key).update(findings={}):  # under way
                dry_run_release.enqueue(release_id=str(key))


def _continue_healthy_releases(at: datetime) -> None:
    if not settings.RELEASE_AUTO_CONTINUE:
        return
    for release in Release.objects.filter(state="looking", looked_at__lte=at - OBSERVATION_TIME):
        if release_progress.load_canary_result(release).is_healthy:
            release_control.continue_release(release, by=None, at=at)


@contextmanager
def _pacemaker_lock() -> Iterator[bool]:
    """Whether nobody else is at it. The lock ends with the session, so a dead one holds up none."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s)", [_PACEMAKER_LOCK])
        (is_mine,) = cursor.fetchone()
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(%s)", [_PACEMAKER_LOCK])
