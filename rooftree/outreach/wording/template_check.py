"""Reading wording before a borrower does: what it comes to, and what is wrong with it.

It is read as rendered for made-up borrowers, as the gate will read it, and once more as it
was typed, so that no branch of it goes unread and no number comes from somebody's hand.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rooftree.compliance.gate.required_disclosures import OPT_OUT_WORDING, extract_nmls_ids
from rooftree.compliance.wording_rules import wording_check
from rooftree.core import sms_segments
from rooftree.org.current_company import current_company
from rooftree.outreach.calls import call_script
from rooftree.outreach.messages.message_verdicts import RATE_ALERT_PROOFS
from rooftree.outreach.models import Template
from rooftree.outreach.wording.message_templates import BadTemplate, RenderedTemplate
from rooftree.outreach.wording.occasions import get_occasion
from rooftree.outreach.wording.template_samples import (
    SampleBorrower,
    render_sample,
    sample_borrowers,
)

CHANNELS = {"text": "sms", "email": "email", "call": "call"}
TYPED_FIGURE_RULE = "CT-40"  # a figure that is on no rate sheet of ours
PLACEHOLDER = re.compile(r"\{\{-?\s*[a-z_.]+\s*-?\}\}")
UNDEFINED_NAME = re.compile(r"'?([^']+)'? is undefined")
MAX_TEXT_LENGTH, MAX_EMAIL_LENGTH = 1_600, 20_000  # characters; carriers take no longer text
MANY_SEGMENTS = 3  # segments
NMLS_CITE = "12 CFR 1007.105; state advertising rules"
CTIA_CITE = "CTIA Messaging Principles; carrier contract"
REG_B_CITE = "12 CFR 1002.2(f); 12 CFR 1002.9"
ACTION_ORDER = ("block", "require", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFinding:
    """One thing to know about wording, as a sentence. `action` is one of `ORDER`."""

    action: str
    text: str
    id: str = ""
    cite: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCheck:
    """What was found, and the wording as somebody made up gets it; None when it is broken."""

    findings: tuple[TemplateFinding, ...]
    preview: RenderedTemplate | None = None
    length: sms_segments.TextLength | None = None  # of a text
    seconds: int | None = None  # until an officer has said who, for whom and why

    @property
    def blocking_findings(self) -> Sequence[TemplateFinding]:
        """With these it cannot be approved."""
        return [remark for remark in self.findings if remark.action == "block"]


def check_template(template: Template, *, at: datetime) -> TemplateCheck:
    """All that can be said of a draft or an edition before it is sent."""
    people, is_spoken = sample_borrowers(template), get_occasion(template.key).is_spoken
    try:
        shown = [render_sample(template, person, at=at) for person in people]
        said = call_script.longest_seconds(template, at=at) if is_spoken else {}
    except BadTemplate as problem:
        return TemplateCheck(
            findings=(TemplateFinding(action="block", text=_describe_error(problem)),)
        )
    found = [
        *_check_lint_rules(template, shown),
        *(
            check_required_part
            for pair in zip(people, shown, strict=True)
            for check_required_part in _check_required_parts(template, *pair)
        ),
        *_check_length(template, shown[0]),
        *_check_call_script(said),
    ]
    heard = [one for one in said.values() if one is not None]
    once = {
        (
            check_lint_rule.action,
            check_lint_rule.id,
            check_lint_rule.id and check_lint_rule.text,
        ): check_lint_rule
        for check_lint_rule in reversed(found)
    }
    return TemplateCheck(
        findings=tuple(
            sorted(reversed(once.values()), key=lambda one: ACTION_ORDER.index(one.action))
        ),
        preview=shown[0],
        length=sms_segments.measure_text(shown[0].body) if template.medium == "text" else None,
        seconds=max(heard) if heard and len(heard) == len(said) else None,
    )


def _describe_error(problem: BadTemplate) -> str:
    """What Liquid says, in one line: its first, without the picture of the place."""
    said = str(problem).partition(": ")[2].partition("\n")[0].strip().rstrip(".")
    unknown = UNDEFINED_NAME.fullmatch(said)
    if unknown:
        said = f"there is no “{unknown[1]}” here"
    return f"It cannot be filled in: {said}."


def _check_lint_rules(
    template: Template, shown: Iterable[RenderedTemplate]
) -> Iterator[TemplateFinding]:
    """What the rules of wording find, each rule once."""
    proven = frozenset(RATE_ALERT_PROOFS if get_occasion(template.key).has_rates else ())
    typed = wording_check.Draft(
        body=PLACEHOLDER.sub(" ", template.body),
        subject=PLACEHOLDER.sub(" ", template.subject),
        channel=CHANNELS[template.medium],
        facts=proven - {"rate_snapshot_ok"},
    )
    sent = [
        wording_check.Draft(
            body=rendered_template.body,
            subject=rendered_template.subject,
            channel=CHANNELS[template.medium],
            facts=proven,
        )
        for rendered_template in shown
    ]
    found = {
        find_wording_issue.id: find_wording_issue
        for draft in [typed, *sent]
        for find_wording_issue in wording_check.find_wording_issues(draft)
    }
    yield from (_describe_finding(one) for one in found.values())
    if any(
        wording_check.sounds_like_denial(f"{one.subject}\n{one.body}") for one in [typed, *sent]
    ):
        yield TemplateFinding(
            action="block", id="RGB-01", cite=REG_B_CITE,
            text="It tells somebody no. That is a notice of the creditor, never standing wording.",
        )  # fmt: skip
    if template.language != "en":
        yield TemplateFinding(
            action="note",
            text="The patterns read English. Whoever approves must read this language.",
        )


def _describe_finding(found: wording_check.WordingFinding) -> TemplateFinding:
    what = found.name.replace("_", " ")
    if found.id == TYPED_FIGURE_RULE:
        said = f"“{found.match}” is typed by hand. Figures are only filled in from a rate sheet."
        return TemplateFinding(action="block", id=found.id, cite=found.cite, text=said)
    said = f"“{found.match[:80]}” ({what}) must be written anew."
    if found.action == "require":
        proof = wording_check.EVIDENCE_BY_RULE[found.id]
        owed = f" and takes {proof}" if proof else ""
        said = f"“{found.match[:80]}” ({what}): every message with it waits for compliance{owed}."
    return TemplateFinding(action=found.action, id=found.id, cite=found.cite, text=said)


def _check_required_parts(
    template: Template, sample: SampleBorrower, shown: RenderedTemplate
) -> Iterator[TemplateFinding]:
    """What every message must carry (content.md CP-01 to CP-03); e-mails get a footer besides."""
    company, is_text = current_company(), template.medium == "text"
    if template.medium == "email" and not shown.subject:
        yield TemplateFinding(action="block", text="An e-mail needs a subject.")
    if not shown.body.strip():
        yield TemplateFinding(action="block", text="It says nothing yet.")
        return
    if get_occasion(template.key).is_bare or get_occasion(template.key).is_spoken:
        return
    owed = {company.nmls_id} if is_text else set()
    owed |= {sample.officer.nmls_id} if sample.officer else set()
    if not owed <= extract_nmls_ids(shown.body):
        yield TemplateFinding(
            action="block", id="LIC-01", cite=NMLS_CITE,
            text="Who sends it is not named with NMLS ID: fill in “sender”.",
        )  # fmt: skip
    if is_text and company.brand not in shown.body:
        yield TemplateFinding(
            action="block", id="CP-01", cite=CTIA_CITE,
            text=f"A text must name {company.brand}: fill in “sender” or “company.brand”.",
        )  # fmt: skip
    if is_text and not OPT_OUT_WORDING.search(shown.body):
        yield TemplateFinding(
            action="block", id="TEN-01", cite=CTIA_CITE,
            text="A text may be a borrower’s first: it must say “Reply STOP to end”.",
        )  # fmt: skip


def _check_call_script(said: Mapping[str, int | None]) -> Iterator[TemplateFinding]:
    """Who, for whom and why, in every state's seconds: one wording is said in all of them."""
    for problem, cite in call_script.find_problems(said) if said else ():
        yield TemplateFinding(action="block", id="DIS-01", cite=cite, text=problem)


def _check_length(template: Template, shown: RenderedTemplate) -> Iterator[TemplateFinding]:
    if template.medium != "text":
        if len(template.body) > MAX_EMAIL_LENGTH:
            yield TemplateFinding(action="block", text="It is too long for an e-mail.")
        return
    length = sms_segments.measure_text(shown.body)
    if len(shown.body) > MAX_TEXT_LENGTH:
        yield TemplateFinding(
            action="block", text=f"Carriers take {MAX_TEXT_LENGTH:,} characters at most."
        )
    if length.segments > MANY_SEGMENTS:
        yield TemplateFinding(action="note", text=f"It is paid as {length.segments} texts.")
    if length.non_gsm_chars and template.language == "en":
        said = f"{' '.join(length.non_gsm_chars[:8])} makes it cost more: 70 characters a segment, not 160."
        yield TemplateFinding(action="note", text=said)
