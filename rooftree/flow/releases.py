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

from rooftree.flow import moment
from rooftree.flow.messages import send_these
from rooftree.nurture import alerts, enrol
from rooftree.org.models import User
from rooftree.org.the_company import the_company
from rooftree.outreach import automatic, first_response
from rooftree.outreach.automatic import Wanted
from rooftree.outreach.models import Message
from rooftree.outreach.releases import acts, gather, progress
from rooftree.outreach.releases.audience import LARGEST, Audience
from rooftree.outreach.releases.dry_run import Tally
from rooftree.outreach.releases.models import RUNNING, Release, ReleaseMember
from rooftree.rates.models import RateObservation, RateWatch
from rooftree.tasks.announce import announce

LOOK_FOR = timedelta(minutes=30)  # before the first few can be judged without a person
TOGETHER = 100  # people of one look in a dry run
_PACEMAKER = 7_204  # advisory lock of the one that hands over at a time


def make(
    *, title: str, audience: Audience, key: str, medium: str, by: User, at: datetime
) -> Release:
    """A draft of one wording to many people, and its dry run. Raises `acts.CannotAct`."""
    leads = audience.leads(by, at=at).select_related("person")
    found = list(leads[: LARGEST + 1])
    if not found:
        raise acts.CannotAct("Nobody is in this audience.")
    if len(found) > LARGEST:
        raise acts.CannotAct(f"More than {LARGEST:,} people: narrow it.")
    with transaction.atomic():
        worded = {"key": key, "medium": medium, "worded_at": at.isoformat()}
        about = {**worded, "audience": audience.to_json()}
        release = gather.begin(kind="written", title=title, about=about, by=by, at=at)
        gather.add(release, {f"release:{release.pk}:{one.pk}": one for one in found}, at=at)
        try_release.enqueue(release_id=str(release.pk))
    return release


@task(queue_name="soon")
def try_release(*, release_id: str) -> None:
    """The dry run of a release. Interrupted, it begins again: it changes nothing."""
    look(release_id=UUID(release_id), at=moment.now())


def look(*, release_id: UUID, at: datetime) -> None:
    """Ask the gate about everybody in a release that nobody has let go, and keep what it said."""
    release = Release.objects.get(pk=release_id)
    tally = Tally(the_company())
    for some in batched(_members(release).iterator(chunk_size=TOGETHER), TOGETHER):
        with transaction.atomic():
            wanted = _wanted(release, some, at)
        tally.look(wanted, len(some), at=at, worded_at=_worded_at(release, at))
    undecided = Release.objects.filter(pk=release_id, state__in=["draft", "waiting"])
    undecided.update(findings=tally.to_json())
    announce("releases", release=str(release_id))


def carry_out(*, at: datetime) -> int:
    """Hand over what running releases may hand over now; how many messages. Each second.

    One at a time does it, in whatever process, as the pace is counted over all of them.
    """
    gather.seal_quiet(at=at)
    acts.take_back_late(at=at)
    _try_what_arose()
    _let_good_ones_go_on(at)
    with _alone() as is_mine:
        if not is_mine:
            return 0
        running = Release.objects.filter(state__in=RUNNING).order_by("made_at", "pk")
        return sum(_carry_out(one, at) for one in running)


def _carry_out(release: Release, at: datetime) -> int:
    began, left = moment.now(), progress.room(release, at=at)
    ids = _in_line(release, left, at)
    if len(ids) < left:
        _line_up(release, left - len(ids), at)
        ids = _in_line(release, left, at)
    handled = send_these(ids, at=at) if ids else 0
    after = at + (moment.now() - began)  # not before what was just handed over
    if release.state == "canary" and progress.people_reached(release) >= release.canary_size:
        acts.full(release, at=after)
    elif progress.is_over(release):
        acts.done(release, at=after)
    if handled:
        announce("releases", release=str(release.pk))
    return handled


def _in_line(release: Release, limit: int, at: datetime) -> list[UUID]:
    due = release.messages.filter(state__in=["waiting", "held"], due_at__lte=at)
    return list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])


def _line_up(release: Release, people: int, at: datetime) -> None:
    """Make the messages of the next few people, in the name of who owns each lead now."""
    with transaction.atomic():
        waiting = _members(release).filter(lined_up_at=None)
        some = list(waiting.select_for_update(of=("self",), skip_locked=True)[:people])
        had = set(release.messages.values_list("person_id", flat=True)) if some else set()
        each = {one.lead.person_id: one for one in some}  # two may be one by now
        new = [one for person_id, one in each.items() if person_id not in had]
        wanted = _wanted(release, new, at)
        made = automatic.plan_all(wanted, at=at, worded_at=_worded_at(release, at))
        mine = Message.objects.filter(pk__in=[one.pk for one in made], state="waiting")
        mine.filter(release=None).update(release=release)
        ReleaseMember.objects.filter(pk__in=[one.pk for one in some]).update(lined_up_at=at)


def _members(release: Release) -> QuerySet[ReleaseMember]:
    rows = release.members.select_related("lead__person", "lead__officer__user", "lead__source")
    return rows.order_by("pk")


def _worded_at(release: Release, at: datetime) -> datetime:
    """The wording that its approver read; what arose by itself has today's."""
    said = release.about.get("worded_at")
    return datetime.fromisoformat(said) if said else at


def _wanted(release: Release, members: Sequence[ReleaseMember], at: datetime) -> list[Wanted]:
    return KINDS[release.kind](release, members, at)


def _written(release: Release, members: Sequence[ReleaseMember], at: datetime) -> list[Wanted]:
    key, medium = release.about["key"], release.about["medium"]
    return [
        Wanted(lead=one.lead, key=key, medium=medium, cause=one.cause)
        for one in members
        if one.lead.state in Audience().stages
    ]


def _rates(release: Release, members: Sequence[ReleaseMember], at: datetime) -> list[Wanted]:
    seen = RateObservation.objects.get(pk=release.about["observation"])
    watches = RateWatch.objects.in_bulk([_id(one) for one in members])
    found = []
    for one in members:
        if watch := watches.get(_id(one)):
            watch.lead = one.lead
            found += alerts.of_rate(watch=watch, observation=seen, at=at)
    return found


def _greetings(release: Release, members: Sequence[ReleaseMember], at: datetime) -> list[Wanted]:
    return first_response.wanted([_id(one) for one in members], at=at)


def _steps(release: Release, members: Sequence[ReleaseMember], at: datetime) -> list[Wanted]:
    return [wanted for one in members for wanted in enrol.of_step(one.cause)]


KINDS: dict[str, Callable[[Release, Sequence[ReleaseMember], datetime], list[Wanted]]] = {
    "written": _written,
    "rates": _rates,
    "greetings": _greetings,
    "steps": _steps,
}


def _id(member: ReleaseMember) -> UUID:
    return UUID(member.cause.split(":")[1])


def _try_what_arose() -> None:
    """Whoever is to approve what arose by itself reads a dry run first, as of any other."""
    untried = Release.objects.filter(state="waiting", findings__isnull=True)
    for key in untried.values_list("pk", flat=True):
        with transaction.atomic():
            if untried.filter(pk=key).update(findings={}):  # under way
                try_release.enqueue(release_id=str(key))


def _let_good_ones_go_on(at: datetime) -> None:
    if not settings.RELEASE_GOES_ON:
        return
    for one in Release.objects.filter(state="looking", looked_at__lte=at - LOOK_FOR):
        if progress.first_few(one).is_good:
            acts.go_on(one, by=None, at=at)


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else is at it. The lock ends with the session, so a dead one holds up none."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s)", [_PACEMAKER])
        (is_mine,) = cursor.fetchone()
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(%s)", [_PACEMAKER])
