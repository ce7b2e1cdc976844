"""Preview of acceptance rules on a source's last 30 days; reads and changes nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from rooftree.capture.intake.receive_delivery import reread_delivery
from rooftree.capture.intake.source_limits_check import find_person_id
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
MAX_DELIVERIES = 2000  # the newest deliveries, which are read again
SHOWN_PER_REASON = 3  # example deliveries


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedGroup:
    """The deliveries that would have been rejected for one reason."""

    reason_code: str
    count: int
    examples: tuple[tuple[Delivery, Refusal], ...]  # at most SHOWN_PER_REASON


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsPreview:
    """The result of a preview."""

    inquiry_count: int  # usable inquiries of real people
    refused_groups: tuple[RefusedGroup, ...]  # most frequent first
    cents: int  # total offered price of the rejected inquiries
    since: datetime

    @property
    def refused_count(self) -> int:
        """The number of rejected inquiries."""
        return sum(group.count for group in self.refused_groups)


@dataclass(slots=True, kw_only=True)
class _ReplayState:
    """The caps used and the people seen so far, delivery by delivery."""

    limits: AcceptanceLimits
    zone: ZoneInfo
    touches: Mapping[UUID, Sequence[datetime]]  # by person: inquiries that are not replayed
    starts: dict[Span, datetime]  # of the current spans
    taken: dict[Span, TakenTotals]
    accepted_at: dict[UUID, datetime] = field(default_factory=dict)  # by person: last one replayed
    licenses: dict[tuple[str, date], frozenset[str]] = field(default_factory=dict)

    def limit_facts_at(
        self, offered: OfferedLead, person_id: UUID | None, at: datetime
    ) -> LimitFacts:
        """Return the facts at a time, starting new spans as needed."""
        for span, start in span_starts(at, self.zone).items():
            if start != self.starts[span]:
                self.starts[span], self.taken[span] = start, TakenTotals()
        key = (offered.state, at.astimezone(self.zone).date())
        if self.limits.licensed_only and key not in self.licenses:
            self.licenses[key] = licensed_states(offered.state, at)
        return LimitFacts(
            licensed=self.licenses.get(key, frozenset()),
            has_asked_recently=person_id is not None and self._has_asked_recently(person_id, at),
            taken_totals=self.taken,
        )

    def count_taken(self, cents: int, person_id: UUID | None, at: datetime) -> None:
        """Count an accepted inquiry in every span."""
        for span, totals in self.taken.items():
            self.taken[span] = TakenTotals(leads=totals.leads + 1, cents=totals.cents + cents)
        if person_id:
            self.accepted_at[person_id] = at

    def _has_asked_recently(self, person_id: UUID, at: datetime) -> bool:
        since = at - timedelta(days=self.limits.duplicate_days)
        times = [
            *self.touches.get(person_id, ()),
            *filter(None, [self.accepted_at.get(person_id)]),
        ]
        return any(since < time < at for time in times)


def preview_limits(source: Source, limits: AcceptanceLimits, *, at: datetime) -> LimitsPreview:
    """Replay a source's last 30 days, oldest first, as if these rules had been in force."""
    rows = Delivery.objects.filter(
        source=source,
        received_at__gt=at - PREVIEW_PERIOD,
        outcome__in=[*TAKEN_OUTCOMES, "not_accepted"],
    ).select_related("source")
    deliveries = list(rows.order_by("-received_at", "-id")[:MAX_DELIVERIES])[::-1]
    since = deliveries[0].received_at if len(deliveries) == MAX_DELIVERIES else at - PREVIEW_PERIOD
    touches = Touch.objects.filter(delivery__in=[delivery.pk for delivery in deliveries])
    people = dict(touches.values_list("delivery_id", "person_id"))
    state = _initial_state(source, limits, deliveries, people.values(), since)
    refused: dict[str, list[tuple[Delivery, Refusal]]] = {}
    inquiry_count = cents = 0
    for delivery in deliveries:
        envelope, received_at = reread_delivery(delivery), delivery.received_at
        if not envelope.is_single_inquiry:
            state.limit_facts_at(OfferedLead(), None, received_at)
            state.count_taken(0, None, received_at)
            continue
        inquiry_count += 1
        offered = describe_offered_lead(envelope.leads[0], usual_cents=source.cost_cents)
        person_id = people.get(delivery.pk) or (
            find_person_id(envelope.leads[0]) if limits.duplicate_days else None
        )
        facts = state.limit_facts_at(offered, person_id, received_at)
        refusal = find_refusal(offered, limits, facts)
        if refusal is None:
            state.count_taken(offered.cents, person_id, received_at)
            continue
        cents += offered.cents
        refused.setdefault(refusal.reason_code, []).append((delivery, refusal))
    return LimitsPreview(
        inquiry_count=inquiry_count,
        refused_groups=_group_refusals(refused),
        cents=cents,
        since=since,
    )


def _group_refusals(
    refused: Mapping[str, Sequence[tuple[Delivery, Refusal]]],
) -> tuple[RefusedGroup, ...]:
    counts = Counter({reason: len(examples) for reason, examples in refused.items()})
    return tuple(
        RefusedGroup(
            reason_code=reason, count=count, examples=tuple(refused[reason][:SHOWN_PER_REASON])
        )
        for reason, count in counts.most_common()
    )


def _initial_state(
    source: Source,
    limits: AcceptanceLimits,
    deliveries: Sequence[Delivery],
    people: Iterable[UUID],
    since: datetime,
) -> _ReplayState:
    """Load the state before the first delivery, and the people's inquiries by other ways."""
    touches: dict[UUID, list[datetime]] = {}
    if limits.duplicate_days:
        others = Touch.objects.exclude(
            delivery__in=[delivery.pk for delivery in deliveries]
        ).filter(person__in=set(people), at__gt=since - timedelta(days=limits.duplicate_days))
        for person_id, touch_at in others.values_list("person_id", "at"):
            touches.setdefault(person_id, []).append(touch_at)
    zone = company_zone()
    return _ReplayState(
        limits=limits,
        zone=zone,
        touches=touches,
        starts=dict(span_starts(since, zone)),
        taken={span: TakenTotals() for span in Span} | taken_by_span(source, limits, since),
    )
