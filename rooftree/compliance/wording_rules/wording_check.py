"""What the wording of a message, page or ad must not say, or must prove first (CNT-01)."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from rooftree.compliance.gate.facts import Facts, Medium, get_fact
from rooftree.compliance.gate.verdict import Rule, Ruling
from rooftree.compliance.wording_rules.literal_prefilter import Detector, Vocabulary

CNT_01 = Rule(id="CNT-01", cite="12 CFR 1014.3; 12 CFR 1026.24; 12 USC 5531; docs/rules/content.md")
RGB_01 = Rule(id="RGB-01", cite="12 CFR 1002.2(f) and comment 2(f)-3; 12 CFR 1002.9")
DSC_01 = Rule(id="DSC-01", cite="12 CFR 1002.4(b); 42 USC 3604(c)")
# Facts of a send that a pattern's `unless` may name instead of words.
UNLESS_FACTS = frozenset(
    {
        "disclosure_set_ok",
        "rate_snapshot_ok",
        "prior_thread_ok",
        "prior_contact_ok",
        "lock_agreement_ok",
    }
)
# A message with one of these is marketing, whatever it is called (CON-03).
PROMOTIONAL_RULES = frozenset({*(f"CT-{n:02}" for n in (*range(1, 6), *range(13, 19), 31, 34))})
# A message with one of these talks of the terms of a loan, which takes a license (LIC-02).
TERMS_RULES = frozenset({*(f"CT-{n:02}" for n in (*range(1, 6), 34, 37, 40))})
CHANNELS_BY_SCOPE = {
    "sms": frozenset({"sms", "text", "rcs", ""}),
    "ai_sender": frozenset({"ai_sender", "ai"}),
}
LEAST_SPECIFIC_RULE = "rate_without_apr"  # of several blocks, the more particular one is told
REASON_ALIASES = {"steering_language": "fair_lending_review"}
CRITERION_DETECTOR = Detector.from_pattern(
    r"\b(minimum|min\.?|required|requires?)\b.{0,40}\b(score|income|down payment|reserves?|ratio)\b"
    r"|\bcredit score\b.{0,40}\b\d{3}\b|\bdebt[- ]to[- ]income\b"
)
DENIAL_DETECTOR = Detector.from_pattern(
    r"\b(not able to|unable to|can ?not|can['’]t) (help|assist|approve)"
    r"|\bdo(es)?(n['’]t| not) qualify|\bdeclin|\bden(y|ied)\b|\bturned down\b"
    r"|\bno (califica|podemos (ayudar|aprobar))|\b(rechaz|deneg)ad"
)
TYPED_RATE_DETECTOR = Detector.from_pattern(
    r"\b\d{1,2}(\.\d{1,3})?\s?%"
    r"(?!\s*(down|ltv|off|of|discount|financing|equity|response|complete))"
    r"|\$\s?\d[\d,]*(\.\d\d)?\s*((/|per|a|each)\s*(mo\b|month|mth)"
    r"|in (fees|interest|points|savings)"
    r"|(closing|origination|lender|fee|fees|points|saved|savings)\b)"
    r"|\b(save|saving|saves|fee of|fees of|payment of)\s+\$\s?\d"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingRule:
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
class WordingFinding:
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


def _parse_rule(spec: dict[str, Any]) -> WordingRule:
    unless = spec.get("unless")
    is_fact = unless in UNLESS_FACTS
    detect = TYPED_RATE_DETECTOR if spec["detect"] is None else Detector.from_pattern(spec["detect"])
    return WordingRule(
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


WORDING_DATA: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "wording.yaml").read_text(encoding="utf-8")
)
WORDING_RULES: tuple[WordingRule, ...] = tuple(
    _parse_rule(spec) for spec in WORDING_DATA["patterns"]
)
VOCABULARY = Vocabulary(
    [*(wording_rule.detect for wording_rule in WORDING_RULES), CRITERION_DETECTOR, DENIAL_DETECTOR]
)
RULE_SCOPES = frozenset(wording_rule.scope for wording_rule in WORDING_RULES)
EVIDENCE_BY_RULE = {wording_rule.id: wording_rule.evidence for wording_rule in WORDING_RULES}
# What a named approver may let pass with the evidence in hand; what blocks is rewritten.
APPROVABLE_REASONS = frozenset(
    {
        "treat_as_application_send_adverse_action",
        *(
            REASON_ALIASES.get(wording_rule.name, wording_rule.name)
            for wording_rule in WORDING_RULES
            if wording_rule.action == "require"
        ),
    }
)
RULES_CHECKED_ELSEWHERE = frozenset(
    {"CT-20", "CT-29"}
)  # subjects and links: email_rules and carrier_rules
CHANNEL_BY_MEDIUM = {
    Medium.TEXT: "sms",
    Medium.EMAIL: "email",
    Medium.MAIL: "page",
    Medium.VOICEMAIL: "call",
}


def check_wording(facts: Facts) -> list[Ruling] | None:
    """The words as rendered, again at the hand-off, with what is true of this send.

    Every finding is an answer of its own: whoever lets one pass has not read another.
    """
    medium = get_fact(facts.medium, "medium")
    if medium not in CHANNEL_BY_MEDIUM:
        return None
    shown = set(facts.content_facts)
    if get_fact(facts.inbound_at, "inbound_at") is not None:
        shown.add("prior_contact_ok")
    draft = Draft(
        body=get_fact(facts.text, "text"),
        subject=get_fact(facts.subject, "subject"),
        channel=CHANNEL_BY_MEDIUM[medium],
        facts=frozenset(shown),
    )
    return [*_cached_rulings(draft)]


@lru_cache(maxsize=512)
def _cached_rulings(draft: Draft) -> tuple[Ruling, ...]:
    """They are asked at least twice for each message, and for every row of an officer's queue."""
    said = _draft_rulings(draft, excluded_rules=RULES_CHECKED_ELSEWHERE)
    if DENIAL_DETECTOR.search(draft.body, _draft_words(draft)):
        said.append(RGB_01.require("treat_as_application_send_adverse_action"))
    return tuple(said)


def check_approval(facts: Facts) -> Ruling | None:
    """Standing wording goes as long as the approval of it is in force, to the second."""
    if facts.wording_until is None:
        return None
    if get_fact(facts.at, "at") < facts.wording_until:
        return CNT_01.allow("clean")
    return CNT_01.block("wording_not_approved")


@lru_cache(maxsize=512)
def find_wording_issues(draft: Draft) -> tuple[WordingFinding, ...]:
    """They are all findings, in the order of the rules."""
    whole, words = _full_text(draft), _draft_words(draft)
    texts = {scope: _scope_text(scope, draft, whole) for scope in RULE_SCOPES}
    found = []
    for pattern in WORDING_RULES:
        text = texts[pattern.scope]
        match = pattern.detect.search(text, words) if text else None
        if match is not None and not _is_exempt(pattern, text, draft):
            found.append(_build_finding(pattern, match[0].strip()))
    return tuple(found)


def _is_exempt(pattern: WordingRule, text: str, draft: Draft) -> bool:
    if pattern.unless_fact in draft.facts:
        return True
    return pattern.unless is not None and pattern.unless.search(text) is not None


def _build_finding(pattern: WordingRule, match: str) -> WordingFinding:
    return WordingFinding(
        id=pattern.id,
        name=pattern.name,
        action=pattern.action,
        cite=pattern.cite,
        match=match,
    )


def _scope_text(scope: str | None, draft: Draft, whole: str) -> str:
    """It is the part of the draft that a rule reads; empty when it does not apply."""
    if scope is None:
        return whole
    if scope == "subject":
        return draft.subject or ("" if draft.channel else draft.body)
    is_ai = scope == "ai_sender" and "ai_sender" in draft.facts
    return whole if is_ai or draft.channel in CHANNELS_BY_SCOPE[scope] else ""


@lru_cache(maxsize=512)
def _draft_words(draft: Draft) -> frozenset[str]:
    return VOCABULARY.words_in(f"{draft.subject}\n{draft.body}")


def _full_text(draft: Draft) -> str:
    return f"{draft.subject}\n{draft.body}".strip()


def is_promotional(findings: tuple[WordingFinding, ...]) -> bool:
    """One promotional line makes the whole message marketing."""
    return any(finding.id in PROMOTIONAL_RULES for finding in findings)


def is_about_terms(draft: Draft) -> bool:
    """The words state a rate, a payment, a product or a lock, whatever is proven of them."""
    return any(
        find_wording_issue.id in TERMS_RULES
        for find_wording_issue in find_wording_issues(replace(draft, facts=frozenset()))
    )


def sounds_like_denial(text: str) -> bool:
    """The words tell somebody no; that is a notice under Regulation B, never a template."""
    return DENIAL_DETECTOR.search(text, VOCABULARY.words_in(text)) is not None


def draft_ruling(draft: Draft) -> Ruling:
    """It is the one answer to a wording: the strictest finding, the most particular first."""
    return _draft_rulings(draft)[0]


def _draft_rulings(draft: Draft, *, excluded_rules: frozenset[str] = frozenset()) -> list[Ruling]:
    """All answers, that of `ruling` first. `but` are ids of rules that somebody else asks."""
    found = [
        find_wording_issue
        for find_wording_issue in find_wording_issues(draft)
        if find_wording_issue.id not in excluded_rules
    ]
    found.sort(key=lambda one: (one.action != "block", one.name == LEAST_SPECIFIC_RULE))
    if found:
        return [_finding_ruling(one) for one in found]
    is_criterion = CRITERION_DETECTOR.search(draft.body, _draft_words(draft))
    return [DSC_01.allow("neutral_criterion") if is_criterion else CNT_01.allow("clean")]


def _finding_ruling(found: WordingFinding) -> Ruling:
    rule = Rule(id="CNT-01", cite=found.cite)
    reason = REASON_ALIASES.get(found.name, found.name)
    said = rule.block(reason) if found.action == "block" else rule.require(reason)
    owed = EVIDENCE_BY_RULE[found.id]
    ending = f"; it takes {owed}." if found.action == "require" and owed else "; write it anew."
    what = reason.replace("_", " ")
    return replace(said, detail=f"The wording “{found.match[:80]}” is held ({what}){ending}")
