"""What the wording of a message, page or ad must not say, or must prove first (CNT-01)."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from rooftree.compliance.facts import Facts, Medium, known
from rooftree.compliance.needles import Detector, Vocabulary
from rooftree.compliance.verdict import Rule, Ruling

CNT_01 = Rule(id="CNT-01", cite="12 CFR 1014.3; 12 CFR 1026.24; 12 USC 5531; docs/rules/content.md")
RGB_01 = Rule(id="RGB-01", cite="12 CFR 1002.2(f) and comment 2(f)-3; 12 CFR 1002.9")
DSC_01 = Rule(id="DSC-01", cite="12 CFR 1002.4(b); 42 USC 3604(c)")
# Facts of a send that a pattern's `unless` may name instead of words.
FACT_NAMES = frozenset(
    {
        "disclosure_set_ok",
        "rate_snapshot_ok",
        "prior_thread_ok",
        "prior_contact_ok",
        "lock_agreement_ok",
    }
)
# A message with one of these is marketing, whatever it is called (CON-03).
PROMOTIONAL = frozenset({*(f"CT-{n:02}" for n in (*range(1, 6), *range(13, 19), 31, 34))})
# A message with one of these talks of the terms of a loan, which takes a license (LIC-02).
TERMS = frozenset({*(f"CT-{n:02}" for n in (*range(1, 6), 34, 37, 40))})
SCOPES = {
    "sms": frozenset({"sms", "text", "rcs", ""}),
    "ai_sender": frozenset({"ai_sender", "ai"}),
}
GENERIC = "rate_without_apr"  # of several blocks, the more particular one is told
RENAMED = {"steering_language": "fair_lending_review"}
CRITERION = Detector.of(
    r"\b(minimum|min\.?|required|requires?)\b.{0,40}\b(score|income|down payment|reserves?|ratio)\b"
    r"|\bcredit score\b.{0,40}\b\d{3}\b|\bdebt[- ]to[- ]income\b"
)
DECLINED = Detector.of(
    r"\b(not able to|unable to|can ?not|can['’]t) (help|assist|approve)"
    r"|\bdo(es)?(n['’]t| not) qualify|\bdeclin|\bden(y|ied)\b|\bturned down\b"
    r"|\bno (califica|podemos (ayudar|aprobar))|\b(rechaz|deneg)ad"
)
TYPED_RATE = Detector.of(
    r"\b\d{1,2}(\.\d{1,3})?\s?%"
    r"(?!\s*(down|ltv|off|of|discount|financing|equity|response|complete))"
    r"|\$\s?\d[\d,]*(\.\d\d)?\s*((/|per|a|each)\s*(mo\b|month|mth)"
    r"|in (fees|interest|points|savings)"
    r"|(closing|origination|lender|fee|fees|points|saved|savings)\b)"
    r"|\b(save|saving|saves|fee of|fees of|payment of)\s+\$\s?\d"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One wording rule."""

    id: str
    name: str
    action: str  # block, require
    cite: str
    scope: str | None  # sms, subject, ai_sender; None is everywhere
    detect: Detector
    unless: re.Pattern[str] | None
    unless_fact: str | None
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rendered message and what is true of this send."""

    body: str
    subject: str = ""
    channel: str = ""  # sms, email, page, call, ai_sender; empty is not known
    language: str = "en"
    facts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One wording rule that a draft meets."""

    id: str
    name: str
    action: str
    cite: str
    match: str

    def as_json(self) -> dict[str, str]:
        """It is the finding as printed, one object a line."""
        return {
            "id": self.id,
            "name": self.name,
            "action": self.action,
            "cite": self.cite,
            "match": self.match,
        }


def _pattern(spec: dict[str, Any]) -> Pattern:
    unless = spec.get("unless")
    is_fact = unless in FACT_NAMES
    detect = TYPED_RATE if spec["detect"] is None else Detector.of(spec["detect"])
    return Pattern(
        id=spec["id"],
        name=spec["name"],
        action=spec["action"],
        cite=spec["cite"],
        scope=spec.get("scope"),
        detect=detect,
        unless=None if is_fact or not unless else re.compile(unless, re.IGNORECASE),
        unless_fact=unless if is_fact else None,
        evidence=spec.get("evidence", ""),
    )


DATA: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "wording.yaml").read_text(encoding="utf-8")
)
PATTERNS: tuple[Pattern, ...] = tuple(_pattern(spec) for spec in DATA["patterns"])
VOCABULARY = Vocabulary([*(one.detect for one in PATTERNS), CRITERION, DECLINED])
SCOPED = frozenset(one.scope for one in PATTERNS)
PROOF = {one.id: one.evidence for one in PATTERNS}
# What a named approver may let pass with the evidence in hand; what blocks is rewritten.
APPROVABLE = frozenset(
    {
        "treat_as_application_send_adverse_action",
        *(RENAMED.get(one.name, one.name) for one in PATTERNS if one.action == "require"),
    }
)
OWN_GATES = frozenset({"CT-20", "CT-29"})  # subjects and links: email_rules and carrier_rules
CHANNELS = {
    Medium.TEXT: "sms",
    Medium.EMAIL: "email",
    Medium.MAIL: "page",
    Medium.VOICEMAIL: "call",
}


def decide(facts: Facts) -> list[Ruling] | None:
    """The words as rendered, again at the hand-off, with what is true of this send.

    Every finding is an answer of its own: whoever lets one pass has not read another.
    """
    medium = known(facts.medium, "medium")
    if medium not in CHANNELS:
        return None
    shown = set(facts.content_facts)
    if known(facts.inbound_at, "inbound_at") is not None:
        shown.add("prior_contact_ok")
    draft = Draft(
        body=known(facts.text, "text"),
        subject=known(facts.subject, "subject"),
        channel=CHANNELS[medium],
        facts=frozenset(shown),
    )
    return [*_answers(draft)]


@lru_cache(maxsize=512)
def _answers(draft: Draft) -> tuple[Ruling, ...]:
    """They are asked at least twice for each message, and for every row of an officer's queue."""
    said = _rulings(draft, but=OWN_GATES)
    if DECLINED.search(draft.body, _words(draft)):
        said.append(RGB_01.require("treat_as_application_send_adverse_action"))
    return tuple(said)


def approval(facts: Facts) -> Ruling | None:
    """Standing wording goes as long as the approval of it is in force, to the second."""
    if facts.wording_until is None:
        return None
    if known(facts.at, "at") < facts.wording_until:
        return CNT_01.allow("clean")
    return CNT_01.block("wording_not_approved")


@lru_cache(maxsize=512)
def check(draft: Draft) -> tuple[Finding, ...]:
    """They are all findings, in the order of the rules."""
    whole, words = _whole(draft), _words(draft)
    texts = {scope: _scoped(scope, draft, whole) for scope in SCOPED}
    found = []
    for pattern in PATTERNS:
        text = texts[pattern.scope]
        match = pattern.detect.search(text, words) if text else None
        if match is not None and not _is_lifted(pattern, text, draft):
            found.append(_finding(pattern, match[0].strip()))
    return tuple(found)


def _is_lifted(pattern: Pattern, text: str, draft: Draft) -> bool:
    if pattern.unless_fact in draft.facts:
        return True
    return pattern.unless is not None and pattern.unless.search(text) is not None


def _finding(pattern: Pattern, match: str) -> Finding:
    return Finding(
        id=pattern.id,
        name=pattern.name,
        action=pattern.action,
        cite=pattern.cite,
        match=match,
    )


def _scoped(scope: str | None, draft: Draft, whole: str) -> str:
    """It is the part of the draft that a rule reads; empty when it does not apply."""
    if scope is None:
        return whole
    if scope == "subject":
        return draft.subject or ("" if draft.channel else draft.body)
    is_ai = scope == "ai_sender" and "ai_sender" in draft.facts
    return whole if is_ai or draft.channel in SCOPES[scope] else ""


@lru_cache(maxsize=512)
def _words(draft: Draft) -> frozenset[str]:
    return VOCABULARY.held(f"{draft.subject}\n{draft.body}")


def _whole(draft: Draft) -> str:
    return f"{draft.subject}\n{draft.body}".strip()


def promotes(findings: tuple[Finding, ...]) -> bool:
    """One promotional line makes the whole message marketing."""
    return any(one.id in PROMOTIONAL for one in findings)


def talks_terms(draft: Draft) -> bool:
    """The words state a rate, a payment, a product or a lock, whatever is proven of them."""
    return any(one.id in TERMS for one in check(replace(draft, facts=frozenset())))


def sounds_like_denial(text: str) -> bool:
    """The words tell somebody no; that is a notice under Regulation B, never a template."""
    return DECLINED.search(text, VOCABULARY.held(text)) is not None


def ruling(draft: Draft) -> Ruling:
    """It is the one answer to a wording: the strictest finding, the most particular first."""
    return _rulings(draft)[0]


def _rulings(draft: Draft, *, but: frozenset[str] = frozenset()) -> list[Ruling]:
    """All answers, that of `ruling` first. `but` are ids of rules that somebody else asks."""
    found = [one for one in check(draft) if one.id not in but]
    found.sort(key=lambda one: (one.action != "block", one.name == GENERIC))
    if found:
        return [_told(one) for one in found]
    is_criterion = CRITERION.search(draft.body, _words(draft))
    return [DSC_01.allow("neutral_criterion") if is_criterion else CNT_01.allow("clean")]


def _told(found: Finding) -> Ruling:
    rule = Rule(id="CNT-01", cite=found.cite)
    reason = RENAMED.get(found.name, found.name)
    said = rule.block(reason) if found.action == "block" else rule.require(reason)
    owed = PROOF[found.id]
    ending = f"; it takes {owed}." if found.action == "require" and owed else "; write it anew."
    what = reason.replace("_", " ")
    return replace(said, detail=f"The wording “{found.match[:80]}” is held ({what}){ending}")
