"""What is on file about one lead and its person, whatever the medium: read once for all three."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Prefetch

from rooftree.capture.imports.stage import KINDS
from rooftree.compliance import credit_file, trigger_leads
from rooftree.compliance.amending import standing
from rooftree.compliance.credit_file import TOLD_NO
from rooftree.compliance.law import Changes
from rooftree.compliance.listed import SAID
from rooftree.compliance.quiet_hours import STATE_SILENT
from rooftree.leads.models import Lead, Touch
from rooftree.leads.to_do import CALL_BACK
from rooftree.outreach import duties
from rooftree.outreach.known_rows import (
    Agreed,
    Arrival,
    Attempt,
    Checked,
    Confirmed,
    Dealing,
    Heard,
    Licensed,
    Listing,
    Permission,
    Stop,
    Terms,
)

CAP_MEMORY = timedelta(days=8)  # the longest window any cap looks back, and a day
STOPPING = "({})".format(", ".join(f"'{one}'" for one in credit_file.STOPPING))
IMPORTED = "({})".format(", ".join(f"'{one}'" for one in sorted(KINDS)))  # long after they asked
REACHED = "('spoken', 'call_back', 'not_interested', 'told_no', 'replied')"  # it was them
SUPERVISORS = "('manager', 'compliance')"  # who may approve the hour of a call
APPROVAL = duties.kind_of(STATE_SILENT)  # the kind of the task that asks them
NOT_AFFILIATED = trigger_leads.NOT_AFFILIATED.pattern.replace(r"\b", r"\y")  # as PostgreSQL says
TOUCHES = Prefetch(
    "touches", Touch.objects.select_related("source", "campaign").order_by("at", "id")
)

# What may come from outside at any moment: what they took back, what they wrote, and what became
# of a file of theirs. Whoever asks anew after that has begun anew.
NEWS = f"""
select json_build_object(
    'stops', (select coalesce(json_agg(r order by r.at), '[]') from (
        select kind, address, person_id, media, origin, reply_to_purpose, at, ended_at, ended_by
          from revocation
         where address = any(string_to_array(asked.keys, E'\\n'))
            or person_id = asked.person) r),
    'file', (select f.stands from (
        select case when loan.ended_as in {STOPPING} then loan.ended_as else loan.stands_at end
                 as stands,
               (select max(recorded_at) from milestone
                 where loan_id = loan.id and code in {STOPPING}) as since
          from loan join lead on lead.id = loan.lead_id
         where lead.person_id = asked.person
           and (loan.ended_as in {STOPPING} or loan.stands_at in {STOPPING})
        union all
        select '{TOLD_NO}', clock.opened_at
          from credit_clock clock join lead on lead.id = clock.lead_id
         where lead.person_id = asked.person and clock.kind = 'adverse_action'
           and clock.closed_as <> 'mistaken' and clock.loan_id is null) f
         where f.since >= (select created_at from lead where id = asked.lead)
         order by f.since desc limit 1),
    'heard', (select json_build_array(m.created_at, m.medium, m.problem)
                from message m
               where m.person_id = asked.person and m.direction = 'in' and m.created_at <= %(at)s
               order by m.created_at desc limit 1)
)::text
"""  # noqa: S608

# All else, in one statement: this is asked twice for every lead, and the ORM's seven cost more
# than everything the gate does.
REST = f"""
select json_build_object(
    'consents', (select coalesce(json_agg(c order by c.recorded_at), '[]') from (
        select address, record, recorded_at from consent
         where person_id = asked.person and address = any(string_to_array(asked.keys, E'\\n'))
           and status = 'granted' and recorded_at <= %(at)s) c),
    'attempts', (select coalesce(json_agg(a order by a.at), '[]') from (
        select at, medium, cause from contact_attempt
         where person_id = asked.person and direction = 'out'
           and at > %(since)s and at <= %(at)s) a),
    'touches', (select coalesce(json_agg(t order by t.at, t.id), '[]') from (
        select touch.id, touch.at, touch.source_id, source.adapter,
               case when source.adapter in {IMPORTED}
                    then nullif(left(touch.inquiry->>'submitted_at', 10), '')::date
                    else (touch.at at time zone 'UTC')::date end as asked_on
          from touch join source on source.id = touch.source_id
         where touch.lead_id = asked.lead) t),
    'terms', (select coalesce(json_agg(s), '[]') from (
        select source_id, from_date, until_date from source_terms
         where names_us and reviewed_at is not null
           and source_id in (select source_id from touch where lead_id = asked.lead)) s),
    'bureau', (select json_build_object('source_class', s.source_class,
          'is_firm_offer', s.is_firm_offer, 'is_authorized', s.is_authorized,
          'keeps_criteria', s.criteria <> '', 'tie', b.relationship, 'certified', b.is_authorized,
          'has_opted_out', b.has_opted_out, 'was_told', exists (select from message m
             where m.lead_id = asked.lead and m.direction = 'out' and m.sent_at < %(at)s
               and m.body ~* '{NOT_AFFILIATED}'))
          from lead join source_terms s on s.source_id = lead.source_id
          left join lateral (select relationship, is_authorized, has_opted_out from lead_basis
             where lead_id = lead.id and at <= %(at)s order by at desc limit 1) b on true
         where lead.id = asked.lead and s.source_class <> '' and s.reviewed_at is not null
           and s.from_date <= lead.created_at::date
           and (s.until_date is null or s.until_date > lead.created_at::date)
           and not exists (select from touch t where t.lead_id = asked.lead
              and not exists (select from source_terms x where x.source_id = t.source_id
                 and x.source_class <> '' and x.reviewed_at is not null))
         order by s.from_date desc limit 1),
    'licenses', (select coalesce(json_agg(l order by l.state), '[]') from (
        select state, number, license, from_date, until_date from company_license) l),
    'lists', (select coalesce(json_agg(d), '[]') from (
        select p.e164 as number, said.*
          from phone p cross join lateral ({SAID.format(number="p.e164")}) said
         where p.person_id = asked.person
           and p.e164 = any(string_to_array(asked.keys, E'\\n'))
           and p.e164 like '+1__________') d),
    'rules', {standing.STANDING},
    'checks', (select coalesce(json_agg(c order by c.answered_at desc), '[]') from (
        select number, since, response, answered_at,
               (answered_at at time zone 'UTC')::date as answered_on
          from number_question
         where number = any(string_to_array(asked.keys, E'\\n')) and kind = 'reassigned'
           and answered_at <= %(at)s) c),
    'confirmed', (select coalesce(json_agg(c), '[]') from (
        select address as number, (max(at) at time zone 'UTC')::date as on
          from contact_attempt
         where person_id = asked.person and address = any(string_to_array(asked.keys, E'\\n'))
           and at <= %(at)s and result in {REACHED}
         group by address) c),
    'dealings', (select coalesce(json_agg(d), '[]') from (
        select m.code, coalesce(m.on_date, (m.reached_at at time zone 'UTC')::date) as on
          from milestone m join loan on loan.id = m.loan_id join lead on lead.id = loan.lead_id
         where lead.person_id = asked.person and m.code in ('application', 'funded')
           and not m.is_inferred and m.recorded_at <= %(at)s) d),
    'agreed', (select json_build_object('due_at', t.due_at, 'asked_at', asking.at,
          'approved_by', yes.done_by_id, 'approved_at', yes.done_at)
          from task t
          join lateral (select max(coalesce(result_at, at)) as at from contact_attempt
             where lead_id = t.lead_id and result = 'call_back') asking on asking.at <= %(at)s
          left join lateral (select done_by_id, done_at from task
             join "user" on "user".id = task.done_by_id and "user".role in {SUPERVISORS}
             where lead_id = t.lead_id and kind = '{APPROVAL}'
               and done_at between asking.at and %(at)s
             order by done_at desc limit 1) yes on true
         where t.lead_id = asked.lead and t.kind = '{CALL_BACK}'
           and t.done_at is null and t.cancelled_at is null),
    'was_texted', exists (select from message m
        where m.person_id = asked.person and m.direction = 'out' and m.medium = 'text'
          and m.sent_at < %(at)s)
)::text
"""  # noqa: S608

# Of many at once, a row each in their order; the addresses of each are one text, a line each.
# How many there are is hidden from the planner, which plans this once then: see `org.compiled`.
OF_MANY = """
select {asked}
  from unnest((select %(leads)s::uuid[]), (select %(people)s::uuid[]), (select %(keys)s::text[]))
       with ordinality as asked (lead, person, keys, nth)
 order by asked.nth
"""


class Known:
    """The rows behind the facts about one lead at one moment, read when first needed.

    Args:
        keys: the numbers and addresses that will be asked about, as filed.
    """

    def __init__(self, lead: Lead, *, keys: Sequence[str], at: datetime) -> None:
        self._lead, self._keys, self._at = lead, list(keys), at

    @property
    def at(self) -> datetime:
        """The moment of the decision."""
        return self._at

    @classmethod
    def of_many(
        cls, leads: Sequence[Lead], *, keys: Mapping[UUID, Sequence[str]], at: datetime
    ) -> dict[UUID, "Known"]:
        """By lead, read in one statement. `keys` are the addresses asked about, by lead."""
        made = {one.pk: cls(one, keys=keys[one.pk], at=at) for one in leads}
        many = [*made.values()]
        for one, (news, rest) in zip(many, _asked(many, NEWS, REST, at=at), strict=True):
            one.__dict__ |= {"_news": news, "_rest": rest}
        return made

    @classmethod
    def looked_at_again(cls, many: Sequence["Known"], *, at: datetime) -> list["Known"]:
        """The same rows at `at`, but what they took back or wrote is read anew.

        A stop on file counts, whatever the clocks say: the moment is not before it.
        """
        now = []
        for one, (news,) in zip(many, _asked(many, NEWS, at=at), strict=True):
            again = cls(one._lead, keys=one._keys, at=at)
            again.__dict__ |= {"_news": news, "_rest": one._rest}
            now.append(again._not_before_a_stop())
        return now

    def _not_before_a_stop(self) -> "Known":
        latest = max((one.at for one in self._stops if one.ended_at is None), default=self._at)
        return self if latest <= self._at else Known.looked_at_again([self], at=latest)[0]

    def revocations(self, key: str) -> list[Stop]:
        """Taken back on this number or address, or by this person anywhere; oldest first."""
        mine = self._lead.person_id
        return [
            one
            for one in self._stops
            if one.at <= self._at and (one.address == key or one.person_id == mine)
        ]

    def consents(self, key: str) -> list[Permission]:
        """Permissions given for this number or address, oldest first."""
        rows = [Permission.of(one) for one in self._rest["consents"]]
        return [one for one in rows if one.address == key]

    def listings(self, key: str) -> list[Listing]:
        """The do-not-contact lists that cover this number, ours and the registries'."""
        rows = [Listing.of(one) for one in self._rest["lists"]]
        return [one for one in rows if one.number == key]

    def checks(self, key: str) -> list[Checked]:
        """Whether the number changed hands, as answered; the newest first."""
        rows = [Checked.of(one) for one in self._rest["checks"]]
        return [one for one in rows if one.number == key]

    def confirmed_on(self, key: str) -> date | None:
        """The day on which they last spoke with us or wrote to us on this number."""
        rows = [Confirmed.of(one) for one in self._rest["confirmed"]]
        return next((one.on for one in rows if one.number == key), None)

    @property
    def dealings(self) -> list[Dealing]:
        """Their applications and loans with us."""
        return [Dealing.of(one) for one in self._rest["dealings"]]

    def contacts(self, *, but: str) -> list[Attempt]:
        """Our attempts of the last days, oldest first, without the one whose cause is `but`."""
        rows = [Attempt.of(one) for one in self._rest["attempts"]]
        return [one for one in rows if one.cause != but]

    def names_us(self, source_id: UUID, day: date) -> bool:
        """Whether reviewed source terms in force on `day` say that the source's form names us."""
        rows = [Terms.of(one) for one in self._rest["terms"]]
        return any(one.source_id == source_id and one.holds(day) for one in rows)

    @cached_property
    def newest_inbound(self) -> Heard | None:
        """The last thing the person wrote to us."""
        heard = self._news["heard"]
        if heard is None:
            return None
        at, medium, problem = heard
        return Heard(created_at=datetime.fromisoformat(at), medium=medium, problem=problem)

    @property
    def credit_stop(self) -> str:
        """How a file of theirs stands, where that ends marketing; "" where it does not."""
        return self._news["file"] or ""

    @property
    def bureau(self) -> dict[str, Any] | None:
        """What its source's reviewed terms and its own proof say of a lead nobody asked for.

        None where the person asked, there or anywhere else since.
        """
        found: dict[str, Any] | None = self._rest["bureau"]
        return found

    @property
    def agreed(self) -> Agreed | None:
        """The call at their request that is still to be made."""
        found = self._rest["agreed"]
        return Agreed.of(found) if found else None

    @property
    def rule_changes(self) -> Changes:
        """What this company changed of the rule data, wherever it holds."""
        return standing.changes(self._rest["rules"])

    @property
    def was_texted(self) -> bool:
        """Whether a text of ours went to this person before."""
        return bool(self._rest["was_texted"])

    @cached_property
    def touches(self) -> list[Arrival]:
        """Every time the lead asked, with the source's adapter."""
        return [Arrival.of(one) for one in self._rest["touches"]]

    @cached_property
    def company_licenses(self) -> list[Licensed]:
        """The company's licenses, of whatever dates."""
        return [Licensed.of(one) for one in self._rest["licenses"]]

    @cached_property
    def _stops(self) -> list[Stop]:
        return [Stop.of(one) for one in self._news["stops"]]

    @cached_property
    def _news(self) -> dict[str, Any]:
        ((found,),) = _asked([self], NEWS, at=self._at)
        return dict(found)

    @cached_property
    def _rest(self) -> dict[str, Any]:
        ((found,),) = _asked([self], REST, at=self._at)
        return dict(found)


def _asked(many: Sequence[Known], *queries: str, at: datetime) -> list[tuple[Any, ...]]:
    """For each, in their order, what each query found about it."""
    about: dict[str, Any] = {
        "leads": [one._lead.pk for one in many],
        "people": [one._lead.person_id for one in many],
        "keys": ["\n".join(one._keys) for one in many],
        "at": at,
        "since": at - CAP_MEMORY,
    }
    with connection.cursor() as cursor:
        cursor.execute(_of_many(queries), about)
        return [tuple(map(json.loads, texts)) for texts in cursor]


@cache
def _of_many(queries: tuple[str, ...]) -> str:
    return OF_MANY.format(asked=", ".join(f"({one})" for one in queries))
