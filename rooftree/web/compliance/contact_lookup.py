"""All that is known of one number or address: who has it, what they allowed, what we decided."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

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

DECISION_BADGES = {  # decision: (class, icon, word)
    "allow": ("ok", "check", "Allowed"),
    "defer": ("hold", "moon", "Held"),
    "require": ("soon", "user", "Person"),
    "block": ("late", "ban", "Never"),
}
DECISION_LABELS = {
    "allow": "Allowed",
    "defer": "Held",
    "require": "Needs a person",
    "block": "Never",
}
STOPPED_MEDIA_LABELS = {
    "text": "texts",
    "call": "calls",
    "email": "e-mail",
    "voicemail": "voicemail",
}
MEDIA_LABELS = {"text": "Text", "call": "Call", "email": "E-mail", "voicemail": "Voicemail"}
SENT_STATES = ("sent", "delivered", "claimed", "uncertain")
REVOCATION_LABELS = {
    "stop": "They wrote STOP",
    "unsubscribe": "They unsubscribed",
    "do_not_contact": "Our own do-not-contact list",
    "wrong_person": "Somebody else’s number",
    "vendor": "The source passed on a do-not-contact",
    "review": "Their words wait for a person",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAddress:
    """A number or address as filed, and as people write it."""

    key: str
    display: str

    @property
    def is_email(self) -> bool:
        return "@" in self.key


def parse_address(typed: str) -> ContactAddress | None:
    """The number or address in what was typed; None when it is neither."""
    mail = parse_email_address(typed)
    if mail:
        return ContactAddress(key=comparison_key(mail), display=mail)
    number = parse_phone_number(typed).e164
    return ContactAddress(key=number, display=display_formats.phone(number)) if number else None


def find_people(address: ContactAddress, user: User) -> QuerySet[Person]:
    """Who has, or had, this number or address, among those the user may know of."""
    has = Q(emails__key=address.key) if address.is_email else Q(phones__e164=address.key)
    people = Person.objects.filter(has).distinct()
    if user.branch_id is not None:
        people = people.filter(leads__in=leads_visible_to(user))
    return people.order_by("created_at", "id")


def attach_newest_leads(people: Sequence[Person], user: User) -> list[dict[str, Any]]:
    """The people, each with the newest lead the user may open."""
    leads = leads_visible_to(user).filter(person__in=people).order_by("warmed_at")
    newest: dict[Any, Lead] = {lead.person_id: lead for lead in leads}
    return [{"person": person, "lead": newest.get(person.pk)} for person in people]


def list_consents(address: ContactAddress, people: Sequence[Person]) -> list[Consent]:
    """Permissions for this number or address, newest first."""
    rows = Consent.objects.filter(address=address.key, person__in=people)
    return list(
        rows.select_related("person", "delivery__source", "terms").order_by("-recorded_at", "-id")
    )


def list_revocations(address: ContactAddress, people: Sequence[Person]) -> list[dict[str, Any]]:
    """What was taken back here, or by these people anywhere; in force first."""
    rows = Revocation.objects.filter(Q(address=address.key) | Q(person__in=people))
    listed = sorted(rows.select_related("person"), key=lambda one: one.at, reverse=True)
    listed.sort(key=lambda one: one.ended_at is not None)
    return [
        {
            "row": row,
            "said": REVOCATION_LABELS[row.kind],
            "media": ", ".join(MEDIA_LABELS.get(medium, medium).lower() for medium in row.media),
            "elsewhere": "" if row.address == address.key else _display_address(row.address),
        }
        for row in listed
    ]


def find_verdicts(people: Sequence[Person], user: User) -> QuerySet[Verdict]:
    """Every answer of the gate about these people, newest first."""
    rows = Verdict.objects.filter(person__in=people, lead__in=leads_visible_to(user))
    return rows.select_related("person", "lead").prefetch_related("messages").order_by("-at", "-id")


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    """A verdict as one line of the list."""
    tone, icon, said = DECISION_BADGES[verdict.decision]
    message = next(iter(verdict.messages.all()), None)
    if verdict.decision == "allow" and message and message.state in SENT_STATES:
        said = "Sent"
    about = (message.subject or message.body) if message else ""
    return {
        "verdict": verdict,
        "tone": tone,
        "icon": icon,
        "said": said,
        "medium": MEDIA_LABELS.get(verdict.medium, verdict.medium),
        "name": verdict.person.first_name or verdict.person.name,
        "about": f"{about[:60]}…" if len(about) > 60 else about,
    }


def verdict_details(verdict: Verdict) -> dict[str, Any]:
    """A verdict with every rule's answer, the strictest first, and the facts it rests on."""
    return {
        **verdict_line(verdict),
        "rules": rule_lines(verdict.results),
        "stopped": sum(result["decision"] != "allow" for result in verdict.results),
        "facts": [
            (_fact_label(name), _fact_text(value)) for name, value in sorted(verdict.facts.items())
        ],
        "same": deep_checks.is_same_verdict(verdict),
        "changes": find_change_effects(verdict.facts),
        "asked_for": chronology_lines.PURPOSES.get(verdict.purpose, verdict.purpose),
        "asked_at": chronology_lines.VERDICT_STAGES.get(verdict.stage, "when it was asked"),
        "cause": verdict.cause.partition(":")[0].replace("_", " "),
    }


def rule_lines(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every rule's answer in words, the strictest first."""
    return [
        _rule_line(result)
        for result in sorted(results, key=lambda one: -STRICTNESS[one["decision"]])
    ]


def _rule_line(result: dict[str, Any]) -> dict[str, Any]:
    tone, icon, _ = DECISION_BADGES[result["decision"]]
    said = reason_sentences.reason_sentence(result["id"], result["reason"])
    return {
        "id": result["id"],
        "cite": result["cite"],
        "tone": f"is-{tone}",
        "icon": icon,
        "said": f"{said[:1].upper()}{said[1:]}",
        "is_against": result["decision"] != "allow",
    }


def _display_address(address: str) -> str:
    return address if "@" in address else display_formats.phone(address)


def _fact_label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _fact_text(value: Any) -> str:
    if value is None:
        return "known to be none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value) or "empty"
    return json.dumps(value, ensure_ascii=False, indent=1) if value else "none"
