"""Carry out the due steps of sequences, each once, within the borrower's daily ceiling."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, QuerySet

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads import lead_tasks
from rooftree.leads.lead_tasks import SystemTask
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import write_event
from rooftree.nurture import sequence_enrollment
from rooftree.nurture.lead_facts import load_facts
from rooftree.nurture.models import Enrollment, EnrollmentStep
from rooftree.nurture.sequence_enrollment import FINISHED, plan_of, zone_of
from rooftree.nurture.sequence_plan import Move, Plan, Step, next_move
from rooftree.org import staff_notices
from rooftree.org.current_company import current_company
from rooftree.outreach.messages import automatic_messages
from rooftree.outreach.messages.automatic_messages import MessageRequest
from rooftree.outreach.models import Message, Template
from rooftree.outreach.releases import release_drafts, release_limits
from rooftree.outreach.wording import message_templates
from rooftree.outreach.wording.occasions import get_occasion

log = logging.getLogger(__name__)
DAILY_CEILING = 3  # messages of all sequences to one person on one local day
NEXT_MORNING = time(9)  # when a step goes on that the ceiling has put off
MOVED = "moved to v"  # how the reason of an enrollment begins that continues in another version


@dataclass(slots=True)
class Consequences:
    """What a due step leaves to do after its enrollment has moved on."""

    requests: list[MessageRequest] = field(default_factory=list)
    follow_on: tuple[UUID, str, str] | None = None  # lead, sequence, occasion


def queue_due_steps(*, at: datetime, limit: int = 50) -> int:
    """Carry out due steps; return how many enrollments moved on.

    A message due for more people at once than can be written to without approval becomes a
    release, which waits for a second person.
    """
    moved = _create_releases_for_large_steps(at)
    for _ in range(limit):
        with transaction.atomic():
            rows = _lock(_due_enrollments(at))
            enrollment = rows.order_by("due_at").first()
            if enrollment is None:
                return moved
            after = _advance_enrollment(enrollment, at)
            automatic_messages.queue_requests(after.requests, at=at)
            _start_next_sequence(after, at)
            moved += 1
    return moved


def build_step_requests(cause: str) -> list[MessageRequest]:
    """Return the messages of one step for one person; none if the sequence was stopped since.

    Args:
        cause: the cause of the messages: `step:<enrollment id>:<step number>`.
    """
    _, enrollment_id, number = cause.split(":")
    enrollment = Enrollment.objects.select_related("sequence").get(pk=enrollment_id)
    lead, plan = _load_lead(enrollment), plan_of(enrollment.sequence)
    has_stopped = enrollment.end_reason not in ("", FINISHED)
    if has_stopped and not enrollment.end_reason.startswith(MOVED):
        return []
    if _find_end(lead, plan):
        return []
    return _build_requests(enrollment, lead, plan.steps[int(number)], int(number))


def _due_enrollments(at: datetime) -> QuerySet[Enrollment]:
    paused = sequence_enrollment.switched_off_keys(paused_only=True)
    return Enrollment.objects.filter(ended_at=None, due_at__lte=at).exclude(
        sequence__key__in=paused
    )


def _lock(due: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
    """Lock enrollments with their leads, without waiting: a locked one has its turn later."""
    rows = due.select_for_update(skip_locked=True, no_key=True, of=("self", "lead"))
    return rows.select_related("sequence", "lead")


def _create_releases_for_large_steps(at: datetime) -> int:
    due = _due_enrollments(at).order_by()
    steps = due.values_list("sequence_id", "next_step").annotate(people=Count("pk"))
    limits = release_limits.current_limits(at=at)
    large = [
        (sequence_id, number)
        for sequence_id, number, people in steps
        if limits.needs_second_person(people)
    ]
    return sum(
        _create_release(due.filter(sequence=sequence_id, next_step=number), at)
        for sequence_id, number in large
    )


def _create_release(due: QuerySet[Enrollment], at: datetime) -> int:
    with transaction.atomic():
        consequences = [_advance_enrollment(row, at) for row in _lock(due)]
        requests = [request for after in consequences for request in after.requests]
        if requests:
            release_drafts.create_and_seal(
                kind="steps",
                title=f"Sequence step: {get_occasion(requests[0].key).title}",
                members={request.idempotency_key: request.lead for request in requests},
                at=at,
            )
        for after in consequences:
            _start_next_sequence(after, at)
    return len(consequences)


def _start_next_sequence(after: Consequences, at: datetime) -> None:
    if after.follow_on:
        lead_id, key, occasion = after.follow_on
        sequence_enrollment.enroll_lead(lead_id=lead_id, key=key, at=at, occasion=occasion)


def _advance_enrollment(enrollment: Enrollment, at: datetime) -> Consequences:
    """Carry out the due step of a locked enrollment, and set when the next one is due."""
    lead, plan = _load_lead(enrollment), plan_of(enrollment.sequence)
    if reason := _find_end(lead, plan):
        _end_enrollment(enrollment, reason, at)
        return Consequences()
    if not enrollment.sequence.is_approved(at):
        _end_enrollment(enrollment, "its approval is over", at)
        return Consequences()
    if _is_outranked(enrollment, lead, plan):
        _end_enrollment(enrollment, "another sequence goes first", at)
        return Consequences()
    number = enrollment.next_step
    move = next_move(plan, number, load_facts(lead, at))
    if move.step and move.step.kind == "message" and _is_over_ceiling(lead, move.step, at):
        local = at.astimezone(ZoneInfo(zone_of(lead)))
        morning = datetime.combine(local.date() + timedelta(days=1), NEXT_MORNING, local.tzinfo)
        Enrollment.objects.filter(pk=enrollment.pk).update(due_at=morning.astimezone(at.tzinfo))
        return Consequences()
    EnrollmentStep.objects.create(
        id=uuid7_at(at), enrollment=enrollment, number=number, outcome=move.outcome, at=at
    )
    after = _carry_out(enrollment, lead, move, at)
    if move.next_number is None:
        _end_enrollment(enrollment, move.end_reason, at)
        return after
    due_at = plan.steps[move.next_number].delay.due_after(at, zone_of(lead))
    Enrollment.objects.filter(pk=enrollment.pk).update(next_step=move.next_number, due_at=due_at)
    return after


def _carry_out(enrollment: Enrollment, lead: Lead, move: Move, at: datetime) -> Consequences:
    """Return the messages of a step; a task or an alert is stored at once."""
    after, step, number = Consequences(), move.step, enrollment.next_step
    if move.move_to:
        after.follow_on = (lead.pk, move.move_to, f"after:{enrollment.pk}")
    if step and step.kind == "message":
        after.requests = _build_requests(enrollment, lead, step, number)
    if step and step.kind == "call_task":
        words = render_words(step, lead, at)
        kind = f"sequence:{enrollment.sequence.key}"[:60]
        lead_tasks.add_or_update_task(
            SystemTask(kind=kind, title=words[:200], due_at=at, updates_due_at=True),
            lead_id=lead.pk,
            at=at,
        )
    if step and step.kind == "officer_alert" and lead.officer:
        staff_notices.notify_user(
            user_id=lead.officer.user_id,
            kind="sequence",
            idempotency_key=f"step:{enrollment.pk}:{number}",
            text=f"{lead.person.short_name}: {render_words(step, lead, at)}",
            link=f"/leads/{lead.pk}/",
            at=at,
        )
    return after


def render_words(step: Step, lead: Lead, at: datetime) -> str:
    """Return what a loan officer reads in a call task or an alert, in the borrower's language."""
    language = message_templates.language_for(lead.person.language)
    template = Template(
        key="sequence_step",
        medium="call",
        language=language if step.words.get(language) else "en",
        body=step.words.get(language) or step.words.get("en", ""),
    )
    try:
        body = message_templates.render_template(
            template, lead=lead, company=current_company(), officer=lead.officer, at=at
        ).body
    except message_templates.BadTemplate as problem:  # staff read it as it was typed
        log.error("could not fill in the words of a step: %s", problem)
        body = template.body
    return " ".join(body.split())


def _is_over_ceiling(lead: Lead, step: Step, at: datetime) -> bool:
    """Return True if the step would bring more sequence messages today than one person gets."""
    today = Message.objects.filter(
        lead__person=lead.person_id,
        created_at__gte=sequence_enrollment.local_day_start(lead, at),
        idempotency_key__startswith="step:",
    )
    return today.exclude(state="cancelled").count() + len(step.media) > DAILY_CEILING


def _is_outranked(enrollment: Enrollment, lead: Lead, plan: Plan) -> bool:
    """Return True if the person is also on another sequence that goes first.

    That happens only after two people turned out to be one.
    """
    others = Enrollment.objects.filter(lead__person=lead.person_id, ended_at=None)
    for other in others.exclude(pk=enrollment.pk).select_related("sequence"):
        priority = plan_of(other.sequence).priority
        if (-priority, other.started_at, other.pk) < (
            *(-plan.priority, enrollment.started_at, enrollment.pk),
        ):
            return True
    return False


def _build_requests(
    enrollment: Enrollment, lead: Lead, step: Step, number: int
) -> list[MessageRequest]:
    cause = f"step:{enrollment.pk}:{number}"
    return [
        MessageRequest(lead=lead, key=step.template, medium=medium, idempotency_key=cause)
        for medium in step.media
    ]


def _load_lead(enrollment: Enrollment) -> Lead:
    rows = Lead.objects.select_related("person", "source", "officer__user")
    return rows.get(pk=enrollment.lead_id)


def _find_end(lead: Lead, plan: Plan) -> str:
    """Return why a lead's time on a sequence is over, "" while it isn't."""
    if lead.first_conversation_at is not None and "talked" in plan.ends_on:
        return "reached"
    if lead.state not in plan.stages:
        return f"stage is {lead.state}"
    return ""


def _end_enrollment(enrollment: Enrollment, because: str, at: datetime) -> None:
    Enrollment.objects.filter(pk=enrollment.pk).update(ended_at=at, end_reason=because, due_at=None)
    write_event("nurture.enrolment.ended", at=at, lead_id=enrollment.lead_id, because=because)
