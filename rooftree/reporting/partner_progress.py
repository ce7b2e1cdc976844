"""Progress of a partner's introductions, limited to the steps each borrower agreed to share."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from rooftree.capture.partners.partner_accounts import SHAREABLE_STEPS
from rooftree.leads.models import Introduction, Lead, Milestone, PartnerPermission, Touch


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One introduction, with the steps reached that the borrower agreed to share."""

    introduction: Introduction
    reached: tuple[str, ...]  # keys of SHAREABLE_STEPS, in order
    allowed: tuple[str, ...]
    lead: Lead | None  # for staff; None while its delivery is unworked or quarantined

    @property
    def label(self) -> str:
        """The furthest shareable step reached; "Received" if there is none."""
        return SHAREABLE_STEPS[self.reached[-1]] if self.reached else "Received"


def load_progress(introductions: QuerySet[Introduction]) -> list[Progress]:
    """Load the progress of introductions, newest first, in a fixed number of queries."""
    newest = PartnerPermission.objects.order_by("-at", "-pk")
    rows = list(
        introductions.select_related("partner__user", "delivery")
        .prefetch_related(Prefetch("permissions", newest))
        .order_by("-at", "-pk")
    )
    touches = Touch.objects.filter(delivery__in=[row.delivery_id for row in rows])
    leads = {touch.delivery_id: touch.lead for touch in touches.select_related("lead__person")}
    steps = _reached_steps(leads.values())
    return [_build_progress(row, leads.get(row.delivery_id), steps) for row in rows]


def _build_progress(
    introduction: Introduction, lead: Lead | None, steps: dict[UUID, dict[str, datetime]]
) -> Progress:
    permission = next(iter(introduction.permissions.all()), None)
    allowed = tuple(permission.steps) if permission else ()
    reached = steps.get(lead.pk, {}) if lead else {}
    return Progress(
        introduction=introduction, lead=lead, allowed=allowed,
        reached=tuple(step for step in SHAREABLE_STEPS if step in allowed and step in reached),
    )  # fmt: skip


def _reached_steps(leads: Iterable[Lead]) -> dict[UUID, dict[str, datetime]]:
    """Return the time each lead reached each step, by lead id."""
    reached = {
        lead.pk: {"contacted": lead.first_conversation_at} if lead.first_conversation_at else {}
        for lead in leads
    }
    rows = Milestone.objects.filter(loan__lead__in=reached, code__in=SHAREABLE_STEPS)
    for lead_id, code, at in rows.values_list("loan__lead_id", "code", "reached_at"):
        reached[lead_id].setdefault(code, at)
    return reached
