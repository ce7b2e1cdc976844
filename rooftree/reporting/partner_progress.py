"""How far a partner's introductions came: to the partner no more than each borrower allowed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from rooftree.capture.partners.partner_accounts import SHAREABLE_STEPS
from rooftree.leads.models import Introduction, Lead, Milestone, PartnerPermission, Touch


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One introduction, with what was reached of what may be shown."""

    introduction: Introduction
    reached: tuple[str, ...]  # of STEPS, in their order
    allowed: tuple[str, ...]
    lead: Lead | None  # for staff; None while it is not worked, or set aside

    @property
    def label(self) -> str:
        """The furthest step that may be shown; at the least that it came."""
        return SHAREABLE_STEPS[self.reached[-1]] if self.reached else "Received"


def load_progress(introductions: QuerySet[Introduction]) -> list[Progress]:
    """Of each, newest first; as many statements for one as for many."""
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
    one: Introduction, lead: Lead | None, steps: dict[UUID, dict[str, datetime]]
) -> Progress:
    said = next(iter(one.permissions.all()), None)
    allowed = tuple(said.steps) if said else ()
    reached = steps.get(lead.pk, {}) if lead else {}
    return Progress(
        introduction=one, lead=lead, allowed=allowed,
        reached=tuple(step for step in SHAREABLE_STEPS if step in allowed and step in reached),
    )  # fmt: skip


def _reached_steps(leads: Iterable[Lead]) -> dict[UUID, dict[str, datetime]]:
    """What each lead has reached, and when."""
    found = {
        lead.pk: {"contacted": lead.first_talk_at} if lead.first_talk_at else {} for lead in leads
    }
    rows = Milestone.objects.filter(loan__lead__in=found, code__in=SHAREABLE_STEPS)
    for lead_id, code, at in rows.values_list("loan__lead_id", "code", "reached_at"):
        found[lead_id].setdefault(code, at)
    return found
