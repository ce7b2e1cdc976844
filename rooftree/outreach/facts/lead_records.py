"""The rows on file about a lead and its person, read in one statement for every medium.

The database returns them as JSON; each is parsed into a typed row.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from rooftree.compliance.gate.effective_rules import Changes
from rooftree.compliance.gate.license_checks import latest_local_date
from rooftree.compliance.rule_changes import approved_changes
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.db.statements import query_rows
from rooftree.leads.models import Lead
from rooftree.org.carrier_account import account_in_force
from rooftree.org.models import LoanOfficer
from rooftree.outreach.facts.sql import MANY_LEADS_SQL, NEWS_SQL, REST_SQL
from rooftree.outreach.facts.stored_rows import (
    AgreedCallback,
    DncListing,
    LastInbound,
    LoanEvent,
    LoanFile,
    NumberAnswer,
    NumberConfirmation,
    PastAttempt,
    PastTouch,
    SourceTermsSpan,
    StoredConsent,
    StoredLicense,
    StoredOverride,
    StoredRevocation,
)
from rooftree.outreach.models import Message

SENT_STATES = ("claimed", "sent", "delivered", "uncertain")
LAST_TEXTS = PreparedQuery(
    lambda addresses: (
        Message.objects.filter(
            to_address__in=addresses, medium="text", direction="out", state__in=SENT_STATES
        )
        .order_by("to_address", "-created_at")
        .distinct("to_address")
        .only("to_address", "from_address")
    ),
    addresses=list[str],
)
CAP_LOOKBACK = timedelta(days=8)  # the longest window of any contact cap, plus one day


class LeadRecords:
    """The rows behind the facts about one lead at one moment, loaded on first use.

    Args:
        keys: the phone numbers and address keys to load, in the form they are stored under.
    """

    def __init__(self, lead: Lead, *, keys: Sequence[str], at: datetime) -> None:
        self._lead, self._keys, self._at = lead, list(keys), at

    @property
    def at(self) -> datetime:
        """The time of the decision."""
        return self._at

    @classmethod
    def load_many(
        cls, leads: Sequence[Lead], *, keys: Mapping[UUID, Sequence[str]], at: datetime
    ) -> dict[UUID, "LeadRecords"]:
        """Load the records of many leads in one statement; return them by lead id.

        Args:
            keys: the addresses to load, by lead id.
        """
        records_by_lead = {lead.pk: cls(lead, keys=keys[lead.pk], at=at) for lead in leads}
        loaded = [*records_by_lead.values()]
        rows = _run_queries(loaded, NEWS_SQL, REST_SQL, at=at)
        for records, (news, rest) in zip(loaded, rows, strict=True):
            records.__dict__ |= {"_news": news, "_rest": rest}
        return records_by_lead

    @classmethod
    def reload_news(cls, loaded: Sequence["LeadRecords"], *, at: datetime) -> list["LeadRecords"]:
        """Return the same records as of `at`, with revocations and inbound messages reloaded.

        A revocation on file counts even when clocks disagree: the returned time is never before it.
        """
        reloaded = []
        rows = _run_queries(loaded, NEWS_SQL, at=at)
        for records, (news,) in zip(loaded, rows, strict=True):
            fresh = cls(records._lead, keys=records._keys, at=at)
            fresh.__dict__ |= {"_news": news, "_rest": records._rest}
            reloaded.append(fresh._move_past_stops())
        return reloaded

    def _move_past_stops(self) -> "LeadRecords":
        live_stops = (stop.at for stop in self._stops if stop.ended_at is None)
        latest = max(live_stops, default=self._at)
        return self if latest <= self._at else LeadRecords.reload_news([self], at=latest)[0]

    def revocations(self, key: str) -> list[StoredRevocation]:
        """Return revocations of this address, or by this person anywhere, oldest first."""
        person_id = self._lead.person_id
        return [
            stop
            for stop in self._stops
            if stop.at <= self._at and (stop.address == key or stop.person_id == person_id)
        ]

    def consents(self, key: str) -> list[StoredConsent]:
        """Return consents given for this number or address, oldest first."""
        rows = [StoredConsent.from_json(row) for row in self._rest["consents"]]
        return [row for row in rows if row.address == key]

    def listings(self, key: str) -> list[DncListing]:
        """Return the do-not-call lists that cover this number, internal and official."""
        rows = [DncListing.from_json(row) for row in self._rest["lists"]]
        return [row for row in rows if row.number == key]

    def number_answers(self, key: str) -> list[NumberAnswer]:
        """Return the answers to whether this number was reassigned, newest first."""
        rows = [NumberAnswer.from_json(row) for row in self._rest["checks"]]
        return [row for row in rows if row.number == key]

    def confirmed_on(self, key: str) -> date | None:
        """Return the date (UTC) they last spoke or wrote to us on this number; None if never."""
        rows = [NumberConfirmation.from_json(row) for row in self._rest["confirmed"]]
        return next((row.on for row in rows if row.number == key), None)

    @property
    def loan_milestones(self) -> list[LoanEvent]:
        """Their applications and loans with us."""
        return [LoanEvent.from_json(row) for row in self._rest["dealings"]]

    def outbound_attempts(self, *, excluding: str) -> list[PastAttempt]:
        """Return our attempts within CAP_LOOKBACK, oldest first.

        Args:
            excluding: the idempotency key of the attempt to leave out.
        """
        rows = [PastAttempt.from_json(row) for row in self._rest["attempts"]]
        return [row for row in rows if row.idempotency_key != excluding]

    def heard_at(self, medium: str = "") -> datetime | None:
        """Return when they last wrote or called, within CAP_LOOKBACK; `medium` names one way."""
        moments = [
            datetime.fromisoformat(at)
            for name, at in self._rest["inbound"].items()
            if medium in ("", name)
        ]
        return max(moments, default=None)

    def live_override(self, medium: str, *, excluding: str) -> StoredOverride | None:
        """Return the override of house limits that this contact can use; None without one.

        One override is for one contact by hand: any later one has used it up.
        """
        rows = [StoredOverride.from_json(row) for row in self._rest["overrides"]]
        overrides = [row for row in rows if row.medium == medium]
        if not overrides:
            return None
        newest = overrides[-1]
        is_used = any(
            attempt.medium == medium and not attempt.is_automated and attempt.at >= newest.at
            for attempt in self.outbound_attempts(excluding=excluding)
        )
        return None if is_used else newest

    @property
    def loan_files(self) -> list[LoanFile]:
        """The loan files of this lead in the LOS."""
        return [LoanFile.from_json(row) for row in self._rest["loans"]]

    def form_names_us(self, source_id: UUID, day: date) -> bool:
        """Return True if reviewed terms in force on `day` say the source's form names us."""
        rows = [SourceTermsSpan.from_json(row) for row in self._rest["terms"]]
        return any(row.source_id == source_id and row.covers(day) for row in rows)

    @cached_property
    def newest_inbound(self) -> LastInbound | None:
        """The last message the person sent us; None if they never wrote."""
        inbound = self._news["heard"]
        if inbound is None:
            return None
        at, medium, problem = inbound
        return LastInbound(created_at=datetime.fromisoformat(at), medium=medium, problem=problem)

    @property
    def credit_stop(self) -> str:
        """The status of a stopped credit file of theirs, "unmapped", or both; "" if none is."""
        return self._news["file"] or ""

    @property
    def trigger_lead_basis(self) -> dict[str, Any] | None:
        """The legal basis of a trigger lead: its source's reviewed terms and its own proof.

        None if the person asked to be contacted, through this source or any other since.
        """
        basis: dict[str, Any] | None = self._rest["bureau"]
        return basis

    @property
    def agreed_callback(self) -> AgreedCallback | None:
        """The callback they asked for that has not been made yet; None if there is none."""
        row = self._rest["agreed"]
        return AgreedCallback.from_json(row) if row else None

    @property
    def rule_changes(self) -> Changes:
        """The rule changes this company approved, for every state."""
        return approved_changes.parse_changes(self._rest["rules"])

    @property
    def was_texted(self) -> bool:
        """Return True if we have texted this person before."""
        return bool(self._rest["was_texted"])

    @cached_property
    def touches(self) -> list[PastTouch]:
        """Every inquiry of the lead, with its source's adapter, oldest first."""
        return [PastTouch.from_json(row) for row in self._rest["touches"]]

    @cached_property
    def company_licenses(self) -> list[StoredLicense]:
        """All licenses of the company, current or not."""
        return [StoredLicense.from_json(row) for row in self._rest["licenses"]]

    @cached_property
    def _stops(self) -> list[StoredRevocation]:
        return [StoredRevocation.from_json(row) for row in self._news["stops"]]

    @cached_property
    def _news(self) -> dict[str, Any]:
        ((news,),) = _run_queries([self], NEWS_SQL, at=self._at)
        return dict(news)

    @cached_property
    def _rest(self) -> dict[str, Any]:
        ((rest,),) = _run_queries([self], REST_SQL, at=self._at)
        return dict(rest)


def license_in_state(
    licenses: Iterable[StoredLicense], state: str, at: datetime
) -> StoredLicense | None:
    """Return the newest license in force in a state on that state's date; None without one."""
    today = latest_local_date(state, at)
    in_force = [row for row in licenses if row.state == state and row.covers(today)]
    return max(in_force, key=lambda row: row.from_date, default=None)


def _run_queries(
    unloaded: Sequence[LeadRecords], *queries: str, at: datetime
) -> list[tuple[Any, ...]]:
    """Run the queries for all leads at once; return one tuple of results per lead, in order."""
    parameters: dict[str, Any] = {
        "leads": [records._lead.pk for records in unloaded],
        "people": [records._lead.person_id for records in unloaded],
        "keys": ["\n".join(records._keys) for records in unloaded],
        "at": at,
        "since": at - CAP_LOOKBACK,
    }
    return [
        tuple(map(json.loads, texts)) for texts in query_rows(_build_query(queries), parameters)
    ]


@cache
def _build_query(queries: tuple[str, ...]) -> str:
    return MANY_LEADS_SQL.format(columns=", ".join(f"({query})" for query in queries))


def previous_numbers(addresses: Sequence[str]) -> dict[str, str]:
    """Return, by address, the number of our last text to it, if that is still ours."""
    last_texts = LAST_TEXTS.all(addresses=list(addresses))
    senders = {message.to_address: message.from_address for message in last_texts}
    is_ours = {number: is_our_number(number) for number in set(senders.values())}
    return {to: number for to, number in senders.items() if is_ours[number]}


def is_our_number(number: str) -> bool:
    """Return True if the number is assigned to the company or to an active officer."""
    if number in account_in_force().numbers:
        return True
    return LoanOfficer.objects.filter(text_number=number, terminated_at=None).exists()
