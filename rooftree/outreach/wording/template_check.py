"""Template checks before approval: the preview, and findings that warn or block.

A template is checked as rendered for sample borrowers, which is what the gate will see, and
as typed, so that every branch is read and no figure is typed by hand.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
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
TYPED_FIGURE_RULE = "CT-40"  # a figure that is not from our rate sheets
PLACEHOLDER = re.compile(r"\{\{-?\s*[a-z_.]+\s*-?\}\}")
UNDEFINED_NAME = re.compile(r"'?([^']+)'? is undefined")
MAX_TEXT_LENGTH, MAX_EMAIL_LENGTH = 1_600, 20_000  # characters; the text limit is the carriers'
MANY_SEGMENTS = 3  # more than this gets a note
NMLS_CITE = "12 CFR 1007.105; state advertising rules"
CTIA_CITE = "CTIA Messaging Principles; carrier contract"
REG_B_CITE = "12 CFR 1002.2(f); 12 CFR 1002.9"
ACTION_ORDER = ("block", "require", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFinding:
    """One finding about a template, as a sentence. `action` is one of ACTION_ORDER."""

    action: str
    text: str
    id: str = ""
    cite: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCheck:
    """The findings about a template and its preview; the preview is None if it can't render."""

    findings: tuple[TemplateFinding, ...]
    preview: RenderedTemplate | None = None
    length: sms_segments.TextLength | None = None  # only for a text
    seconds: int | None = None  # of a call script, until all required parts are said

    @property
    def blocking_findings(self) -> Sequence[TemplateFinding]:
        """The findings that prevent approval."""
        return [finding for finding in self.findings if finding.action == "block"]


def check_template(template: Template, *, at: datetime) -> TemplateCheck:
    """Check a draft or version at `at`."""
    samples, is_spoken = sample_borrowers(template), get_occasion(template.key).is_spoken
    try:
        previews = [render_sample(template, sample, at=at) for sample in samples]
        seconds_by_part = call_script.longest_seconds(template, at=at) if is_spoken else {}
    except BadTemplate as problem:
        return TemplateCheck(
            findings=(TemplateFinding(action="block", text=_describe_error(problem)),)
        )
    findings = [
        *_check_lint_rules(template, previews),
        *(
            finding
            for sample, preview in zip(samples, previews, strict=True)
            for finding in _check_required_parts(template, sample, preview)
        ),
        *_check_length(template, previews[0]),
        # The same script is used in all states, so the strictest one counts.
        *(
            TemplateFinding(action="block", id="DIS-01", cite=cite, text=problem)
            for problem, cite in (
                call_script.find_problems(seconds_by_part) if seconds_by_part else ()
            )
        ),
    ]
    # Reversed twice: of equal findings the first one is kept, in its place.
    unique = {
        (finding.action, finding.id, finding.id and finding.text): finding
        for finding in reversed(findings)
    }
    known_seconds = [seconds for seconds in seconds_by_part.values() if seconds is not None]
    is_complete = len(known_seconds) == len(seconds_by_part)
    findings = sorted(
        reversed(unique.values()), key=lambda finding: ACTION_ORDER.index(finding.action)
    )
    return TemplateCheck(
        findings=tuple(findings),
        preview=previews[0],
        length=sms_segments.measure_text(previews[0].body) if template.medium == "text" else None,
        seconds=max(known_seconds) if known_seconds and is_complete else None,
    )


def _describe_error(problem: BadTemplate) -> str:
    """Return Liquid's error as one sentence: its first line, without the code excerpt."""
    error = str(problem).partition(": ")[2].partition("\n")[0].strip().rstrip(".")
    unknown = UNDEFINED_NAME.fullmatch(error)
    if unknown:
        error = f"there is no placeholder “{unknown[1]}”"
    return f"This can’t be rendered: {error}."


def _check_lint_rules(
    template: Template, previews: Iterable[RenderedTemplate]
) -> Iterator[TemplateFinding]:
    """Yield the findings of the wording rules, each rule once."""
    proven = frozenset(RATE_ALERT_PROOFS if get_occasion(template.key).has_rates else ())
    typed = wording_check.Draft(
        body=PLACEHOLDER.sub(" ", template.body),
        subject=PLACEHOLDER.sub(" ", template.subject),
        channel=CHANNELS[template.medium],
        facts=proven - {"rate_snapshot_ok"},
    )
    rendered = [
        wording_check.Draft(
            body=preview.body,
            subject=preview.subject,
            channel=CHANNELS[template.medium],
            facts=proven,
        )
        for preview in previews
    ]
    drafts = [typed, *rendered]
    issues = {
        issue.id: issue for draft in drafts for issue in wording_check.find_wording_issues(draft)
    }
    yield from (_describe_finding(issue) for issue in issues.values())
    if any(wording_check.sounds_like_denial(f"{draft.subject}\n{draft.body}") for draft in drafts):
        yield TemplateFinding(
            action="block", id="RGB-01", cite=REG_B_CITE,
            text="This reads like a denial. Denials are creditor notices, never templates.",
        )  # fmt: skip
    if template.language != "en":
        yield TemplateFinding(
            action="note",
            text="The wording rules only cover English. The approver has to read this language.",
        )


def _describe_finding(issue: wording_check.WordingFinding) -> TemplateFinding:
    rule_name = issue.name.replace("_", " ")
    if issue.id == TYPED_FIGURE_RULE:
        text = f"“{issue.match}” is typed by hand. Use the rate placeholders for figures."
        return TemplateFinding(action="block", id=issue.id, cite=issue.cite, text=text)
    text = f"Rewrite “{issue.match[:80]}” ({rule_name})."
    if issue.action == "require":
        proof = wording_check.EVIDENCE_BY_RULE[issue.id]
        needs = f" and needs {proof}" if proof else ""
        text = f"“{issue.match[:80]}” ({rule_name}): each message waits for compliance{needs}."
    return TemplateFinding(action=issue.action, id=issue.id, cite=issue.cite, text=text)


def _check_required_parts(
    template: Template, sample: SampleBorrower, preview: RenderedTemplate
) -> Iterator[TemplateFinding]:
    """Yield missing required parts (content.md CP-01 to CP-03); emails also get a footer."""
    company, is_text = current_company(), template.medium == "text"
    if template.medium == "email" and not preview.subject:
        yield TemplateFinding(action="block", text="Add a subject.")
    if not preview.body.strip():
        yield TemplateFinding(action="block", text="Add a message.")
        return
    if get_occasion(template.key).is_bare or get_occasion(template.key).is_spoken:
        return
    required_ids = {company.nmls_id} if is_text else set()
    required_ids |= {sample.officer.nmls_id} if sample.officer else set()
    if not required_ids <= extract_nmls_ids(preview.body):
        yield TemplateFinding(
            action="block", id="LIC-01", cite=NMLS_CITE,
            text="Add the sender with NMLS ID: insert “sender”.",
        )  # fmt: skip
    if is_text and company.brand not in preview.body:
        yield TemplateFinding(
            action="block", id="CP-01", cite=CTIA_CITE,
            text=f"Name {company.brand} in the text: insert “sender” or “company.brand”.",
        )  # fmt: skip
    if is_text and not OPT_OUT_WORDING.search(preview.body):
        yield TemplateFinding(
            action="block", id="TEN-01", cite=CTIA_CITE,
            text="Add “Reply STOP to end”: this can be the first text a borrower gets.",
        )  # fmt: skip


def _check_length(template: Template, preview: RenderedTemplate) -> Iterator[TemplateFinding]:
    if template.medium != "text":
        if len(template.body) > MAX_EMAIL_LENGTH:
            yield TemplateFinding(
                action="block", text=f"Use at most {MAX_EMAIL_LENGTH:,} characters."
            )
        return
    length = sms_segments.measure_text(preview.body)
    if len(preview.body) > MAX_TEXT_LENGTH:
        yield TemplateFinding(
            action="block", text=f"Use at most {MAX_TEXT_LENGTH:,} characters, the carriers’ limit."
        )
    if length.segments > MANY_SEGMENTS:
        yield TemplateFinding(action="note", text=f"Billed as {length.segments} texts.")
    if length.non_gsm_chars and template.language == "en":
        chars = " ".join(length.non_gsm_chars[:8])
        text = f"{chars} costs more: 70 characters per segment instead of 160."
        yield TemplateFinding(action="note", text=text)
