"""Reading wording before a borrower does: what it comes to, and what is wrong with it.

It is read as rendered for made-up borrowers, as the gate will read it, and once more as it
was typed, so that no branch of it goes unread and no number comes from somebody's hand.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rooftree.compliance import lint
from rooftree.compliance.identification import OPT_OUT, ids_in
from rooftree.core import segments
from rooftree.org.the_company import the_company
from rooftree.outreach import opening
from rooftree.outreach.decide import ASKED_FOR
from rooftree.outreach.models import Template
from rooftree.outreach.purposes import occasion
from rooftree.outreach.wording import BadTemplate, Rendered
from rooftree.outreach.wording_samples import Sample, rendered, samples

CHANNELS = {"text": "sms", "email": "email", "call": "call"}
TYPED = "CT-40"  # a figure that is on no rate sheet of ours
FILLED_IN = re.compile(r"\{\{-?\s*[a-z_.]+\s*-?\}\}")
UNKNOWN = re.compile(r"'?([^']+)'? is undefined")
LONGEST_TEXT, LONGEST_EMAIL = 1_600, 20_000  # characters; carriers take no longer text
MANY = 3  # segments
LAW = "12 CFR 1007.105; state advertising rules"
CTIA = "CTIA Messaging Principles; carrier contract"
REG_B = "12 CFR 1002.2(f); 12 CFR 1002.9"
ORDER = ("block", "require", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing to know about wording, as a sentence. `action` is one of `ORDER`."""

    action: str
    said: str
    id: str = ""
    cite: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was found, and the wording as somebody made up gets it; None when it is broken."""

    remarks: tuple[Remark, ...]
    shown: Rendered | None = None
    length: segments.Length | None = None  # of a text
    seconds: int | None = None  # until an officer has said who, for whom and why

    @property
    def blocking(self) -> Sequence[Remark]:
        """With these it cannot be approved."""
        return [one for one in self.remarks if one.action == "block"]


def read(template: Template, *, at: datetime) -> Reading:
    """All that can be said of a draft or an edition before it is sent."""
    people, is_spoken = samples(template), occasion(template.key).is_spoken
    try:
        shown = [rendered(template, one, at=at) for one in people]
        said = opening.longest(template, at=at) if is_spoken else {}
    except BadTemplate as problem:
        return Reading(remarks=(Remark(action="block", said=_broken(problem)),))
    found = [
        *_lint(template, shown),
        *(one for pair in zip(people, shown, strict=True) for one in _missing(template, *pair)),
        *_size(template, shown[0]),
        *_unsaid(said),
    ]
    heard = [one for one in said.values() if one is not None]
    once = {(one.action, one.id, one.id and one.said): one for one in reversed(found)}
    return Reading(
        remarks=tuple(sorted(reversed(once.values()), key=lambda one: ORDER.index(one.action))),
        shown=shown[0],
        length=segments.length(shown[0].body) if template.medium == "text" else None,
        seconds=max(heard) if heard and len(heard) == len(said) else None,
    )


def _broken(problem: BadTemplate) -> str:
    """What Liquid says, in one line: its first, without the picture of the place."""
    said = str(problem).partition(": ")[2].partition("\n")[0].strip().rstrip(".")
    unknown = UNKNOWN.fullmatch(said)
    if unknown:
        said = f"there is no “{unknown[1]}” here"
    return f"It cannot be filled in: {said}."


def _lint(template: Template, shown: Iterable[Rendered]) -> Iterator[Remark]:
    """What the rules of wording find, each rule once."""
    proven = frozenset(ASKED_FOR if occasion(template.key).has_rates else ())
    typed = lint.Draft(
        body=FILLED_IN.sub(" ", template.body),
        subject=FILLED_IN.sub(" ", template.subject),
        channel=CHANNELS[template.medium],
        facts=proven - {"rate_snapshot_ok"},
    )
    sent = [
        lint.Draft(
            body=one.body, subject=one.subject, channel=CHANNELS[template.medium], facts=proven
        )
        for one in shown
    ]
    found = {one.id: one for draft in [typed, *sent] for one in lint.check(draft)}
    yield from (_told(one) for one in found.values())
    if any(lint.sounds_like_denial(f"{one.subject}\n{one.body}") for one in [typed, *sent]):
        yield Remark(
            action="block", id="RGB-01", cite=REG_B,
            said="It tells somebody no. That is a notice of the creditor, never standing wording.",
        )  # fmt: skip
    if template.language != "en":
        yield Remark(
            action="note",
            said="The patterns read English. Whoever approves must read this language.",
        )


def _told(found: lint.Finding) -> Remark:
    what = found.name.replace("_", " ")
    if found.id == TYPED:
        said = f"“{found.match}” is typed by hand. Figures are only filled in from a rate sheet."
        return Remark(action="block", id=found.id, cite=found.cite, said=said)
    said = f"“{found.match[:80]}” ({what}) must be written anew."
    if found.action == "require":
        proof = lint.PROOF[found.id]
        owed = f" and takes {proof}" if proof else ""
        said = f"“{found.match[:80]}” ({what}): every message with it waits for compliance{owed}."
    return Remark(action=found.action, id=found.id, cite=found.cite, said=said)


def _missing(template: Template, sample: Sample, shown: Rendered) -> Iterator[Remark]:
    """What every message must carry (content.md CP-01 to CP-03); e-mails get a footer besides."""
    company, is_text = the_company(), template.medium == "text"
    if template.medium == "email" and not shown.subject:
        yield Remark(action="block", said="An e-mail needs a subject.")
    if not shown.body.strip():
        yield Remark(action="block", said="It says nothing yet.")
        return
    if occasion(template.key).is_bare or occasion(template.key).is_spoken:
        return
    owed = {company.nmls_id} if is_text else set()
    owed |= {sample.officer.nmls_id} if sample.officer else set()
    if not owed <= ids_in(shown.body):
        yield Remark(
            action="block", id="LIC-01", cite=LAW,
            said="Who sends it is not named with NMLS ID: fill in “sender”.",
        )  # fmt: skip
    if is_text and company.brand not in shown.body:
        yield Remark(
            action="block", id="CP-01", cite=CTIA,
            said=f"A text must name {company.brand}: fill in “sender” or “company.brand”.",
        )  # fmt: skip
    if is_text and not OPT_OUT.search(shown.body):
        yield Remark(
            action="block", id="TEN-01", cite=CTIA,
            said="A text may be a borrower’s first: it must say “Reply STOP to end”.",
        )  # fmt: skip


def _unsaid(said: Mapping[str, int | None]) -> Iterator[Remark]:
    """Who, for whom and why, in every state's seconds: one wording is said in all of them."""
    for problem, cite in opening.problems(said) if said else ():
        yield Remark(action="block", id="DIS-01", cite=cite, said=problem)


def _size(template: Template, shown: Rendered) -> Iterator[Remark]:
    if template.medium != "text":
        if len(template.body) > LONGEST_EMAIL:
            yield Remark(action="block", said="It is too long for an e-mail.")
        return
    length = segments.length(shown.body)
    if len(shown.body) > LONGEST_TEXT:
        yield Remark(action="block", said=f"Carriers take {LONGEST_TEXT:,} characters at most.")
    if length.segments > MANY:
        yield Remark(action="note", said=f"It is paid as {length.segments} texts.")
    if length.odd and template.language == "en":
        said = f"{' '.join(length.odd[:8])} makes it cost more: 70 characters a segment, not 160."
        yield Remark(action="note", said=said)
