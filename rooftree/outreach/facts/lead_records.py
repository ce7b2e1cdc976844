"""The rows on file about a lead and its person, read in one statement for every medium."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from django.db.models import Prefetch

from rooftree.capture.imports.import_staging import RECORD_FORMATS
from rooftree.compliance.do_not_call.number_lookup import LIST_STATUS_SQL
from rooftree.compliance.gate import credit_file_stop, trigger_lead_check
from rooftree.compliance.gate.credit_file_stop import TOLD_NO
from rooftree.compliance.gate.effective_rules import Changes
from rooftree.compliance.gate.quiet_hours import STATE_LAW_SILENT
from rooftree.compliance.rule_changes import approved_changes
from rooftree.db.statements import query_rows
from rooftree.leads.lead_tasks import CALL_BACK
from rooftree.leads.models import Lead, Touch
from rooftree.outreach.facts.lead_record_rows import (
    AgreedCallback,
    DncListing,
    LastInbound,
    LoanEvent,
    NumberAnswer,
    NumberConfirmation,
    PastAttempt,
    PastTouch,
    SourceTermsSpan,
    StoredConsent,
    StoredLicense,
    StoredRevocation,
)
from rooftree.outreach.messages import required_actions

CAP_LOOKBACK = timedelta(days=8)  # the longest window of any contact cap, plus one day
STOPPING_CODES = "({})".format(
    ", ".join(f"'{code}'" for code in credit_file_stop.STOPPING_STATUSES)
)
# An import arrives long after the borrower asked, so its own date counts.
IMPORT_ADAPTERS = "({})".format(", ".join(f"'{adapter}'" for adapter in sorted(RECORD_FORMATS)))
# Results that prove the borrower answers at this number or address.
REACHED_RESULTS = "('spoken', 'call_back', 'not_interested', 'told_no', 'replied')"
SUPERVISOR_ROLES = "('manager', 'compliance')"  # these roles can approve the hour of a call
APPROVAL_TASK_KIND = required_actions.task_kind(STATE_LAW_SILENT)  # the task asking for approval
# PostgreSQL writes a word boundary as \y.
NOT_AFFILIATED = trigger_lead_check.NOT_AFFILIATED_PATTERN.pattern.replace(r"\b", r"\y")
TOUCHES = Prefetch(
    "touches", Touch.objects.select_related("source", "campaign").order_by("at", "id")
)

# Facts that can change from outside at any moment: revocations, the newest inbound message, and
# the outcome of a credit file. An inquiry made after a file was stopped starts over.
NEWS_SQL = f"""
select json_build_object(
    'stops', (select coalesce(json_agg(r order by r.at), '[]') from (
        select kind, address, person_id, media, origin, reply_to_purpose, at, ended_at, ended_by
          from revocation
         where address = any(string_to_array(subject.keys, E'\\n'))
            or person_id = subject.person) r),
    'file', (select f.stands from (
        select case when loan.final_outcome in {STOPPING_CODES} then loan.final_outcome
                    else loan.current_milestone end as stands,
               (select max(recorded_at) from milestone
                 where loan_id = loan.id and code in {STOPPING_CODES}) as since
          from loan join lead on lead.id = loan.lead_id
         where lead.person_id = subject.person
           and (loan.final_outcome in {STOPPING_CODES}
             or loan.current_milestone in {STOPPING_CODES})
        union all
        select '{TOLD_NO}', clock.opened_at
          from credit_clock clock join lead on lead.id = clock.lead_id
         where lead.person_id = subject.person and clock.kind = 'adverse_action'
           and clock.outcome <> 'mistaken' and clock.loan_id is null) f
         where f.since >= (select created_at from lead where id = subject.lead)
         order by f.since desc limit 1),
    'heard', (select json_build_array(m.created_at, m.medium, m.problem)
                from message m
               where m.person_id = subject.person and m.direction = 'in' and m.created_at <= %(at)s
               order by m.created_at desc limit 1)
)::text
"""  # noqa: S608

# Everything else, in one statement: it runs twice for every lead, and the seven ORM queries it
# replaces cost more than the whole gate.
REST_SQL = f"""
select json_build_object(
    'consents', (select coalesce(json_agg(c order by c.recorded_at), '[]') from (
        select address, record, recorded_at from consent
         where person_id = subject.person and address = any(string_to_array(subject.keys, E'\\n'))
           and status = 'granted' and recorded_at <= %(at)s) c),
    'attempts', (select coalesce(json_agg(a order by a.at), '[]') from (
        select at, medium, idempotency_key from contact_attempt
         where person_id = subject.person and direction = 'out'
           and at > %(since)s and at <= %(at)s) a),
    'touches', (select coalesce(json_agg(t order by t.at, t.id), '[]') from (
        select touch.id, touch.at, touch.source_id, source.adapter,
               case when source.adapter in {IMPORT_ADAPTERS}
                    then nullif(left(touch.inquiry->>'submitted_at', 10), '')::date
                    else (touch.at at time zone 'UTC')::date end as asked_on
          from touch join source on source.id = touch.source_id
         where touch.lead_id = subject.lead) t),
    'terms', (select coalesce(json_agg(s), '[]') from (
        select source_id, from_date, until_date from source_terms
         where names_us and reviewed_at is not null
           and source_id in (select source_id from touch where lead_id = subject.lead)) s),
    'bureau', (select json_build_object('source_class', s.source_class,
          'is_firm_offer', s.is_firm_offer, 'is_authorized', s.is_authorized,
          'keeps_criteria', s.criteria <> '', 'tie', b.relationship, 'certified', b.is_authorized,
          'has_opted_out', b.has_opted_out, 'was_told', exists (select from message m
             where m.lead_id = subject.lead and m.direction = 'out' and m.sent_at < %(at)s
               and m.body ~* '{NOT_AFFILIATED}'))
          from lead join source_terms s on s.source_id = lead.source_id
          left join lateral (select relationship, is_authorized, has_opted_out from lead_basis
             where lead_id = lead.id and at <= %(at)s order by at desc limit 1) b on true
         where lead.id = subject.lead and s.source_class <> '' and s.reviewed_at is not null
           and s.from_date <= lead.created_at::date
           and (s.until_date is null or s.until_date > lead.created_at::date)
           and not exists (select from touch t where t.lead_id = subject.lead
              and not exists (select from source_terms x where x.source_id = t.source_id
                 and x.source_class <> '' and x.reviewed_at is not null))
         order by s.from_date desc limit 1),
    'licenses', (select coalesce(json_agg(l order by l.state), '[]') from (
        select state, number, license, from_date, until_date from company_license) l),
    'lists', (select coalesce(json_agg(d), '[]') from (
        select p.e164 as number, list_status.*
          from phone p
          cross join lateral ({LIST_STATUS_SQL.format(number="p.e164")}) list_status
         where p.person_id = subject.person
           and p.e164 = any(string_to_array(subject.keys, E'\\n'))
           and p.e164 like '+1__________') d),
    'rules', {approved_changes.APPROVED_CHANGES_SQL},
    'checks', (select coalesce(json_agg(c order by c.answered_at desc), '[]') from (
        select number, since, response, answered_at,
               (answered_at at time zone 'UTC')::date as answered_on
          from number_question
         where number = any(string_to_array(subject.keys, E'\\n')) and kind = 'reassigned'
           and answered_at <= %(at)s) c),
    'confirmed', (select coalesce(json_agg(c), '[]') from (
        select address as number, (max(at) at time zone 'UTC')::date as on
          from contact_attempt
         where person_id = subject.person and address = any(string_to_array(subject.keys, E'\\n'))
           and at <= %(at)s and result in {REACHED_RESULTS}
         group by address) c),
    'dealings', (select coalesce(json_agg(d), '[]') from (
        select m.code, coalesce(m.on_date, (m.reached_at at time zone 'UTC')::date) as on
          from milestone m join loan on loan.id = m.loan_id join lead on lead.id = loan.lead_id
         where lead.person_id = subject.person and m.code in ('application', 'funded')
           and not m.is_inferred and m.recorded_at <= %(at)s) d),
    'agreed', (select json_build_object('due_at', t.due_at, 'asked_at', asking.at,
          'approved_by', yes.done_by_id, 'approved_at', yes.done_at)
          from task t
          join lateral (select max(coalesce(result_at, at)) as at from contact_attempt
             where lead_id = t.lead_id and result = 'call_back') asking on asking.at <= %(at)s
          left join lateral (select done_by_id, done_at from task
             join "user" on "user".id = task.done_by_id and "user".role in {SUPERVISOR_ROLES}
             where lead_id = t.lead_id and kind = '{APPROVAL_TASK_KIND}'
               and done_at between asking.at and %(at)s
             order by done_at desc limit 1) yes on true
         where t.lead_id = subject.lead and t.kind = '{CALL_BACK}'
           and t.done_at is null and t.canceled_at is null),
    'was_texted', exists (select from message m
        where m.person_id = subject.person and m.direction = 'out' and m.medium = 'text'
          and m.sent_at < %(at)s)
)::text
"""  # noqa: S608

# One row per lead, in the order given. A lead's addresses are one text, one address per line.
# The subselects hide the array length from the planner, so the statement is planned only once:
# see `db.prepared_queries`.
MANY_LEADS_SQL = """
select {columns}
  from unnest((select %(leads)s::uuid[]), (select %(people)s::uuid[]), (select %(keys)s::text[]))
       with ordinality as subject (lead, person, keys, nth)
 order by subject.nth
"""


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
        """The status of a credit file of theirs that ends marketing; "" if none does."""
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
