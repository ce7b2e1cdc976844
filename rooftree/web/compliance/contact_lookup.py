"""Look up a phone number or email: the people, consents, opt-outs and verdicts on file."""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from rooftree.compliance.consent import hold_review
from rooftree.compliance.gate import reason_sentences
from rooftree.compliance.gate.verdict import STRICTNESS
from rooftree.compliance.models import Consent, Revocation, Verdict
from rooftree.compliance.rule_changes.change_effects import find_change_effects
from rooftree.core.email_addresses import comparison_key, parse_email_address
from rooftree.core.phone_numbers import parse_phone_number
from rooftree.leads.models import Lead, Person
from rooftree.org.models import User
from rooftree.reporting import deep_checks
from rooftree.reporting.evidence import chronology_lines
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.shared import display_formats

INVALID_ADDRESS = "Enter a 10-digit US phone number or an email address."
DECISION_BADGES = {  # by decision: tone, icon, label
    "allow": ("ok", "check", "Allowed"),
    "defer": ("hold", "moon", "On hold"),
    "require": ("soon", "user", "Review"),
    "block": ("late", "ban", "Blocked"),
}
DECISION_LABELS = {
    "allow": "Allowed",
    "defer": "On hold",
    "require": "Needs review",
    "block": "Blocked",
}
STOPPED_MEDIA_LABELS = {
    "text": "texts",
    "call": "calls",
    "email": "email",
    "voicemail": "voicemail",
}
MEDIA_LABELS = {"text": "Text", "call": "Call", "email": "Email", "voicemail": "Voicemail"}
SENT_STATES = ("sent", "delivered", "claimed", "uncertain")
REVOCATION_LABELS = {
    "stop": "Opted out",
    "unsubscribe": "Unsubscribed",
    "do_not_contact": "Internal do-not-contact list",
    "wrong_person": "Wrong number",
    "vendor": "Do not contact, passed on by the source",
    "review": "Possible opt-out, needs review",
}
CERTIFICATE_HOLD_LABEL = "Consent certificate of another person’s session, needs review"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAddress:
    """A phone number or email: its key in the database and its display form."""

    key: str
    display: str

    @property
    def is_email(self) -> bool:
        return "@" in self.key


def parse_address(typed: str) -> ContactAddress | None:
    """Parse a typed phone number or email; return None if it is neither."""
    email = parse_email_address(typed)
    if email:
        return ContactAddress(key=comparison_key(email), display=email)
    number = parse_phone_number(typed).e164
    return ContactAddress(key=number, display=display_formats.phone(number)) if number else None


def find_people(address: ContactAddress, user: User) -> QuerySet[Person]:
    """Find the people who have or had this address; branch users see only their own leads'."""
    has_address = Q(emails__key=address.key) if address.is_email else Q(phones__e164=address.key)
    people = Person.objects.filter(has_address).distinct()
    if user.branch_id is not None:
        people = people.filter(leads__in=leads_visible_to(user))
    return people.order_by("created_at", "id")


def attach_newest_leads(people: Sequence[Person], user: User) -> list[dict[str, Any]]:
    """Return each person with the newest lead that the user can open, or None."""
    leads = leads_visible_to(user).filter(person__in=people).order_by("last_inquiry_at")
    newest: dict[Any, Lead] = {lead.person_id: lead for lead in leads}
    return [{"person": person, "lead": newest.get(person.pk)} for person in people]


def list_consents(address: ContactAddress, people: Sequence[Person]) -> list[Consent]:
    """List the consents of these people for this address, newest first."""
    rows = Consent.objects.filter(address=address.key, person__in=people)
    return list(
        rows.select_related("person", "delivery__source", "terms").order_by("-recorded_at", "-id")
    )


def list_revocations(address: ContactAddress, people: Sequence[Person]) -> list[dict[str, Any]]:
    """List opt-outs for this address, or of these people at any address; those in force first."""
    rows = Revocation.objects.filter(Q(address=address.key) | Q(person__in=people))
    newest_first = sorted(rows.select_related("person"), key=lambda row: row.at, reverse=True)
    newest_first.sort(key=lambda row: row.ended_at is not None)
    return [
        {
            "row": row,
            "label": _revocation_label(row),
            "media": ", ".join(MEDIA_LABELS.get(medium, medium).lower() for medium in row.media),
            "elsewhere": (
                ""
                if row.address == address.key
                else row.address
                if "@" in row.address
                else display_formats.phone(row.address)
            ),
        }
        for row in newest_first
    ]


def _revocation_label(row: Revocation) -> str:
    if row.kind == "review" and hold_review.is_certificate_hold(row):
        return CERTIFICATE_HOLD_LABEL
    if row.kind == "stop" and "text" in row.media and row.origin.startswith("message:"):
        return "Opted out by text"
    return REVOCATION_LABELS[row.kind]


def find_verdicts(people: Sequence[Person], user: User) -> QuerySet[Verdict]:
    """Return every verdict about these people on leads the user can see, newest first."""
    rows = Verdict.objects.filter(person__in=people, lead__in=leads_visible_to(user))
    return rows.select_related("person", "lead").prefetch_related("messages").order_by("-at", "-id")


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    """Build the list line of a verdict."""
    tone, icon, label = DECISION_BADGES[verdict.decision]
    message = next(iter(verdict.messages.all()), None)
    if verdict.decision == "allow" and message and message.state in SENT_STATES:
        label = "Sent"
    about = (message.subject or message.body) if message else ""
    return {
        "verdict": verdict,
        "tone": tone,
        "icon": icon,
        "label": label,
        "medium": MEDIA_LABELS.get(verdict.medium, verdict.medium),
        "name": verdict.person.first_name or verdict.person.name,
        "about": f"{about[:60]}…" if len(about) > 60 else about,
    }


def verdict_details(verdict: Verdict) -> dict[str, Any]:
    """Build the page of a verdict: each rule's result, strictest first, and the facts used."""
    return {
        **verdict_line(verdict),
        "rules": rule_lines(verdict.results),
        "overrides": override_lines(verdict.facts),
        "rule_count": len(verdict.results),
        "against_count": sum(result["decision"] != "allow" for result in verdict.results),
        "facts": [
            (name.replace("_", " ").capitalize(), _fact_text(value))
            for name, value in sorted(verdict.facts.items())
        ],
        "is_same": deep_checks.is_same_verdict(verdict),
        "change_effects": find_change_effects(verdict.facts),
        "purpose": chronology_lines.PURPOSES.get(verdict.purpose, verdict.purpose),
        "stage": chronology_lines.VERDICT_STAGES.get(verdict.stage, "on request"),
        "cause": verdict.idempotency_key.partition(":")[0].replace("_", " "),
    }


def override_lines(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Build a line for each house limit that someone overrode: who, when and why."""
    answers = [answer for answer in facts.get("answers", ()) if answer.get("words")]
    ids = {answer["by"].removeprefix("user:") for answer in answers}
    names = dict(User.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    return [
        {
            "limit": reason_sentences.reason_sentence(answer["rule"], answer["reason"]),
            "name": names.get(UUID(answer["by"].removeprefix("user:")), "A former user"),
            "words": answer["words"],
            "at": datetime.fromisoformat(answer["at"]),
        }
        for answer in answers
    ]


def rule_lines(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Build the lines of a verdict's results, strictest first; `results` as stored.

    Lines that say the same appear once. A rule asks several things: where one of them is against
    the message, the line about the others says so.
    """
    strict_first = sorted(results, key=lambda result: -STRICTNESS[result["decision"]])
    against = {result["id"] for result in strict_first if result["decision"] != "allow"}
    lines = [_rule_line(result, against) for result in strict_first]
    return list({(line["id"], line["text"]): line for line in reversed(lines)}.values())[::-1]


def _rule_line(result: dict[str, Any], against: Set[str]) -> dict[str, Any]:
    tone, icon, _ = DECISION_BADGES[result["decision"]]
    text = reason_sentences.reason_sentence(result["id"], result["reason"])
    is_partial = result["decision"] == "allow" and result["id"] in against
    if is_partial and result["reason"] in reason_sentences.PARTIAL_REASONS:
        text = "This rule's other requirements are met."
    return {
        "id": result["id"],
        "cite": result["cite"],
        "tone": f"is-{tone}",
        "icon": icon,
        "text": f"{text[:1].upper()}{text[1:]}",
        "is_against": result["decision"] != "allow",
    }


def _fact_text(value: Any) -> str:
    if value is None:
        return "known to be none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value) or "empty"
    return json.dumps(value, ensure_ascii=False, indent=1) if value else "none"
