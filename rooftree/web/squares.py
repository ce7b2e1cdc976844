"""The three little squares of a queue row: what is known of call, text and e-mail at a glance.

They read what is on file for a whole list in three queries. The gate itself is
asked on the lead's page and before anything goes out.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, prefetch_related_objects
from django.utils.timezone import localtime

from rooftree.compliance.models import Consent, Revocation
from rooftree.leads.models import Lead
from rooftree.web import words

MEDIA = (("call", "Call", "phone"), ("text", "Text", "text"), ("email", "E-mail", "mail"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """One medium of one lead: how it looks, and the sentence that is its name."""

    medium: str
    label: str
    icon: str
    kind: str  # ok, no or quiet
    sentence: str


def of_leads(leads: Sequence[Lead], at: datetime) -> dict[UUID, list[Square]]:
    """By lead, in the order call, text, e-mail. The persons of `leads` are loaded."""
    prefetch_related_objects([*leads], "person__phones", "person__emails")
    people = {lead.person_id for lead in leads}
    addresses = {address for lead in leads for address in _addresses(lead)}
    stops = defaultdict(list)
    for stop in Revocation.objects.filter(
        Q(person__in=people) | Q(address__in=addresses), ended_at=None
    ):
        for key in {stop.person_id, stop.address} - {None}:
            stops[key].append(stop)
    consents = defaultdict(list)
    for consent in Consent.objects.filter(person__in=people, status="granted"):
        consents[consent.person_id].append(consent)
    return {lead.pk: _squares(lead, stops, consents, at) for lead in leads}


def _squares(lead: Lead, stops: dict, consents: dict, at: datetime) -> list[Square]:
    made = []
    for medium, label, icon in MEDIA:
        kind, said = _judge(lead, medium, stops, consents, at)
        made.append(
            Square(medium=medium, label=label, icon=icon, kind=kind, sentence=f"{label}: {said}")
        )
    return made


def _judge(lead: Lead, medium: str, stops: dict, consents: dict, at: datetime) -> tuple[str, str]:
    addresses = _addresses(lead, medium)
    if not addresses:
        return "quiet", "no address on file" if medium == "email" else "no number on file"
    for key in (lead.person_id, *addresses):
        for stop in stops.get(key, ()):
            if medium in stop.media:
                day = words.when(localtime(stop.at), localtime(at))
                return "no", f"they ended it, {day}"
    if medium != "text":
        return "ok", "nothing on file against it"
    given = [one for one in consents.get(lead.person_id, ()) if "text" in one.channels]
    if not given:
        return "quiet", "no consent on file"
    newest = max(one.captured_at or one.recorded_at for one in given)
    return "ok", f"consent in writing, {words.when(localtime(newest), localtime(at))}"


def _addresses(lead: Lead, medium: str = "") -> list[str]:
    person = lead.person
    numbers = [one.e164 for one in person.phones.all() if not one.unlinked_at]
    mails = [one.key for one in person.emails.all() if not one.bounced_at]
    if not medium:
        return numbers + mails
    return mails if medium == "email" else numbers
