"""Wording rules for messages, pages and ads: forbidden claims and claims needing proof (CNT-01)."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from rooftree.compliance.gate.facts import Facts, Medium, get_fact
from rooftree.compliance.gate.reason_sentences import reason_sentence
from rooftree.compliance.gate.verdict import Rule, Ruling
from rooftree.compliance.wording_rules.pattern_filter import PatternFilter

CNT_01 = Rule(id="CNT-01", cite="12 CFR 1014.3; 12 CFR 1026.24; 12 USC 5531; docs/rules/content.md")
RGB_01 = Rule(id="RGB-01", cite="12 CFR 1002.2(f) and comment 2(f)-3; 12 CFR 1002.9")
DSC_01 = Rule(id="DSC-01", cite="12 CFR 1002.4(b); 42 USC 3604(c)")
# Facts about a send that a rule's `unless` can name instead of words.
UNLESS_FACTS = frozenset(
    {
        "disclosure_set_ok",
        "rate_snapshot_ok",
        "prior_thread_ok",
        "prior_contact_ok",
        "lock_agreement_ok",
    }
)
# A match of one of these makes the message marketing, whatever its purpose (CON-03).
PROMOTIONAL_RULES = frozenset({*(f"CT-{n:02}" for n in (*range(1, 6), *range(13, 19), 31, 34))})
# A match of one of these means the message discusses loan terms, which needs a license (LIC-02).
TERMS_RULES = frozenset({*(f"CT-{n:02}" for n in (*range(1, 6), 34, 37, 40))})
CHANNELS_BY_SCOPE = {
    "sms": frozenset({"sms", "text", "rcs", ""}),
    "ai_sender": frozenset({"ai_sender", "ai"}),
}
LEAST_SPECIFIC_RULE = "rate_without_apr"  # shown only when no other rule blocks
REASON_ALIASES = {"steering_language": "fair_lending_review"}
CRITERION_PATTERN = re.compile(
    r"\b(minimum|min\.?|required|requires?)\b.{0,40}\b(score|income|down payment|reserves?|ratio)\b"
    r"|\bcredit score\b.{0,40}\b\d{3}\b|\bdebt[- ]to[- ]income\b",
    re.IGNORECASE,
)
DENIAL_PATTERN = re.compile(
    r"\b(not able to|unable to|can ?not|can['’]t) (help|assist|approve)"
    r"|\bdo(es)?(n['’]t| not) qualify|\bdeclin|\bden(y|ied)\b|\bturned down\b"
    r"|\bno (califica|podemos (ayudar|aprobar))|\b(rechaz|deneg)ad",
    re.IGNORECASE,
)
TYPED_RATE_PATTERN = re.compile(
    r"\b\d{1,2}(\.\d{1,3})?\s?%"
    r"(?!\s*(down|ltv|off|of|discount|financing|equity|response|complete))"
    r"|\$\s?\d[\d,]*(\.\d\d)?\s*((/|per|a|each)\s*(mo\b|month|mth)"
    r"|in (fees|interest|points|savings)"
    r"|(closing|origination|lender|fee|fees|points|saved|savings)\b)"
    r"|\b(save|saving|saves|fee of|fees of|payment of)\s+\$\s?\d",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingRule:
    """One wording rule."""

    id: str
    name: str
    action: str  # block, require
    cite: str
    scope: str | None  # sms, subject, ai_sender; None: everywhere
    detect: re.Pattern[str]
    unless: re.Pattern[str] | None
    unless_fact: str | None
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rendered message and the facts about its send."""

    body: str
    subject: str = ""
    channel: str = ""  # sms, email, page, call, ai_sender; "": unknown
    language: str = "en"
    facts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class WordingFinding:
    """One match of a wording rule in a draft."""

    id: str
    name: str
    action: str
    cite: str
    match: str

    def as_json(self) -> dict[str, str]:
        """Return the finding as printed, one JSON object per line."""
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
    detect = spec["detect"]
    return WordingRule(
        id=spec["id"],
        name=spec["name"],
        action=spec["action"],
        cite=spec["cite"],
        scope=spec.get("scope"),
        detect=TYPED_RATE_PATTERN if detect is None else re.compile(detect, re.IGNORECASE),
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
PATTERNS = {
    **{wording_rule.id: wording_rule.detect for wording_rule in WORDING_RULES},
    "criterion": CRITERION_PATTERN,
    "denial": DENIAL_PATTERN,
}
PATTERN_FILTER = PatternFilter(PATTERNS)
RULE_SCOPES = frozenset(wording_rule.scope for wording_rule in WORDING_RULES)
EVIDENCE_BY_RULE = {wording_rule.id: wording_rule.evidence for wording_rule in WORDING_RULES}
# Reasons a named approver can allow with evidence; a blocked wording must be rewritten.
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
# Subjects and links: email_rules and carrier_rules check them.
RULES_CHECKED_ELSEWHERE = frozenset({"CT-20", "CT-29"})
CHANNEL_BY_MEDIUM = {
    Medium.TEXT: "sms",
    Medium.EMAIL: "email",
    Medium.MAIL: "page",
    Medium.VOICEMAIL: "call",
}


def check_wording(facts: Facts) -> list[Ruling] | None:
    """Check the rendered text with the facts of this send; runs again at the handoff.

    Each finding is a ruling of its own, because approving one doesn't approve another.
    """
    medium = get_fact(facts.medium, "medium")
    if medium not in CHANNEL_BY_MEDIUM:
        return None
    proven = set(facts.content_facts)
    if get_fact(facts.inbound_at, "inbound_at") is not None:
        proven.add("prior_contact_ok")
    draft = Draft(
        body=get_fact(facts.text, "text"),
        subject=get_fact(facts.subject, "subject"),
        channel=CHANNEL_BY_MEDIUM[medium],
        facts=frozenset(proven),
    )
    return [*_cached_rulings(draft)]


@lru_cache(maxsize=512)
def _cached_rulings(draft: Draft) -> tuple[Ruling, ...]:
    """Cache the rulings: each message needs them twice, and each row of an officer's queue."""
    rulings = _draft_rulings(draft, excluded_rules=RULES_CHECKED_ELSEWHERE)
    if "denial" in _find_candidates(draft) and DENIAL_PATTERN.search(draft.body):
        rulings.append(RGB_01.require("treat_as_application_send_adverse_action"))
    return tuple(rulings)


def check_approval(facts: Facts) -> Ruling | None:
    """Block a template whose approval has expired, to the second."""
    if facts.wording_until is None:
        return None
    if get_fact(facts.at, "at") < facts.wording_until:
        return CNT_01.allow("clean")
    return CNT_01.block("wording_not_approved")


@lru_cache(maxsize=512)
def find_wording_issues(draft: Draft) -> tuple[WordingFinding, ...]:
    """Return all findings, in the order of the rules."""
    full_text = f"{draft.subject}\n{draft.body}".strip()
    candidates = _find_candidates(draft)
    texts = {scope: _scope_text(scope, draft, full_text) for scope in RULE_SCOPES}
    findings = []
    for rule in WORDING_RULES:
        text = texts[rule.scope]
        if rule.id not in candidates or not text or rule.unless_fact in draft.facts:
            continue
        match = rule.detect.search(text)
        if match is not None and not (rule.unless and rule.unless.search(text)):
            findings.append(
                WordingFinding(
                    id=rule.id,
                    name=rule.name,
                    action=rule.action,
                    cite=rule.cite,
                    match=match[0].strip(),
                )
            )
    return tuple(findings)


def _scope_text(scope: str | None, draft: Draft, full_text: str) -> str:
    """Return the part of the draft that a rule reads; empty when it doesn't apply."""
    if scope is None:
        return full_text
    if scope == "subject":
        return draft.subject or ("" if draft.channel else draft.body)
    is_ai = scope == "ai_sender" and "ai_sender" in draft.facts
    return full_text if is_ai or draft.channel in CHANNELS_BY_SCOPE[scope] else ""


@lru_cache(maxsize=512)
def _find_candidates(draft: Draft) -> frozenset[str]:
    return PATTERN_FILTER.find_candidates(f"{draft.subject}\n{draft.body}")


def is_promotional(findings: tuple[WordingFinding, ...]) -> bool:
    """Return whether any line is promotional, which makes the whole message marketing."""
    return any(finding.id in PROMOTIONAL_RULES for finding in findings)


def is_about_terms(draft: Draft) -> bool:
    """Return whether the text states a rate, payment, product or lock, proven or not."""
    findings = find_wording_issues(replace(draft, facts=frozenset()))
    return any(finding.id in TERMS_RULES for finding in findings)


def sounds_like_denial(text: str) -> bool:
    """Return whether the text declines a borrower: a Regulation B notice, never a template."""
    return DENIAL_PATTERN.search(text) is not None


def draft_ruling(draft: Draft) -> Ruling:
    """Return the ruling on a wording: the strictest and most specific finding."""
    return _draft_rulings(draft)[0]


def _draft_rulings(draft: Draft, *, excluded_rules: frozenset[str] = frozenset()) -> list[Ruling]:
    """Return the rulings of all findings, the strictest and most specific first."""
    findings = [
        finding for finding in find_wording_issues(draft) if finding.id not in excluded_rules
    ]
    findings.sort(
        key=lambda finding: (finding.action != "block", finding.name == LEAST_SPECIFIC_RULE)
    )
    if findings:
        return [_finding_ruling(finding) for finding in findings]
    is_criterion = "criterion" in _find_candidates(draft) and CRITERION_PATTERN.search(draft.body)
    return [DSC_01.allow("neutral_criterion") if is_criterion else CNT_01.allow("clean")]


def _finding_ruling(finding: WordingFinding) -> Ruling:
    """Return the ruling of a finding, with the words found at the end of its sentence."""
    rule = Rule(id=CNT_01.id, cite=finding.cite)
    reason = REASON_ALIASES.get(finding.name, finding.name)
    ruling = rule.block(reason) if finding.action == "block" else rule.require(reason)
    advice = reason_sentence(rule.id, reason).removesuffix(".")
    return replace(ruling, detail=f"{advice} (“{finding.match[:80]}”).")
