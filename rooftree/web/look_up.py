"""All that is known of one number or address: who has it, what they allowed, what we decided."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from rooftree.compliance import reasons
from rooftree.compliance.amending.counted import counted
from rooftree.compliance.models import Consent, Revocation, Verdict
from rooftree.compliance.verdict import STRICTNESS
from rooftree.core.emails import comparison_key, email_address
from rooftree.core.phones import phone_number
from rooftree.leads.models import Lead, Person
from rooftree.org.models import User
from rooftree.reporting import evidence_lines, rederive
from rooftree.routing.visible import leads_visible_to
from rooftree.web import words

DECISIONS = {  # decision: (class, icon, word)
    "allow": ("ok", "check", "Allowed"),
    "defer": ("hold", "moon", "Held"),
    "require": ("soon", "user", "Person"),
    "block": ("late", "ban", "Never"),
}
KINDS = {"allow": "Allowed", "defer": "Held", "require": "Needs a person", "block": "Never"}
STOPPED = {"text": "texts", "call": "calls", "email": "e-mail", "voicemail": "voicemail"}
MEDIA = {"text": "Text", "call": "Call", "email": "E-mail", "voicemail": "Voicemail"}
SENT = ("sent", "delivered", "claimed", "uncertain")
ENDED = {
    "stop": "They wrote STOP",
    "unsubscribe": "They unsubscribed",
    "do_not_contact": "Our own do-not-contact list",
    "wrong_person": "Somebody else’s number",
    "vendor": "The source passed on a do-not-contact",
    "review": "Their words wait for a person",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A number or address as filed, and as people write it."""

    key: str
    shown: str

    @property
    def is_mail(self) -> bool:
        return "@" in self.key


def read(typed: str) -> Address | None:
    """The number or address in what was typed; None when it is neither."""
    mail = email_address(typed)
    if mail:
        return Address(key=comparison_key(mail), shown=mail)
    number = phone_number(typed).e164
    return Address(key=number, shown=words.phone(number)) if number else None


def people_of(address: Address, user: User) -> QuerySet[Person]:
    """Who has, or had, this number or address, among those the user may know of."""
    has = Q(emails__key=address.key) if address.is_mail else Q(phones__e164=address.key)
    people = Person.objects.filter(has).distinct()
    if user.branch_id is not None:
        people = people.filter(leads__in=leads_visible_to(user))
    return people.order_by("created_at", "id")


def with_leads(people: Sequence[Person], user: User) -> list[dict[str, Any]]:
    """The people, each with the newest lead the user may open."""
    leads = leads_visible_to(user).filter(person__in=people).order_by("warmed_at")
    newest: dict[Any, Lead] = {lead.person_id: lead for lead in leads}
    return [{"person": one, "lead": newest.get(one.pk)} for one in people]


def consents_of(address: Address, people: Sequence[Person]) -> list[Consent]:
    """Permissions for this number or address, newest first."""
    rows = Consent.objects.filter(address=address.key, person__in=people)
    return list(
        rows.select_related("person", "delivery__source", "terms").order_by("-recorded_at", "-id")
    )


def revocations_of(address: Address, people: Sequence[Person]) -> list[dict[str, Any]]:
    """What was taken back here, or by these people anywhere; in force first."""
    rows = Revocation.objects.filter(Q(address=address.key) | Q(person__in=people))
    listed = sorted(rows.select_related("person"), key=lambda one: one.at, reverse=True)
    listed.sort(key=lambda one: one.ended_at is not None)
    return [
        {
            "row": one,
            "said": ENDED[one.kind],
            "media": ", ".join(MEDIA.get(medium, medium).lower() for medium in one.media),
            "elsewhere": "" if one.address == address.key else _written(one.address),
        }
        for one in listed
    ]


def verdicts_of(people: Sequence[Person], user: User) -> QuerySet[Verdict]:
    """Every answer of the gate about these people, newest first."""
    rows = Verdict.objects.filter(person__in=people, lead__in=leads_visible_to(user))
    return rows.select_related("person", "lead").prefetch_related("messages").order_by("-at", "-id")


def line(verdict: Verdict) -> dict[str, Any]:
    """A verdict as one line of the list."""
    tone, icon, said = DECISIONS[verdict.decision]
    message = next(iter(verdict.messages.all()), None)
    if verdict.decision == "allow" and message and message.state in SENT:
        said = "Sent"
    about = (message.subject or message.body) if message else ""
    return {
        "verdict": verdict,
        "tone": tone,
        "icon": icon,
        "said": said,
        "medium": MEDIA.get(verdict.medium, verdict.medium),
        "name": verdict.person.first_name or verdict.person.name,
        "about": f"{about[:60]}…" if len(about) > 60 else about,
    }


def opened(verdict: Verdict) -> dict[str, Any]:
    """A verdict with every rule's answer, the strictest first, and the facts it rests on."""
    return {
        **line(verdict),
        "rules": rules(verdict.results),
        "stopped": sum(one["decision"] != "allow" for one in verdict.results),
        "facts": [(_label(name), _plain(value)) for name, value in sorted(verdict.facts.items())],
        "same": rederive.same_verdict(verdict),
        "changes": counted(verdict.facts),
        "asked_for": evidence_lines.PURPOSES.get(verdict.purpose, verdict.purpose),
        "asked_at": evidence_lines.STAGES.get(verdict.stage, "when it was asked"),
        "cause": verdict.cause.partition(":")[0].replace("_", " "),
    }


def rules(results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every rule's answer in words, the strictest first."""
    return [_rule(one) for one in sorted(results, key=lambda one: -STRICTNESS[one["decision"]])]


def _rule(result: dict[str, Any]) -> dict[str, Any]:
    tone, icon, _ = DECISIONS[result["decision"]]
    said = reasons.MESSAGES.get(result["reason"]) or reasons.spelled(result["reason"])
    return {
        "id": result["id"],
        "cite": result["cite"],
        "tone": f"is-{tone}",
        "icon": icon,
        "said": f"{said[:1].upper()}{said[1:]}",
        "is_against": result["decision"] != "allow",
    }


def _written(address: str) -> str:
    return address if "@" in address else words.phone(address)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _plain(value: Any) -> str:
    if value is None:
        return "known to be none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value) or "empty"
    return json.dumps(value, ensure_ascii=False, indent=1) if value else "none"
