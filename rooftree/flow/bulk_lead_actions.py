"""Take one action on several leads: preview it, run it once, and undo it.

Each lead goes through the function of the single action and is judged on its own. A preview runs
the same functions and rolls them back, so it cannot promise what the action would refuse.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_row_if_new, insert_rows
from rooftree.flow import credit_notice_triggers, lead_offers
from rooftree.leads import lead_tags, snooze
from rooftree.leads.models import Lead
from rooftree.nurture import sequence_enrollment
from rooftree.nurture.models import Enrollment
from rooftree.org.models import User
from rooftree.rates import rate_watch, record_rates
from rooftree.reporting.rollups import rollup_deltas
from rooftree.routing import lead_ownership
from rooftree.routing.models import BulkAction, BulkChange
from rooftree.routing.permissions import has_permission, leads_visible_to, officers_visible_to
from rooftree.tasks.live_updates import publish_update

MAX_LEADS = 100  # house: in one action, so that a mistake stays small and a page stays quick
UNDO_WINDOW = timedelta(hours=1)


class BulkKind(StrEnum):
    """The actions that can be taken on several leads."""

    REASSIGN = "reassign"
    SNOOZE = "snooze"
    TAG = "tag"
    ENROLL = "enroll"
    WATCH = "watch"


PERMISSIONS = {  # of the single action
    BulkKind.REASSIGN: "reassign",
    BulkKind.SNOOZE: "change_lead",
    BulkKind.TAG: "change_lead",
    BulkKind.ENROLL: "contact_lead",
    BulkKind.WATCH: "watch_rate",
}


class CannotRun(UserError):
    """The whole action cannot be taken. The text is fit to show."""


class LeadRefused(Exception):
    """One lead cannot be changed; the others can. The text is fit to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOrder:
    """An action with its target and the leads that it is for."""

    kind: BulkKind
    lead_ids: Collection[UUID]
    target: str  # officer id, time in ISO 8601, tag, sequence key or "product:rate", by kind
    summary: str  # "Reassigned to Dana Whitfield"
    reason: str = ""  # of a snooze


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadOutcome:
    """The outcome for one lead; an empty problem means that it changes."""

    lead: Lead
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOutcome:
    """The outcomes for all leads of an action."""

    outcomes: list[LeadOutcome] = field(default_factory=list)

    @property
    def changed(self) -> list[LeadOutcome]:
        return [outcome for outcome in self.outcomes if not outcome.problem]

    @property
    def refused(self) -> list[LeadOutcome]:
        return [outcome for outcome in self.outcomes if outcome.problem]


def preview_action(order: BulkOrder, *, by: User, at: datetime) -> BulkOutcome:
    """Return what an action would do, and change nothing. Raises `CannotRun`."""
    leads = _load_leads(order, by)
    with transaction.atomic():
        outcome = _apply_to_leads(order, leads, by, at)
        transaction.set_rollback(True)
    return outcome


def run_action(order: BulkOrder, *, key: UUID, by: User, at: datetime) -> BulkAction:
    """Take an action once; a repeat with the same key returns the first run.

    Raises `CannotRun`.
    """
    action = BulkAction(
        id=key, kind=order.kind, by=by, target=order.target[:80], summary=order.summary[:200], at=at
    )
    with transaction.atomic():
        if not insert_row_if_new(action):
            return find_action(key, by=by)
        leads = _load_leads(order, by)
        owners = {lead.pk: lead.officer_id for lead in leads}
        outcome = _apply_to_leads(order, leads, by, at)
        insert_rows(
            [
                BulkChange(
                    id=uuid7_at(at),
                    action=action,
                    lead_id=line.lead.pk,
                    problem=line.problem[:300],
                    officer_before_id=owners[line.lead.pk],
                )
                for line in outcome.outcomes
            ]
        )
    return action


def find_action(key: UUID, *, by: User) -> BulkAction:
    """Return the user's own action. Raises `CannotRun` if there is none."""
    action = BulkAction.objects.filter(pk=key, by=by).first()
    if action is None:
        raise CannotRun("This action doesn’t exist or is someone else’s.")
    return action


def undo_action(action: BulkAction, *, by: User, at: datetime) -> int:
    """Undo an action on each lead that nobody has changed since; return on how many.

    Safe to repeat. Raises `CannotRun` after `UNDO_WINDOW` or without the permission.
    """
    if at > action.at + UNDO_WINDOW:
        raise CannotRun("It’s too late to undo this action. Change the leads one by one.")
    _require_permission(BulkKind(action.kind), by)
    with transaction.atomic():
        if not BulkAction.objects.filter(pk=action.pk, undone_at=None).update(undone_at=at):
            return 0
        visible = leads_visible_to(by, PERMISSIONS[BulkKind(action.kind)]).values("pk")
        changes = action.changes.filter(problem="").select_related("lead").order_by("lead_id")
        shown = set(changes.filter(lead__in=visible).values_list("pk", flat=True))
        undone = 0
        for change in changes:
            try:
                if change.pk not in shown:
                    raise LeadRefused("You can no longer see this lead.")
                with transaction.atomic():
                    _undo_change(action, change, by, at)
                undone += 1
            except (LeadRefused, lead_ownership.CannotOwn) as problem:
                BulkChange.objects.filter(pk=change.pk).update(undo_problem=str(problem)[:300])
    return undone


def _load_leads(order: BulkOrder, by: User) -> list[Lead]:
    """Return the leads that the user can change, in the order in which they are locked."""
    _require_permission(order.kind, by)
    ids = set(order.lead_ids)
    if not ids:
        raise CannotRun("Select at least one lead.")
    if len(ids) > MAX_LEADS:
        raise CannotRun(f"You selected {len(ids)} leads. The most at a time is {MAX_LEADS}.")
    if order.kind is BulkKind.REASSIGN:
        officers = officers_visible_to(by, PERMISSIONS[order.kind]).filter(terminated_at=None)
        if not officers.filter(pk=order.target).exists():
            raise CannotRun("You can’t reassign leads to this loan officer.", "officer")
    leads = leads_visible_to(by, PERMISSIONS[order.kind]).filter(pk__in=ids)
    return list(leads.select_related("person").order_by("pk"))


def _require_permission(kind: BulkKind, by: User) -> None:
    if not has_permission(by, PERMISSIONS[kind]):
        raise CannotRun("Your role doesn’t have access to this.")


def _apply_to_leads(
    order: BulkOrder, leads: Collection[Lead], by: User, at: datetime
) -> BulkOutcome:
    outcomes = []
    for lead in leads:
        problem = ""
        try:
            with transaction.atomic():
                _apply_to_lead(order, lead, by, at)
        except (
            LeadRefused,
            lead_ownership.CannotOwn,
            snooze.CannotSnooze,
            lead_tags.InvalidTag,
            sequence_enrollment.CannotEnroll,
            record_rates.InvalidRate,
        ) as refusal:
            # The database says "Not allowed: the loan officer is ...".
            sentence = str(refusal).removeprefix("Not allowed: ")
            problem = f"{sentence[:1].upper()}{sentence[1:]}"
        outcomes.append(LeadOutcome(lead=lead, problem=problem))
    return BulkOutcome(outcomes=outcomes)


def _apply_to_lead(order: BulkOrder, lead: Lead, by: User, at: datetime) -> None:
    match order.kind:
        case BulkKind.REASSIGN:
            if str(lead.officer_id) == order.target:
                raise LeadRefused("Already this loan officer’s lead.")
            officer_id = UUID(order.target)
            lead_offers.reassign_lead(lead_id=lead.pk, officer_id=officer_id, by=by, at=at)
        case BulkKind.SNOOZE:
            until = datetime.fromisoformat(order.target)
            credit_notice_triggers.snooze_lead(
                lead_id=lead.pk, until=until, because=order.reason, by=by.pk, at=at
            )
        case BulkKind.TAG:
            if not lead_tags.add_tag(lead_id=lead.pk, name=order.target, by=by.pk, at=at):
                raise LeadRefused("The lead has this tag already.")
        case BulkKind.ENROLL:
            sequence_enrollment.start_sequence(lead_id=lead.pk, key=order.target, by=by.pk, at=at)
        case BulkKind.WATCH:
            _set_watch(lead, order.target, by, at)


def _set_watch(lead: Lead, product_and_rate: str, by: User, at: datetime) -> None:
    product, _, target = product_and_rate.partition(":")
    if lead.watches.filter(product=product, ended_at=None).exists():
        raise LeadRefused("The lead has a rate watch for this product already.")
    watch = rate_watch.set_watch(
        lead=lead, product=product, target_pct=Decimal(target), by=by, at=at
    )
    if watch.set_at != at:
        raise LeadRefused("The lead has this rate watch already.")


def _undo_change(action: BulkAction, change: BulkChange, by: User, at: datetime) -> None:
    lead = Lead.objects.select_for_update(of=("self",), no_key=True).get(pk=change.lead_id)
    changed_since = LeadRefused("The lead has changed since.")
    match BulkKind(action.kind):
        case BulkKind.REASSIGN:
            if str(lead.officer_id) != action.target:
                raise changed_since
            _return_lead(lead, change, by, at)
        case BulkKind.SNOOZE:
            if lead.snoozed_until != datetime.fromisoformat(action.target):
                raise changed_since
            snooze.wake_lead(lead_id=lead.pk, because="undone", at=at)
        case BulkKind.TAG:
            lead_tags.remove_tag(lead_id=lead.pk, name=action.target, by=by.pk, at=at)
        case BulkKind.ENROLL:
            _stop_enrollment(lead, action, at)
        case BulkKind.WATCH:
            _end_watch(lead, action, by, at)


def _stop_enrollment(lead: Lead, action: BulkAction, at: datetime) -> None:
    live = Enrollment.objects.filter(
        lead=lead, ended_at=None, sequence__key=action.target, started_at=action.at
    )
    if not live.exists():
        raise LeadRefused("The lead has changed since.")
    sequence_enrollment.stop_sequence(lead_id=lead.pk, because="undone", at=at)


def _end_watch(lead: Lead, action: BulkAction, by: User, at: datetime) -> None:
    product, _, _ = action.target.partition(":")
    watch = lead.watches.filter(product=product, set_at=action.at).first()
    if not watch or not rate_watch.end_watch(watch, because="undone", by=by, at=at):
        raise LeadRefused("The lead has changed since.")


def _return_lead(lead: Lead, change: BulkChange, by: User, at: datetime) -> None:
    """Give a lead back to the officer it was taken from, or to no one."""
    if change.officer_before_id:
        lead_offers.reassign_lead(
            lead_id=lead.pk, officer_id=change.officer_before_id, by=by, at=at
        )
        return
    lead_ownership.release_lead(lead_id=lead.pk, by=by, at=at, because="undone")
    rollup_deltas.recount_lead(Lead.objects.get(pk=lead.pk))
    publish_update("offer", lead=str(lead.pk))
