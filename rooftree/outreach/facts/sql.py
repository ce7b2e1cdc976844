"""The statements that read a lead's records, in one round trip for any number of leads."""

from rooftree.capture.imports.import_staging import RECORD_FORMATS
from rooftree.compliance.do_not_call.number_lookup import LIST_STATUS_SQL
from rooftree.compliance.gate import credit_file_stop, trigger_lead_check
from rooftree.compliance.gate.credit_file_stop import TOLD_NO, UNMAPPED
from rooftree.compliance.gate.quiet_hours import STATE_LAW_SILENT
from rooftree.compliance.rule_changes import approved_changes
from rooftree.leads.lead_tasks import CALL_BACK
from rooftree.outreach.messages import required_actions
from rooftree.routing.permissions import ROLES_BY_PERMISSION

STOPPING_CODES = "({})".format(
    ", ".join(f"'{code}'" for code in credit_file_stop.STOPPING_STATUSES)
)
# An import arrives long after the borrower asked, so its own date counts.
IMPORT_ADAPTERS = "({})".format(", ".join(f"'{adapter}'" for adapter in sorted(RECORD_FORMATS)))
# Results that prove the borrower answers at this number or address.
REACHED_RESULTS = "('spoken', 'call_back', 'not_interested', 'told_no', 'replied')"
APPROVING_ROLES = "array[{}]::varchar[]".format(
    ", ".join(f"'{role}'" for role in ROLES_BY_PERMISSION["approve_call_hour"])
)
OVERRIDE_MINUTES = 60  # an overridden house limit waits that long for its one contact
APPROVAL_TASK_KIND = required_actions.task_kind(STATE_LAW_SILENT)  # the task asking for approval
# PostgreSQL writes a word boundary as \y.
NOT_AFFILIATED = trigger_lead_check.NOT_AFFILIATED_PATTERN.pattern.replace(r"\b", r"\y")

# Facts that can change from outside at any moment: revocations, the newest inbound message, and
# the outcome of a credit file. An inquiry made after a file was stopped starts over. A status that
# has no meaning here is added to the outcome, as it pauses more than some outcomes do.
NEWS_SQL = f"""
select json_build_object(
    'stops', (select coalesce(json_agg(r order by r.at), '[]') from (
        select kind, address, person_id, media, origin, reply_to_purpose, at, ended_at, ended_by
          from revocation
         where address = any(string_to_array(subject.keys, E'\\n'))
            or person_id = subject.person) r),
    'file', concat_ws('+', (select f.stands from (
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
        (select '{UNMAPPED}' from loan join lead on lead.id = loan.lead_id
          where lead.person_id = subject.person and unmapped_statuses <> '[]'::jsonb limit 1)),
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
        select at, medium, idempotency_key, is_automated from contact_attempt
         where person_id = subject.person and direction = 'out'
           and at > %(since)s and at <= %(at)s) a),
    'inbound', (select coalesce(json_object_agg(i.medium, i.at), '{{}}') from (
        select medium, max(at) as at from contact_attempt
         where person_id = subject.person and direction = 'in'
           and result not in ('revoke', 'wrong_person')
           and at > %(since)s and at <= %(at)s group by medium) i),
    'loans', (select coalesce(json_agg(l), '[]') from (
        select rank, application_date, funded_date, final_outcome, current_milestone from loan
         where lead_id = subject.lead) l),
    'overrides', (select coalesce(json_agg(o order by o.at), '[]') from (
        select medium, limits, reason, by_id as by, at from limit_override
         where lead_id = subject.lead and at > %(at)s - interval '{OVERRIDE_MINUTES} minutes'
           and at <= %(at)s) o),
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
             join "user" on "user".id = task.done_by_id and "user".roles && {APPROVING_ROLES}
             where lead_id = t.lead_id and kind = '{APPROVAL_TASK_KIND}'
               and done_at between asking.at and %(at)s
               and not exists (select 1 from lead join loan_officer on loan_officer.id = officer_id
                  where lead.id = t.lead_id and user_id = done_by_id)
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
