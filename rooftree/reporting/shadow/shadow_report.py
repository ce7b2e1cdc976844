"""The report of a period of shadow mode: what would have happened, and what did elsewhere."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from rooftree.org.models import ShadowPeriod
from rooftree.reporting.models import ShadowList, ShadowResult
from rooftree.reporting.shadow import funding_costs, shadow_lines
from rooftree.reporting.shadow.funding_costs import FundingCost, LeadPrices
from rooftree.reporting.shadow.shadow_lines import MessageGroup, ShadowLine

MIN_LEADS = 10  # house: fewer give no median
MAX_PAIRS = 20  # of officers, on the page


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Waiting times in seconds; the median and the p90 are None for fewer than `MIN_LEADS`."""

    count: int
    median: float | None
    p90: float | None


@dataclass(slots=True, kw_only=True)
class SourceRow:
    """One source of the period, or the total."""

    name: str
    leads: int = 0
    texts: int = 0  # that would have gone, or waited for a permitted hour
    emails: int = 0
    blocked: int = 0
    waits: list[float] = field(default_factory=list)  # seconds to the first text
    never: int = 0  # leads that the other system never contacted
    never_cents: int = 0

    @property
    def speed(self) -> Speed:
        return measure_speed(self.waits)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerPair:
    """Leads that the other system gave to one officer, and Rooftree's rules to another."""

    theirs: str
    ours: str
    leads: int
    sentence: str  # of the rule that chose, for most of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the other system did with the same leads, from the uploaded list."""

    kept: ShadowList
    matched: int
    unknown: int  # lines without a copy here
    unlisted: int  # copies that the list does not name
    theirs: Speed  # first contact, of leads with a known time
    ours: Speed  # first text of the same leads
    early: int  # contacted before the copy arrived; not compared
    never: int
    never_cents: int
    compared_officers: int
    different_officers: int
    pairs: tuple[OfficerPair, ...]
    costs: tuple[FundingCost, ...]  # the total is the last
    young: int  # lines too young to count for the cost of a funded loan
    undated: int  # lines without a time of receipt or a source


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowReport:
    """One period of shadow mode."""

    period: ShadowPeriod
    lines: tuple[ShadowLine, ...]
    sources: tuple[SourceRow, ...]
    total: SourceRow
    at_once: Speed  # leads whose text could go at once
    later: Speed  # leads whose text waited for a permitted hour
    without_text: int
    without_officer: int
    blocked: tuple[MessageGroup, ...]  # summed over sources, most first
    needs_person: tuple[MessageGroup, ...]
    results: dict[UUID, ShadowResult]  # by lead
    comparison: Comparison | None


def build_report(period: ShadowPeriod, *, at: datetime) -> ShadowReport:
    """Build the report of a period; for an open one, of what happened until now."""
    lines = shadow_lines.load_lines(period, at=at)
    groups = shadow_lines.load_message_groups(period, at=at)
    kept = ShadowList.objects.select_related("uploaded_by").filter(period=period).first()
    results = list(ShadowResult.objects.filter(list=kept)) if kept else []
    by_lead = {result.lead_id: result for result in results if result.lead_id}
    prices = LeadPrices(by_lead)
    rows = _count_sources(lines, groups, by_lead, prices)
    return ShadowReport(
        period=period,
        lines=tuple(lines),
        sources=tuple(rows),
        total=_sum_sources(rows),
        at_once=measure_speed([seconds for seconds in _waits(lines, has_waited=False)]),
        later=measure_speed([seconds for seconds in _waits(lines, has_waited=True)]),
        without_text=sum(line.text_at is None for line in lines),
        without_officer=sum(line.officer_id is None for line in lines),
        blocked=_sum_groups(groups, "blocked"),
        needs_person=_sum_groups(groups, "needs_person"),
        results=by_lead,
        comparison=_compare(kept, lines, results, prices, at) if kept else None,
    )


def measure_speed(seconds: Sequence[float]) -> Speed:
    """Measure waiting times: the median, and the time within which nine of ten were reached."""
    ordered, count = sorted(seconds), len(seconds)
    if count < MIN_LEADS:
        return Speed(count=count, median=None, p90=None)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    return Speed(count=count, median=middle, p90=ordered[-(-9 * count // 10) - 1])


def their_seconds(line: ShadowLine, result: ShadowResult | None) -> float | None:
    """Return the seconds to the other system's first contact; negative before the copy arrived.

    They count from the time of receipt that the list states, else from the copy's arrival.
    """
    if result is None or result.first_contact_at is None:
        return None
    since = result.received_at or line.arrived_at
    return (result.first_contact_at - since).total_seconds()


def is_same_officer(line: ShadowLine, name: str) -> bool:
    """Return True if a name of the list, an email or an NMLS ID means our officer."""
    ours = (line.officer_name, line.officer_email, line.officer_nmls_id)
    return " ".join(name.split()).casefold() in {text.casefold() for text in ours if text}


def _waits(lines: Sequence[ShadowLine], *, has_waited: bool) -> list[float]:
    return [
        line.text_seconds
        for line in lines
        if line.text_seconds is not None and line.has_waited is has_waited
    ]


def _count_sources(
    lines: Sequence[ShadowLine],
    groups: Sequence[MessageGroup],
    results: dict[UUID, ShadowResult],
    prices: LeadPrices,
) -> list[SourceRow]:
    rows: dict[str, SourceRow] = {}
    for line in lines:
        row = rows.setdefault(line.source, SourceRow(name=line.source))
        row.leads += 1
        if line.text_seconds is not None:
            row.waits.append(line.text_seconds)
        result = results.get(line.lead_id)
        if result and result.first_contact_at is None:
            row.never += 1
            row.never_cents += prices.price_of(line.lead_id, line.source_id, line.arrived_at) or 0
    for group in groups:
        row = rows.setdefault(group.source, SourceRow(name=group.source))
        if group.outcome == "blocked":
            row.blocked += group.count
        elif group.outcome in ("gone", "waits") and group.medium == "text":
            row.texts += group.count
        elif group.outcome in ("gone", "waits"):
            row.emails += group.count
    return sorted(rows.values(), key=lambda row: (-row.leads, row.name))


def _sum_sources(rows: Sequence[SourceRow]) -> SourceRow:
    return SourceRow(
        name="Total",
        leads=sum(row.leads for row in rows),
        texts=sum(row.texts for row in rows),
        emails=sum(row.emails for row in rows),
        blocked=sum(row.blocked for row in rows),
        waits=[seconds for row in rows for seconds in row.waits],
        never=sum(row.never for row in rows),
        never_cents=sum(row.never_cents for row in rows),
    )


def _sum_groups(groups: Sequence[MessageGroup], outcome: str) -> tuple[MessageGroup, ...]:
    """Sum groups over sources by medium and reason; the first one's sentence is the commonest."""
    sums: Counter[tuple[str, str]] = Counter()
    sentences: dict[tuple[str, str], str] = {}
    for group in groups:
        if group.outcome == outcome:
            key = group.medium, group.reason
            sums[key] += group.count
            sentences.setdefault(key, group.sentence)
    return tuple(
        MessageGroup(
            source="", medium=key[0], outcome=outcome, reason=key[1], sentence=sentences[key],
            count=count,
        )
        for key, count in sums.most_common()
    )  # fmt: skip


def _compare(
    kept: ShadowList,
    lines: Sequence[ShadowLine],
    results: Sequence[ShadowResult],
    prices: LeadPrices,
    at: datetime,
) -> Comparison:
    by_lead = {result.lead_id: result for result in results if result.lead_id}
    listed = [(line, by_lead[line.lead_id]) for line in lines if line.lead_id in by_lead]
    seconds = {line.lead_id: their_seconds(line, result) for line, result in listed}
    compared = [
        (wait, line.text_seconds)
        for line, _ in listed
        if (wait := seconds[line.lead_id]) is not None and wait >= 0
        if line.text_seconds is not None
    ]
    never = [line for line, result in listed if result.first_contact_at is None]
    named = [(line, result) for line, result in listed if result.officer_name and line.officer_id]
    different = [pair for pair in named if not is_same_officer(pair[0], pair[1].officer_name)]
    cohort = funding_costs.build_costs(results, prices, at=at)
    return Comparison(
        kept=kept,
        matched=len(listed),
        unknown=sum(result.lead_id is None for result in results),
        unlisted=len(lines) - len(listed),
        theirs=measure_speed([theirs for theirs, _ in compared]),
        ours=measure_speed([ours for _, ours in compared]),
        early=sum(wait is not None and wait < 0 for wait in seconds.values()),
        never=len(never),
        never_cents=sum(
            prices.price_of(line.lead_id, line.source_id, line.arrived_at) or 0 for line in never
        ),
        compared_officers=len(named),
        different_officers=len(different),
        pairs=_pair_officers(different),
        costs=cohort.rows,
        young=cohort.young,
        undated=cohort.undated,
    )


def _pair_officers(
    different: Sequence[tuple[ShadowLine, ShadowResult]],
) -> tuple[OfficerPair, ...]:
    counts = Counter((result.officer_name, line.officer_name) for line, result in different)
    sentences: dict[tuple[str, str], Counter[str]] = {}
    for line, result in different:
        key = result.officer_name, line.officer_name
        sentences.setdefault(key, Counter())[line.choice_sentence] += 1
    return tuple(
        OfficerPair(
            theirs=key[0], ours=key[1], leads=count, sentence=sentences[key].most_common(1)[0][0]
        )
        for key, count in counts.most_common(MAX_PAIRS)
    )
