"""How far a release is, what became of its first few, and what is beyond recall."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, QuerySet

from rooftree.compliance.models import Revocation
from rooftree.org.models import SendingPause
from rooftree.outreach.messages import send_pacing
from rooftree.outreach.models import Message
from rooftree.outreach.releases.models import Release

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
CARRIER_HOLD = timedelta(
    seconds=2
)  # so much of our traffic the carrier may still have in its hands
UNFINISHED_STATES = (
    "waiting",
    "held",
    "claimed",
    "review",
)  # may leave yet, one for a person as well
SUBMITTED_STATES = ("claimed", "sent", "delivered", "failed", "uncertain")  # what the carrier had
STOP_KINDS = ("stop", "unsubscribe")
# Of the first few: more than so many in a hundred, and a person must say that it goes on.
MAX_PERCENT = {"failed": 10, "unknown": 5, "stops": 4, "complaints": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseProgress:
    """A release in numbers: people, and what became of their messages."""

    people: int
    people_waiting: int  # people whose turn has not come
    states: Counter[str]  # messages by state
    reasons: Sequence[tuple[str, str, int]]  # held, blocked and so on: state, sentence, messages

    @property
    def people_queued(self) -> int:
        """People whose messages were made, or could not be."""
        return self.people - self.people_waiting

    @property
    def submitted(self) -> int:
        """Messages that the carrier had."""
        return sum(self.states[submitted_state] for submitted_state in SUBMITTED_STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryResult:
    """What became of the messages that went first, and of the people who got them."""

    submitted: int
    delivered: int
    failed: int
    unknown: int  # their fate
    replies: int
    stops: int
    complaints: int  # do not write to me, wrong person, or words that may mean stop

    @property
    def exceeded_limits(self) -> list[str]:
        """Of what there are more than may be, for it to go on by itself."""
        return [
            name
            for name, most in MAX_PERCENT.items()
            if getattr(self, name) * 100 > most * self.submitted
        ]

    @property
    def is_healthy(self) -> bool:
        """Whether some went, and none of what must be rare is not."""
        return self.submitted > 0 and not self.exceeded_limits


def count_sendable_now(release: Release, *, at: datetime) -> int:
    """How many messages of it may be handed over now.

    Counted over every release, and after what waited together: no second sees more than the
    pace, so that never more than two seconds of it can be in the carrier's hands. Then its
    hour, and its first few.
    """
    second = Message.objects.filter(release__isnull=False, claimed_at__gt=at - SECOND)
    hour = release.messages.filter(claimed_at__gt=at - HOUR)
    pace = settings.RELEASE_PER_SECOND - second.count() - send_pacing.count_leaving(at=at)
    left = min(pace, release.per_hour - hour.count())
    if release.state == "canary":
        left = min(left, release.canary_size - count_people_reached(release))
    return max(left, 0)


def count_people_reached(release: Release) -> int:
    """To how many people the carrier had something of it."""
    return release.messages.filter(state__in=SUBMITTED_STATES).values("person").distinct().count()


def is_finished(release: Release) -> bool:
    """Whether everybody's turn has come and nothing is in line."""
    waits = release.members.filter(lined_up_at=None).exists()
    return not waits and not release.messages.filter(state__in=UNFINISHED_STATES).exists()


def load_progress(release: Release) -> ReleaseProgress:
    """Where it stands."""
    states = Counter(dict(release.messages.values_list("state").annotate(Count("pk"))))
    stuck = release.messages.filter(state__in=["held", "blocked", "review", "failed", "cancelled"])
    reasons = stuck.values_list("state", "problem").annotate(number=Count("pk"))
    return ReleaseProgress(
        people=release.members.count(),
        people_waiting=release.members.filter(lined_up_at=None).count(),
        states=states,
        reasons=[*reasons.order_by("-number", "problem")[:20]],
    )


def load_canary_result(release: Release) -> CanaryResult:
    """The result of the first few, as far as it has come by now."""
    few = release.messages.filter(state__in=SUBMITTED_STATES)
    if release.looked_at:
        few = few.filter(claimed_at__lte=release.looked_at)
    states = Counter(dict(few.values_list("state").annotate(Count("pk"))))
    since, people = release.approved_at or release.made_at, few.values("person")
    replies = Message.objects.filter(person__in=people, direction="in", created_at__gte=since)
    taken_back = Revocation.objects.filter(person__in=people, at__gte=since)
    stops = taken_back.filter(kind__in=STOP_KINDS).values("person").distinct().count()
    return CanaryResult(
        submitted=states.total(),
        delivered=states["delivered"],
        failed=states["failed"],
        unknown=states["uncertain"],
        replies=replies.values("person").distinct().count(),
        stops=stops,
        complaints=taken_back.exclude(kind__in=STOP_KINDS).values("person").distinct().count(),
    )


def messages_beyond_recall(release: Release) -> QuerySet[Message]:
    """Of a stopped release: what the carrier was given in its last two seconds.

    All that was given to it earlier has left the carrier; all that was not is taken back.
    """
    if release.state != "stopped" or release.ended_at is None:
        return Message.objects.none()
    return _filter_with_carrier(release.messages.all(), release.ended_at)


def messages_beyond_recall_at_pause(stop: SendingPause) -> QuerySet[Message]:
    """The same of all releases, when everything was stopped."""
    return _filter_with_carrier(Message.objects.filter(release__isnull=False), stop.from_at)


def _filter_with_carrier(messages: QuerySet[Message], at: datetime) -> QuerySet[Message]:
    handed = messages.filter(state__in=SUBMITTED_STATES, verdict__stage="handoff")
    late = handed.filter(claimed_at__gt=at - CARRIER_HOLD).exclude(delivered_at__lte=at)
    return late.select_related("lead__person").order_by("claimed_at", "pk")
