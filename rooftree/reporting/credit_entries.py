"""A lead's credit clocks in its history: what became due, and how it was seen that it went."""

from collections.abc import Iterator

from rooftree.compliance.clocks import OUTCOMES
from rooftree.compliance.credit_days import CLOCKS
from rooftree.compliance.models import CreditClock
from rooftree.leads.models import Lead
from rooftree.reporting.timeline import Entry, Group, Mark


def of_lead(lead: Lead) -> Iterator[Entry]:
    """Two entries a clock: its beginning, and its end with the proof."""
    for clock in CreditClock.objects.filter(lead=lead).select_related("closed_by"):
        title = CLOCKS[clock.kind].title
        yield Entry(
            key=f"clock:{clock.pk}:opened",
            at=clock.opened_at,
            group=Group.LOAN,
            icon="clock",
            title=title,
            rest=f"due by {clock.due_on:%b} {clock.due_on.day}",
            body=clock.sentence,
            mark=Mark.HOLD,
        )
        if clock.closed_at is not None:
            yield Entry(
                key=f"clock:{clock.pk}:closed",
                at=clock.closed_at,
                group=Group.LOAN,
                icon="check",
                title=OUTCOMES[clock.closed_as],
                rest=f"seen by {clock.closed_by.name}" if clock.closed_by else "as the LOS shows",
                body=clock.proof.get("reference", ""),
                mark=Mark.OK,
            )
