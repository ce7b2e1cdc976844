"""What is on file about one lead and its person, whatever the medium: read once for all three."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects

from rooftree.compliance.models import Consent, Revocation, SourceTerms
from rooftree.leads.models import ContactAttempt, Lead, Touch
from rooftree.org.models import CompanyLicense
from rooftree.outreach.models import Message

CAP_MEMORY = timedelta(days=8)  # the longest window any cap looks back, and a day
TOUCHES = Prefetch(
    "touches", Touch.objects.select_related("source", "campaign").order_by("at", "id")
)

# Read once for a message, at its claim: what a moment between that and the carrier cannot change.
KEPT = ("_consents", "_contacts", "_terms", "company_licenses", "touches", "was_texted")


class Known:
    """The rows behind the facts about one lead at one moment, each table asked when first needed.

    Args:
        keys: the numbers and addresses that will be asked about, as filed.
    """

    def __init__(self, lead: Lead, *, keys: Sequence[str], at: datetime) -> None:
        self._lead, self._keys, self._at = lead, keys, at

    @property
    def at(self) -> datetime:
        """The moment of the decision."""
        return self._at

    def looked_at_again(self, *, at: datetime) -> "Known":
        """The same rows at `at`, but what they took back or wrote is read anew.

        A stop on file counts, whatever the clocks say: the moment is not before it.
        """
        stops = list(self._stops())
        moment = max([at, *(one.at for one in stops if one.ended_at is None)])
        later = Known(self._lead, keys=self._keys, at=moment)
        later.__dict__ |= {name: self.__dict__[name] for name in KEPT if name in self.__dict__}
        later.__dict__["_revocations"] = [one for one in stops if one.at <= moment]
        return later

    def revocations(self, key: str) -> list[Revocation]:
        """Taken back on this number or address, or by this person anywhere; oldest first."""
        person_id = self._lead.person_id
        return [
            one for one in self._revocations if one.address == key or one.person_id == person_id
        ]

    def consents(self, key: str) -> list[Consent]:
        """Permissions given for this number or address, oldest first."""
        return [one for one in self._consents if one.address == key]

    def contacts(self, *, but: str) -> list[ContactAttempt]:
        """Our attempts of the last days, oldest first, without the one whose cause is `but`."""
        return [one for one in self._contacts if one.cause != but]

    def names_us(self, source_id: UUID, day: date) -> bool:
        """Whether reviewed source terms in force on `day` say that the source's form names us."""
        return any(
            one.source_id == source_id
            and one.from_date <= day
            and (one.until_date is None or one.until_date > day)
            for one in self._terms
        )

    @cached_property
    def newest_inbound(self) -> Message | None:
        """The last thing the person wrote to us."""
        rows = Message.objects.filter(
            person_id=self._lead.person_id, direction="in", created_at__lte=self._at
        )
        return rows.order_by("-created_at").first()

    @cached_property
    def was_texted(self) -> bool:
        """Whether a text of ours went to this person before."""
        rows = Message.objects.filter(person_id=self._lead.person_id, direction="out")
        return rows.filter(medium="text", sent_at__isnull=False, sent_at__lt=self._at).exists()

    @cached_property
    def touches(self) -> list[Touch]:
        """Every time the lead asked, with the source."""
        prefetch_related_objects([self._lead], TOUCHES)
        return list(self._lead.touches.all())

    @cached_property
    def company_licenses(self) -> list[CompanyLicense]:
        """The company's licenses, of whatever dates."""
        return list(CompanyLicense.objects.all())

    @cached_property
    def _revocations(self) -> list[Revocation]:
        return list(self._stops().filter(at__lte=self._at))

    def _stops(self) -> QuerySet[Revocation]:
        whose: Any = Q(address__in=self._keys) | Q(person_id=self._lead.person_id)
        return Revocation.objects.filter(whose).order_by("at")

    @cached_property
    def _consents(self) -> list[Consent]:
        rows = Consent.objects.filter(
            person_id=self._lead.person_id, status="granted", recorded_at__lte=self._at
        )
        return list(rows.filter(address__in=self._keys).order_by("recorded_at"))

    @cached_property
    def _contacts(self) -> list[ContactAttempt]:
        rows = ContactAttempt.objects.filter(
            person_id=self._lead.person_id,
            direction="out",
            at__gt=self._at - CAP_MEMORY,
            at__lte=self._at,
        )
        return list(rows.order_by("at"))

    @cached_property
    def _terms(self) -> list[SourceTerms]:
        sources = {touch.source_id for touch in self.touches}
        return list(
            SourceTerms.objects.filter(
                source_id__in=sources, names_us=True, reviewed_at__isnull=False
            )
        )
