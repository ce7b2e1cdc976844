"""Progress of a release: counts, canary results, and messages already at the carrier."""

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
CARRIER_HOLD = timedelta(seconds=2)  # the carrier can still be processing this much traffic
UNFINISHED_STATES = ("waiting", "held", "claimed", "review")  # these messages can still be sent
SUBMITTED_STATES = ("claimed", "sent", "delivered", "failed", "uncertain")  # the carrier had these
STOP_KINDS = ("stop", "unsubscribe")
# Percent of canary messages. Above any of these, staff have to continue the release by hand.
MAX_PERCENT = {"failed": 10, "unknown": 5, "stops": 4, "complaints": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseProgress:
    """A release in numbers: its people and the states of their messages."""

    people: int
    people_waiting: int  # people whose messages are not queued yet
    states: Counter[str]  # messages by state
    reasons: Sequence[tuple[str, str, int]]  # (state, sentence, count) of messages not sent

    @property
    def people_queued(self) -> int:
        """The people whose messages were queued, or could not be."""
        return self.people - self.people_waiting

    @property
    def submitted(self) -> int:
        """The messages that were handed to the carrier."""
        return sum(self.states[state] for state in SUBMITTED_STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryResult:
    """The results of the canary: its messages, and the responses of the people."""

    submitted: int
    delivered: int
    failed: int
    unknown: int  # outcome unknown
    replies: int
    stops: int
    complaints: int  # do-not-contact, wrong person, or words that can mean stop

    @property
    def exceeded_limits(self) -> list[str]:
        """The names of the counts above their MAX_PERCENT."""
        return [
            name
            for name, limit in MAX_PERCENT.items()
            if getattr(self, name) * 100 > limit * self.submitted
        ]

    @property
    def is_healthy(self) -> bool:
        """Return True if messages were sent and no limit is exceeded."""
        return self.submitted > 0 and not self.exceeded_limits


def count_sendable_now(release: Release, *, at: datetime) -> int:
    """Return how many messages of a release can be handed to the carrier now.

    The pace per second is shared by all releases and by spread messages (`send_pacing`), so the
    carrier never holds more than two seconds of it. The hourly limit and, during the canary,
    its size come on top.
    """
    last_second = Message.objects.filter(release__isnull=False, claimed_at__gt=at - SECOND)
    last_hour = release.messages.filter(claimed_at__gt=at - HOUR)
    pace = settings.RELEASE_PER_SECOND - last_second.count() - send_pacing.count_leaving(at=at)
    allowed = min(pace, release.per_hour - last_hour.count())
    if release.state == "canary":
        allowed = min(allowed, release.canary_size - count_people_reached(release))
    return max(allowed, 0)


def count_people_reached(release: Release) -> int:
    """Count the people with a message of the release handed to the carrier."""
    return release.messages.filter(state__in=SUBMITTED_STATES).values("person").distinct().count()


def is_finished(release: Release) -> bool:
    """Return True if everyone's messages were queued and none can still be sent."""
    has_waiting = release.members.filter(added_at=None).exists()
    return not has_waiting and not release.messages.filter(state__in=UNFINISHED_STATES).exists()


def load_progress(release: Release) -> ReleaseProgress:
    """Load the progress of a release."""
    states = Counter(dict(release.messages.values_list("state").annotate(Count("pk"))))
    not_sent = release.messages.filter(
        state__in=["held", "blocked", "review", "failed", "cancelled", "shadow"]
    )
    reasons = not_sent.values_list("state", "problem").annotate(number=Count("pk"))
    return ReleaseProgress(
        people=release.members.count(),
        people_waiting=release.members.filter(added_at=None).count(),
        states=states,
        reasons=[*reasons.order_by("-number", "problem")[:20]],
    )


def load_canary_result(release: Release) -> CanaryResult:
    """Load the canary results so far."""
    canary = release.messages.filter(state__in=SUBMITTED_STATES)
    if release.checked_at:
        canary = canary.filter(claimed_at__lte=release.checked_at)
    states = Counter(dict(canary.values_list("state").annotate(Count("pk"))))
    since, people = release.approved_at or release.made_at, canary.values("person")
    replies = Message.objects.filter(person__in=people, direction="in", created_at__gte=since)
    revocations = Revocation.objects.filter(person__in=people, at__gte=since)
    stops = revocations.filter(kind__in=STOP_KINDS).values("person").distinct().count()
    return CanaryResult(
        submitted=states.total(),
        delivered=states["delivered"],
        failed=states["failed"],
        unknown=states["uncertain"],
        replies=replies.values("person").distinct().count(),
        stops=stops,
        complaints=revocations.exclude(kind__in=STOP_KINDS).values("person").distinct().count(),
    )


def messages_beyond_recall(release: Release) -> QuerySet[Message]:
    """Return the messages of a stopped release handed to the carrier in its last two seconds.

    Messages handed over earlier have left the carrier; the others are canceled.
    """
    if release.state != "stopped" or release.ended_at is None:
        return Message.objects.none()
    return _filter_with_carrier(release.messages.all(), release.ended_at)


def messages_beyond_recall_at_pause(stop: SendingPause) -> QuerySet[Message]:
    """Return the same messages of all releases when all sending was paused."""
    return _filter_with_carrier(Message.objects.filter(release__isnull=False), stop.from_at)


def _filter_with_carrier(messages: QuerySet[Message], at: datetime) -> QuerySet[Message]:
    submitted = messages.filter(state__in=SUBMITTED_STATES, verdict__stage="handoff")
    late = submitted.filter(claimed_at__gt=at - CARRIER_HOLD).exclude(delivered_at__lte=at)
    return late.select_related("lead__person").order_by("claimed_at", "pk")
