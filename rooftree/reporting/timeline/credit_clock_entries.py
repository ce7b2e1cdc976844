"""Timeline entries for a lead's credit clocks: the deadline, and the proof of its end."""

from collections.abc import Iterator

from rooftree.compliance.credit.clock_due_dates import CLOCK_KINDS
from rooftree.compliance.credit.credit_clocks import CLOCK_OUTCOMES
from rooftree.compliance.models import CreditClock
from rooftree.leads.models import Lead
from rooftree.reporting.timeline.timeline_entry import EntryGroup, EntryMark, TimelineEntry


def build_entries(lead: Lead) -> Iterator[TimelineEntry]:
    """Build two entries for each clock: its start, and its end with the proof."""
    for clock in CreditClock.objects.filter(lead=lead).select_related("closed_by"):
        title = CLOCK_KINDS[clock.kind].title
        yield TimelineEntry(
            key=f"clock:{clock.pk}:opened",
            at=clock.opened_at,
            group=EntryGroup.LOAN,
            icon="clock",
            title=title,
            detail=f"due by {clock.due_on:%b} {clock.due_on.day}",
            body=clock.sentence,
            mark=EntryMark.HOLD,
        )
        if clock.closed_at is not None:
            yield TimelineEntry(
                key=f"clock:{clock.pk}:closed",
                at=clock.closed_at,
                group=EntryGroup.LOAN,
                icon="check",
                title=CLOCK_OUTCOMES[clock.outcome],
                detail=f"confirmed by {clock.closed_by.name}"
                if clock.closed_by
                else "from the LOS",
                body=clock.proof.get("reference", ""),
                mark=EntryMark.OK,
            )
