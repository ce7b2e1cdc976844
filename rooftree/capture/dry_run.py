"""What limits would have made of a source's last thirty days. It reads, and changes nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from rooftree.capture.acceptance import (
    Limits,
    Offered,
    Refusal,
    Span,
    Standing,
    Taken,
    offered,
    refusal,
)
from rooftree.capture.judge import is_one, person_of
from rooftree.capture.receive import reread
from rooftree.capture.standing import TAKEN, begins_of, licensed, taken
from rooftree.leads.models import Delivery, Source, Touch
from rooftree.money.company_day import company_zone

DAYS = timedelta(days=30)
MOST = 2000  # deliveries that are read again; the newest of them
SHOWN = 3  # of each reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Deliveries that one reason would have turned away."""

    why: str
    count: int
    first: tuple[tuple[Delivery, Refusal], ...]  # SHOWN of them


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What came of it."""

    looked_at: int  # usable inquiries of real people
    refused: tuple[Refused, ...]  # most frequent first
    cents: int  # that those refused were offered for
    since: datetime

    @property
    def refused_count(self) -> int:
        return sum(one.count for one in self.refused)


@dataclass(slots=True, kw_only=True)
class _Past:
    """The standing as it would have been, delivery by delivery."""

    limits: Limits
    zone: ZoneInfo
    touches: Mapping[UUID, Sequence[datetime]]  # by person: inquiries that are not judged anew
    began: dict[Span, datetime]
    taken: dict[Span, Taken]
    asked: dict[UUID, datetime] = field(default_factory=dict)  # by person: taken anew, last
    licenses: dict[tuple[str, date], frozenset[str]] = field(default_factory=dict)

    def standing(self, one: Offered, person: UUID | None, at: datetime) -> Standing:
        for span, moment in begins_of(at, self.zone).items():
            if moment != self.began[span]:
                self.began[span], self.taken[span] = moment, Taken()
        place = (one.state, at.astimezone(self.zone).date())
        if self.limits.licensed_only and place not in self.licenses:
            self.licenses[place] = licensed(one.state, at)
        return Standing(
            licensed=self.licenses.get(place, frozenset()),
            is_known=person is not None and self._asked_lately(person, at),
            taken=self.taken,
        )

    def take(self, cents: int, person: UUID | None, at: datetime) -> None:
        for span, so_far in self.taken.items():
            self.taken[span] = Taken(leads=so_far.leads + 1, cents=so_far.cents + cents)
        if person:
            self.asked[person] = at

    def _asked_lately(self, person: UUID, at: datetime) -> bool:
        since = at - timedelta(days=self.limits.duplicate_days)
        moments = [*self.touches.get(person, ()), *filter(None, [self.asked.get(person)])]
        return any(since < one < at for one in moments)


def try_out(source: Source, limits: Limits, *, at: datetime) -> DryRun:
    """Judge what came in thirty days again, oldest first, as if these limits had held."""
    came = Delivery.objects.filter(
        source=source, received_at__gt=at - DAYS, outcome__in=[*TAKEN, "not_accepted"]
    ).select_related("source")
    deliveries = list(came.order_by("-received_at", "-id")[:MOST])[::-1]
    since = deliveries[0].received_at if len(deliveries) == MOST else at - DAYS
    people = _people(deliveries)
    past = _past(source, limits, deliveries, people.values(), since)
    refused: dict[str, list[tuple[Delivery, Refusal]]] = {}
    looked_at = cents = 0
    for delivery in deliveries:
        envelope, moment = reread(delivery), delivery.received_at
        if not is_one(envelope):
            past.standing(Offered(), None, moment)
            past.take(0, None, moment)
            continue
        looked_at += 1
        one = offered(envelope.leads[0], usual_cents=source.cost_cents)
        person = people.get(delivery.pk) or (
            person_of(envelope.leads[0]) if limits.duplicate_days else None
        )
        against = refusal(one, limits, past.standing(one, person, moment))
        if against is None:
            past.take(one.cents, person, moment)
            continue
        cents += one.cents
        refused.setdefault(against.why, []).append((delivery, against))
    counts = Counter({why: len(those) for why, those in refused.items()})
    return DryRun(
        looked_at=looked_at,
        refused=tuple(
            Refused(why=why, count=count, first=tuple(refused[why][:SHOWN]))
            for why, count in counts.most_common()
        ),
        cents=cents,
        since=since,
    )


def _people(deliveries: Sequence[Delivery]) -> dict[UUID, UUID]:
    """Who asked in each delivery that was worked."""
    rows = Touch.objects.filter(delivery__in=[one.pk for one in deliveries])
    return dict(rows.values_list("delivery_id", "person_id"))


def _past(
    source: Source,
    limits: Limits,
    deliveries: Sequence[Delivery],
    people: Iterable[UUID],
    since: datetime,
) -> _Past:
    """What stood before the first of them, and what came by other ways meanwhile."""
    touches: dict[UUID, list[datetime]] = {}
    if limits.duplicate_days:
        others = Touch.objects.exclude(delivery__in=[one.pk for one in deliveries]).filter(
            person__in=set(people), at__gt=since - timedelta(days=limits.duplicate_days)
        )
        for person, moment in others.values_list("person_id", "at"):
            touches.setdefault(person, []).append(moment)
    zone = company_zone()
    return _Past(
        limits=limits,
        zone=zone,
        touches=touches,
        began=dict(begins_of(since, zone)),
        taken={span: Taken() for span in Span} | taken(source, limits, since),
    )
