"""What limits would have made of a source's last thirty days. It reads, and changes nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from rooftree.capture.intake.receive_delivery import reread_delivery
from rooftree.capture.intake.source_limits_check import find_person_id, is_single_inquiry
from rooftree.capture.intake.source_quota import (
    TAKEN_OUTCOMES,
    licensed_states,
    span_starts,
    taken_by_span,
)
from rooftree.capture.source_setup.acceptance_limits import (
    AcceptanceLimits,
    LimitFacts,
    OfferedLead,
    Refusal,
    Span,
    TakenTotals,
    describe_offered_lead,
    find_refusal,
)
from rooftree.leads.models import Delivery, Source, Touch
from rooftree.money.company_day import company_zone

PREVIEW_PERIOD = timedelta(days=30)
MAX_DELIVERIES = 2000  # deliveries that are read again; the newest of them
SHOWN_PER_REASON = 3  # of each reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedGroup:
    """Deliveries that one reason would have turned away."""

    reason_code: str
    count: int
    examples: tuple[tuple[Delivery, Refusal], ...]  # SHOWN of them


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsPreview:
    """What came of it."""

    inquiry_count: int  # usable inquiries of real people
    refused_groups: tuple[RefusedGroup, ...]  # most frequent first
    cents: int  # that those refused were offered for
    since: datetime

    @property
    def refused_count(self) -> int:
        return sum(one.count for one in self.refused_groups)


@dataclass(slots=True, kw_only=True)
class _ReplayState:
    """The standing as it would have been, delivery by delivery."""

    limits: AcceptanceLimits
    zone: ZoneInfo
    touches: Mapping[UUID, Sequence[datetime]]  # by person: inquiries that are not judged anew
    began: dict[Span, datetime]
    taken: dict[Span, TakenTotals]
    asked: dict[UUID, datetime] = field(default_factory=dict)  # by person: taken anew, last
    licenses: dict[tuple[str, date], frozenset[str]] = field(default_factory=dict)

    def limit_facts_at(self, one: OfferedLead, person: UUID | None, at: datetime) -> LimitFacts:
        for span, moment in span_starts(at, self.zone).items():
            if moment != self.began[span]:
                self.began[span], self.taken[span] = moment, TakenTotals()
        place = (one.state, at.astimezone(self.zone).date())
        if self.limits.licensed_only and place not in self.licenses:
            self.licenses[place] = licensed_states(one.state, at)
        return LimitFacts(
            licensed=self.licenses.get(place, frozenset()),
            has_asked_recently=person is not None and self._has_asked_recently(person, at),
            taken_totals=self.taken,
        )

    def count_taken(self, cents: int, person: UUID | None, at: datetime) -> None:
        for span, so_far in self.taken.items():
            self.taken[span] = TakenTotals(leads=so_far.leads + 1, cents=so_far.cents + cents)
        if person:
            self.asked[person] = at

    def _has_asked_recently(self, person: UUID, at: datetime) -> bool:
        since = at - timedelta(days=self.limits.duplicate_days)
        moments = [*self.touches.get(person, ()), *filter(None, [self.asked.get(person)])]
        return any(since < moment < at for moment in moments)


def preview_limits(source: Source, limits: AcceptanceLimits, *, at: datetime) -> LimitsPreview:
    """Judge what came in thirty days again, oldest first, as if these limits had held."""
    came = Delivery.objects.filter(
        source=source,
        received_at__gt=at - PREVIEW_PERIOD,
        outcome__in=[*TAKEN_OUTCOMES, "not_accepted"],
    ).select_related("source")
    deliveries = list(came.order_by("-received_at", "-id")[:MAX_DELIVERIES])[::-1]
    since = deliveries[0].received_at if len(deliveries) == MAX_DELIVERIES else at - PREVIEW_PERIOD
    people = _people_by_delivery(deliveries)
    past = _initial_state(source, limits, deliveries, people.values(), since)
    refused: dict[str, list[tuple[Delivery, Refusal]]] = {}
    looked_at = cents = 0
    for delivery in deliveries:
        envelope, moment = reread_delivery(delivery), delivery.received_at
        if not is_single_inquiry(envelope):
            past.limit_facts_at(OfferedLead(), None, moment)
            past.count_taken(0, None, moment)
            continue
        looked_at += 1
        one = describe_offered_lead(envelope.leads[0], usual_cents=source.cost_cents)
        person = people.get(delivery.pk) or (
            find_person_id(envelope.leads[0]) if limits.duplicate_days else None
        )
        against = find_refusal(one, limits, past.limit_facts_at(one, person, moment))
        if against is None:
            past.count_taken(one.cents, person, moment)
            continue
        cents += one.cents
        refused.setdefault(against.reason_code, []).append((delivery, against))
    counts = Counter({why: len(those) for why, those in refused.items()})
    return LimitsPreview(
        inquiry_count=looked_at,
        refused_groups=tuple(
            RefusedGroup(reason_code=why, count=count, examples=tuple(refused[why][:SHOWN_PER_REASON]))
            for why, count in counts.most_common()
        ),
        cents=cents,
        since=since,
    )


def _people_by_delivery(deliveries: Sequence[Delivery]) -> dict[UUID, UUID]:
    """Who asked in each delivery that was worked."""
    rows = Touch.objects.filter(delivery__in=[delivery.pk for delivery in deliveries])
    return dict(rows.values_list("delivery_id", "person_id"))


def _initial_state(
    source: Source,
    limits: AcceptanceLimits,
    deliveries: Sequence[Delivery],
    people: Iterable[UUID],
    since: datetime,
) -> _ReplayState:
    """What stood before the first of them, and what came by other ways meanwhile."""
    touches: dict[UUID, list[datetime]] = {}
    if limits.duplicate_days:
        others = Touch.objects.exclude(
            delivery__in=[delivery.pk for delivery in deliveries]
        ).filter(person__in=set(people), at__gt=since - timedelta(days=limits.duplicate_days))
        for person, moment in others.values_list("person_id", "at"):
            touches.setdefault(person, []).append(moment)
    zone = company_zone()
    return _ReplayState(
        limits=limits,
        zone=zone,
        touches=touches,
        began=dict(span_starts(since, zone)),
        taken={span: TakenTotals() for span in Span} | taken_by_span(source, limits, since),
    )
