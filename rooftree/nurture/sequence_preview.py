"""The timeline of a sequence for one lead: each step with its time, text and gate verdict."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rooftree.compliance.gate.verdict import Decision
from rooftree.leads.models import Lead
from rooftree.nurture.due_steps import render_words
from rooftree.nurture.lead_facts import load_facts
from rooftree.nurture.sequence_enrollment import zone_of
from rooftree.nurture.sequence_plan import Plan, Step, next_move
from rooftree.nurture.step_descriptions import media_label, step_title
from rooftree.outreach.messages import automatic_messages, message_verdicts
from rooftree.outreach.messages.automatic_messages import MessageRequest

MAX_ASKED = 12  # messages that the gate is asked about; later ones show only their day


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewLine:
    """One step as one lead would get it."""

    number: int
    label: str
    title: str
    due_at: datetime
    outcome: str  # of a `sequence_plan.Move`
    medium: str = ""
    body: str = ""
    sentence: str = ""  # why it waits or is not sent
    goes_at: datetime | None = None  # when it is sent, if not at `due_at`


def preview_sequence(plan: Plan, lead: Lead, *, at: datetime) -> Iterator[PreviewLine]:
    """Yield the steps of a sequence that began at `at`, if nothing about the lead changed.

    Args:
        lead: with its person, source and officer's user loaded.
    """
    facts, number, moment, asked = load_facts(lead, at), 0, at, 0
    following: int | None = number
    while following is not None:
        number, step = following, plan.steps[following]
        moment = step.delay.due_after(moment, zone_of(lead))
        facts["days_since_inquiry"] = (moment - lead.last_inquiry_at).days
        move = next_move(plan, number, facts)
        following = move.next_number
        if move.step and step.kind == "message" and asked < MAX_ASKED:
            asked += len(step.media)
            yield from _preview_messages(step, number, lead, moment, at)
            continue
        yield PreviewLine(
            number=number + 1,
            label=media_label(step),
            title=step_title(step) or step.condition_text,
            due_at=moment,
            outcome=move.outcome,
            body=render_words(step, lead, at) if move.step and step.words else "",
            sentence=move.end_reason if move.outcome == "ended" else "",
        )


def _preview_messages(
    step: Step, number: int, lead: Lead, due_at: datetime, at: datetime
) -> Iterator[PreviewLine]:
    for medium in step.media:
        request = MessageRequest(
            lead=lead, key=step.template, medium=medium, idempotency_key="preview"
        )
        drafts = automatic_messages.draft_requests([request], at=due_at, worded_at=at)
        sentence, goes_at = "No template or no address, so nothing is sent.", None
        if drafts:
            verdict = message_verdicts.preview_verdicts(drafts, at=due_at)[0]
            is_held = verdict.decision is Decision.DEFER
            goes_at = verdict.next_allowed_at if is_held else None
            sentence = "" if verdict.decision is Decision.ALLOW or goes_at else verdict.sentence
        yield PreviewLine(
            number=number + 1,
            label=medium.capitalize(),
            title=step_title(step),
            due_at=due_at,
            outcome="done",
            medium=medium,
            body=drafts[0].body if drafts else "",
            sentence=sentence,
            goes_at=goes_at,
        )
