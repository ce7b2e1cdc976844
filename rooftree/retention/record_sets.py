"""The record sets: SQL for their clocks, their people and their removal.

Data for `purges`. `r` is a row of the table; `%(ids)s` are the rows to remove, `%(people)s` the
people of a deletion request. Rows that other totals need (arrivals, money, loans) stay, without
any personal data.
"""
# ruff: noqa: S608 (no user input)

from rooftree.retention.record_set import RecordSet
from rooftree.retention.table_classes import (
    ACCESS_CLASS,
    APPLICATION_CLASS,
    CALLS_CLASS,
    CONSENT_CLASS,
    LEAD_FILE_CLASS,
    MESSAGES_CLASS,
    PARTNERS_CLASS,
    STOPS_CLASS,
)


def _clock_sql(record: str, moment: str) -> str:
    """Build SQL for the day (UTC) of a moment, or null, under its class."""
    return f"jsonb_build_object('{record}', (({moment})::timestamptz at time zone 'utc')::date)"


def _extra_clock_sql(condition: str, record: str, moment: str) -> str:
    return f"|| case when {condition} then {_clock_sql(record, moment)} else '{{}}' end"


_LEAD_REMOVED = """exists (select from purge_row g
    where g.record_set = 'lead' and g.row_id = {} and g.removed_at is not null)"""
_LAST_CONTACT = """greatest(
    (select max(a.at) from contact_attempt a where a.person_id = {0}),
    (select max(coalesce(m.sent_at, m.created_at)) from message m where m.person_id = {0}))"""
_ROW_PERSON = "array[r.person_id]"
_ROW_IS_OF_PERSON = "r.person_id = any(%(people)s)"
_LEAD_PERSON = "array(select l.person_id from lead l where l.id = r.lead_id)"

# An application that neither closed nor ended has no start day yet and is kept.
_APPLICATION_ANSWERED_AT = """(select case
      when bool_and(l.funded_date is not null or l.final_outcome <> '') then max(greatest(
           l.funded_date, l.application_date, l.created_at,
           (select max(s.reached_at) from milestone s where s.loan_id = l.id))) end
    from loan l where l.lead_id = r.id)"""
_HANDED_OFF_AT = "(select max(h.requested_at) from handoff h where h.lead_id = r.id)"
_LOAN_CLOSED_AT = "(select max(l.funded_date) from loan l where l.lead_id = r.id)"
_HAS_LOAN = "exists (select from loan l where l.lead_id = r.id)"
_NOTICE_CLOSED_AT = "(select max(c.closed_at) from credit_clock c where c.lead_id = r.id)"
_HAS_OPEN_CLOCK = """exists (select from credit_clock c
      where c.lead_id = r.id and c.closed_at is null)"""
_ONLY_HANDOFF = f"not {_HAS_LOAN} and {_HANDED_OFF_AT} is not null"
_ONLY_NOTICE = f"not {_HAS_LOAN} and {_HANDED_OFF_AT} is null and {_NOTICE_CLOSED_AT} is not null"
_HAS_CLOSED_LOAN = f"{_LOAN_CLOSED_AT} is not null"
_LEADS_OF_PEOPLE = "(select l.id from lead l where l.person_id = any(%(people)s))"
_LEAD_LAST_USED_AT = """case when
      exists (select from enrolment e where e.lead_id = r.id and e.ended_at is null)
      or exists (select from rate_watch w where w.lead_id = r.id and w.ended_at is null) then null
    else greatest(r.last_inquiry_at, r.retired_at, r.snoozed_until,
                  (select max(a.at) from contact_attempt a where a.lead_id = r.id)) end"""

LEAD = RecordSet(
    name="lead",
    table="lead",
    created_column="created_at",
    record_class=LEAD_FILE_CLASS,
    clocks_sql=f"""({_clock_sql(LEAD_FILE_CLASS, _LEAD_LAST_USED_AT)}
        {_extra_clock_sql(_HAS_LOAN, APPLICATION_CLASS, _APPLICATION_ANSWERED_AT)}
        {_extra_clock_sql(_ONLY_HANDOFF, APPLICATION_CLASS, _HANDED_OFF_AT)}
        {_extra_clock_sql(_ONLY_NOTICE, APPLICATION_CLASS, _NOTICE_CLOSED_AT)}
        {_extra_clock_sql(_HAS_OPEN_CLOCK, APPLICATION_CLASS, "null")}
        {_extra_clock_sql(_HAS_CLOSED_LOAN, "loan_estimate_trid", _LOAN_CLOSED_AT)})""",
    people_sql="array_remove(array[r.person_id, r.co_borrower_id], null)",
    requester_condition=_ROW_IS_OF_PERSON,
    removal_statements=(
        f"""update person p set street = '', city = '', zip = '', home_key = ''
             where p.id in (select person_id from lead where id = any(%(ids)s))
               and not exists (select from lead o where o.person_id = p.id
                                and o.id <> all(%(ids)s) and not {_LEAD_REMOVED.format("o.id")})""",
        """update lead set co_borrower_id = null, amount_cents = null, value_cents = null,
                down_payment_cents = null, cash_out_cents = null, current_rate_pct = null,
                credit_band = '', timeline = '', property_street = '', property_city = '',
                property_zip = '', property_key = '', details = '{}', borrower_message = '',
                score = null,
                score_reasons = '[]', snoozed_until = null, snooze_reason = '',
                response_due_at = null, retired_at = coalesce(retired_at, %(at)s),
                retired_reason = coalesce(nullif(retired_reason, ''), 'no longer kept'),
                state = case when state in ('application', 'funded') then state else 'retired' end
             where id = any(%(ids)s)""",
        """update touch set inquiry = '{}', attribution = '{}', vendor_lead_id = '',
                matched_by = '' where lead_id = any(%(ids)s)""",
        "delete from past_entry where lead_id = any(%(ids)s)",
        """update credit_clock set sentence = '', evidence = '[]', proof = '{}'
             where lead_id = any(%(ids)s)""",
        "delete from remark where lead_id = any(%(ids)s)",
        "delete from signal where lead_id = any(%(ids)s)",
        "delete from task where lead_id = any(%(ids)s)",
        "delete from score where lead_id = any(%(ids)s)",
        "delete from rate_watch where lead_id = any(%(ids)s)",
        """update enrolment set ended_at = %(at)s, due_at = null, end_reason = 'not kept'
             where lead_id = any(%(ids)s) and ended_at is null""",
        "update routing_decision set inputs = '{}' where lead_id = any(%(ids)s)",
        """update claim set evidence = '[]', sentence = '' where touch_id in
             (select id from touch where lead_id = any(%(ids)s))""",
        """update claim_step set note = '' where note <> '' and claim_id in
             (select id from claim where touch_id in
               (select id from touch where lead_id = any(%(ids)s)))""",
        """delete from los_event where los_loan_id in
             (select los_loan_id from loan where lead_id = any(%(ids)s))""",
        """update loan_change set record = '{}', changes = '{}', skipped = '{}', problem = ''
             where handoff_id in (select id from handoff where lead_id = any(%(ids)s))""",
        "update handoff set record = '{}', problem = '' where lead_id = any(%(ids)s)",
        """update loan set loan_number = '', los_loan_id = 'not kept ' || id
             where lead_id = any(%(ids)s)""",
    ),
    remains_condition="""r.details <> '{}' or r.borrower_message <> '' or r.property_street <> ''
        or r.value_cents is not null or r.amount_cents is not null
        or exists (select from touch t where t.lead_id = r.id and t.inquiry <> '{}')
        or exists (select from remark k where k.lead_id = r.id)""",
)

MESSAGE = RecordSet(
    name="message",
    table="message",
    created_column="created_at",
    record_class=MESSAGES_CLASS,
    clocks_sql=_clock_sql(MESSAGES_CLASS, "coalesce(r.sent_at, r.created_at)"),
    people_sql=_ROW_PERSON,
    requester_condition=_ROW_IS_OF_PERSON,
    removal_statements=(
        "delete from message_review where message_id = any(%(ids)s)",
        "delete from unmatched_text where message_id = any(%(ids)s)",
        """delete from contact_attempt a using message m
             where m.id = any(%(ids)s) and a.lead_id = m.lead_id
               and a.idempotency_key = 'message:' || m.id""",
        """delete from verdict v using message m
             where m.id = any(%(ids)s) and v.lead_id = m.lead_id
               and (v.idempotency_key = 'message:' || m.id or v.id = m.verdict_id)""",
        """delete from release_member p using message m
             where m.id = any(%(ids)s) and p.release_id = m.release_id
               and p.person_id = m.person_id""",
        "delete from message where id = any(%(ids)s)",
    ),
)
VERDICT = RecordSet(
    name="verdict",
    table="verdict",
    created_column="at",
    record_class=MESSAGES_CLASS,
    condition="not exists (select from message m where m.lead_id = r.lead_id and "
    "(m.verdict_id = r.id or r.idempotency_key = 'message:' || m.id))",
    clocks_sql=_clock_sql(MESSAGES_CLASS, "r.at"),
    people_sql=_ROW_PERSON,
    requester_condition=_ROW_IS_OF_PERSON,
    removal_statements=("delete from verdict where id = any(%(ids)s)",),
)
ATTEMPT = RecordSet(
    name="attempt",
    table="contact_attempt",
    created_column="at",
    record_class=CALLS_CLASS,
    condition="not exists (select from message m where m.lead_id = r.lead_id "
    "and r.idempotency_key = 'message:' || m.id)",
    clocks_sql=_clock_sql(CALLS_CLASS, "r.at"),
    people_sql=_ROW_PERSON,
    requester_condition=_ROW_IS_OF_PERSON,
    removal_statements=(
        """update call_recording set attempt_id = null, erase_from = coalesce(erase_from, %(at)s),
                due_at = %(at)s where attempt_id = any(%(ids)s)""",
        "delete from contact_attempt where id = any(%(ids)s)",
    ),
)
CONSENT_SET = RecordSet(
    name="consent",
    table="consent",
    created_column="recorded_at",
    record_class=CONSENT_CLASS,
    clocks_sql=_clock_sql(
        CONSENT_CLASS,
        f"greatest(r.recorded_at, r.captured_at, {_LAST_CONTACT.format('r.person_id')})",
    ),
    people_sql=_ROW_PERSON,
    requester_condition=_ROW_IS_OF_PERSON,
    removal_statements=("delete from consent where id = any(%(ids)s)",),
)

BASIS = RecordSet(
    name="basis",
    table="lead_basis",
    created_column="at",
    record_class=CONSENT_CLASS,
    clocks_sql=_clock_sql(
        CONSENT_CLASS,
        f"(select greatest(r.at, {_LAST_CONTACT.format('l.person_id')}) from lead l "
        "where l.id = r.lead_id)",
    ),
    people_sql=_LEAD_PERSON,
    requester_condition=f"r.lead_id in {_LEADS_OF_PEOPLE}",
    removal_statements=("delete from lead_basis where id = any(%(ids)s)",),
)

_DELIVERY_TOUCHES = "select {} from touch t where t.delivery_id = r.id"
_PROVES_CONSENT = (
    "exists (select from consent c where c.delivery_id = r.id and c.status = 'granted')"
)
_DELIVERY_LAST_USED_AT = f"""greatest(r.received_at,
    (select max({_LAST_CONTACT.format("t.person_id")}) from touch t where t.delivery_id = r.id),
    (select max(l.last_inquiry_at) from touch t join lead l on l.id = t.lead_id
      where t.delivery_id = r.id))"""
# Deliveries without a touch of their own go with the first one: repeats of the same bytes (within a
# month; no vendor repeats for longer) and all later messages of the conversation it started.
_DELIVERY_AND_REPEATS = """(select unnest(%(ids)s::uuid[])
    union all select d.id from delivery r join delivery d
        on d.source_id = r.source_id and d.body_sha256 = r.body_sha256 and d.state = 'duplicate'
       and d.received_at between r.received_at and r.received_at + interval '30 days'
     where r.id = any(%(ids)s)
    union all select (e.data->>'delivery')::uuid from touch t join event e
        on e.lead_id = t.lead_id and e.kind = 'capture.touch.amended'
       and e.data->>'touch' = t.id::text
     where t.delivery_id = any(%(ids)s))"""
DELIVERY = RecordSet(
    name="delivery",
    table="delivery",
    created_column="received_at",
    record_class=CONSENT_CLASS,
    condition="r.state <> 'received'",
    clocks_sql=f"(case when {_PROVES_CONSENT} "
    f"then {_clock_sql(CONSENT_CLASS, _DELIVERY_LAST_USED_AT)} "
    f"else {_clock_sql(LEAD_FILE_CLASS, _DELIVERY_LAST_USED_AT)} end)",
    people_sql=f"array({_DELIVERY_TOUCHES.format('t.person_id')})",
    requester_condition="""r.id in (select t.delivery_id from touch t
        where t.person_id = any(%(people)s)) and not exists (select from touch t
        where t.delivery_id = r.id and t.person_id <> all(%(people)s))""",
    removal_statements=(
        """delete from certificate where touch_id in
             (select id from touch where delivery_id = any(%(ids)s))""",
        """delete from form_certificate where touch_id in
             (select id from touch where delivery_id = any(%(ids)s))""",
        f"""update retrieval set path = 'not kept ' || id, query = '[]', body = '', problem = ''
             where delivery_id in {_DELIVERY_AND_REPEATS}""",
        f"update delivery_key set answer_body = '' where delivery_id in {_DELIVERY_AND_REPEATS}",
        f"""update delivery set query = '{{}}', headers = '{{}}', body = '', remote_addr = null,
                warnings = '{{}}', problem = '' where id in {_DELIVERY_AND_REPEATS}""",
    ),
    remains_condition="r.body <> '' or r.headers <> '{}' or r.query <> '{}'",
)
REVOCATION = RecordSet(
    name="revocation",
    table="revocation",
    created_column="at",
    record_class="revocation_event",
    clocks_sql=f"(case when r.ended_at is null then {_clock_sql(STOPS_CLASS, 'r.at')} "
    f"else {_clock_sql('revocation_event', 'r.ended_at')} end)",
    people_sql="array_remove(array[r.person_id], null)",
    requester_condition=_ROW_IS_OF_PERSON,
    removal_statements=("delete from revocation where id = any(%(ids)s)",),
)
UNMATCHED = RecordSet(
    name="unmatched text",
    table="unmatched_text",
    created_column="at",
    record_class=MESSAGES_CLASS,
    condition="r.message_id is null",
    clocks_sql=_clock_sql(MESSAGES_CLASS, "r.at"),
    people_sql="array(select p.person_id from phone p where p.e164 = r.from_address)",
    requester_condition="""r.from_address in
        (select p.e164 from phone p where p.person_id = any(%(people)s))""",
    removal_statements=("delete from unmatched_text where id = any(%(ids)s)",),
)
INTRODUCTION = RecordSet(
    name="introduction",
    table="introduction",
    created_column="at",
    record_class=PARTNERS_CLASS,
    clocks_sql=_clock_sql(PARTNERS_CLASS, "r.at"),
    people_sql="array(select t.person_id from touch t where t.delivery_id = r.delivery_id)",
    requester_condition="""r.delivery_id in
        (select t.delivery_id from touch t where t.person_id = any(%(people)s))""",
    removal_statements=("update introduction set name = '' where id = any(%(ids)s)",),
    remains_condition="r.name <> ''",
)
SPREADSHEET = RecordSet(
    name="spreadsheet",
    table="spreadsheet",
    created_column="uploaded_at",
    record_class=LEAD_FILE_CLASS,
    clocks_sql=_clock_sql(
        LEAD_FILE_CLASS,
        "case when r.state in ('done', 'dropped') then coalesce(r.ended_at, r.uploaded_at) end",
    ),
    people_sql="""array(select distinct t.person_id from imported_row i
        join touch t on t.delivery_id = i.delivery_id where i.spreadsheet_id = r.id)""",
    removal_statements=(
        "delete from past_entry where lead_id is null and sheet_id = any(%(ids)s)",
        "delete from spreadsheet_part where spreadsheet_id = any(%(ids)s)",
        """update spreadsheet set file_name = 'no longer kept', findings = '{}', remarks = '[]'
             where id = any(%(ids)s)""",
    ),
    remains_condition="""r.findings <> '{}'
        or exists (select from spreadsheet_part p where p.spreadsheet_id = r.id)""",
)
_LINKED_LEAD = "substring(r.link from '^/leads/([0-9a-f-]{36})/')::uuid"
NOTICE = RecordSet(
    name="notice",
    table="staff_notice",
    created_column="at",
    record_class=LEAD_FILE_CLASS,
    clocks_sql=_clock_sql(LEAD_FILE_CLASS, "r.at"),
    people_sql=f"array(select l.person_id from lead l where l.id = {_LINKED_LEAD})",
    requester_condition=f"{_LINKED_LEAD} in {_LEADS_OF_PEOPLE}",
    removal_statements=("delete from staff_notice where id = any(%(ids)s)",),
)
ACCESS_ENTRY = RecordSet(
    name="access",
    table="access_entry",
    created_column="at",
    record_class=ACCESS_CLASS,
    clocks_sql=_clock_sql(ACCESS_CLASS, "r.at"),
    people_sql=_LEAD_PERSON,
    removal_statements=("delete from access_entry where id = any(%(ids)s)",),
)
EXPORT = RecordSet(
    name="export",
    table="export_ask",
    created_column="requested_at",
    record_class=ACCESS_CLASS,
    clocks_sql=_clock_sql(ACCESS_CLASS, "r.requested_at"),
    people_sql="array[]::uuid[]",  # unknown: the people whose names were searched for
    removal_statements=("update export_ask set query = '' where id = any(%(ids)s)",),
    remains_condition="r.query <> ''",
)
REQUEST = RecordSet(
    name="request",
    table="privacy_request",
    created_column="entered_at",
    record_class="california_ccpa_requests",
    clocks_sql=_clock_sql("california_ccpa_requests", "r.answered_at"),
    people_sql="array_remove(array[r.person_id], null)",
    requester_condition=_ROW_IS_OF_PERSON,
    removal_statements=(
        """update privacy_request set address = '', identity = 'no longer kept', old_value = '',
                new_value = '', notified_recipients = '', refusal_reason = '', extension_reason = ''
             where id = any(%(ids)s)""",
    ),
    remains_condition="r.address <> '' or r.old_value <> '' or r.new_value <> ''",
)

# The name and the numbers stay as long as any record that refers to them.
_PERSON_LEADS = f"""from lead l
    where (l.person_id = r.id or l.co_borrower_id = r.id) and not {_LEAD_REMOVED.format("l.id")}"""
_HAS_APPLIED = f"""exists (select {_PERSON_LEADS} and (
    exists (select from loan o where o.lead_id = l.id)
    or exists (select from handoff h where h.lead_id = l.id)
    or exists (select from credit_clock c where c.lead_id = l.id)))"""
_PERSON_IDLE_SINCE = f"case when not exists (select {_PERSON_LEADS}) then r.created_at end"
_IS_NAMED_BY = "exists (select from {} n where n.person_id = r.id)"
_MERGED_PERSON_IDS = (
    "(select id from person where id = any(%(ids)s) or merged_into_id = any(%(ids)s))"
)
PERSON = RecordSet(
    name="person",
    table="person",
    created_column="created_at",
    record_class=LEAD_FILE_CLASS,
    condition="r.merged_into_id is null",
    clocks_sql=f"""({_clock_sql(LEAD_FILE_CLASS, _PERSON_IDLE_SINCE)}
        {_extra_clock_sql(_HAS_APPLIED, APPLICATION_CLASS, "null")}
        {_extra_clock_sql(_IS_NAMED_BY.format("consent"), CONSENT_CLASS, "null")}
        {_extra_clock_sql(_IS_NAMED_BY.format("message"), MESSAGES_CLASS, "null")}
        {_extra_clock_sql(_IS_NAMED_BY.format("verdict"), MESSAGES_CLASS, "null")}
        {_extra_clock_sql(_IS_NAMED_BY.format("contact_attempt"), CALLS_CLASS, "null")})""",
    people_sql="array[r.id]",
    requester_condition="r.id = any(%(people)s)",
    removal_statements=(
        f"""delete from likeness
             where older_id in {_MERGED_PERSON_IDS} or newer_id in {_MERGED_PERSON_IDS}""",
        f"""update person_merge set evidence = ''
             where survivor_id in {_MERGED_PERSON_IDS} or merged_id in {_MERGED_PERSON_IDS}""",
        f"update revocation set borrower_words = '' where person_id in {_MERGED_PERSON_IDS}",
        f"delete from release_member where person_id in {_MERGED_PERSON_IDS}",
        f"""update legal_hold h set address = 'no longer kept'
             where h.lifted_at is not null and h.address in
                   (select e164 from phone where person_id in {_MERGED_PERSON_IDS}
                     union select key from email where person_id in {_MERGED_PERSON_IDS})""",
        f"delete from phone where person_id in {_MERGED_PERSON_IDS}",
        f"delete from email where person_id in {_MERGED_PERSON_IDS}",
        f"""update person set first_name = '', middle_name = '', last_name = '', suffix = '',
                language = '', street = '', city = '', state = '', zip = '', name_key = '',
                home_key = '' where id in {_MERGED_PERSON_IDS}""",
    ),
    remains_condition="""r.first_name <> '' or r.last_name <> '' or r.street <> ''
        or exists (select from phone p where p.person_id = r.id)
        or exists (select from email e where e.person_id = r.id)""",
)

# The order of removal: dependent records first, the person last.
RECORD_SETS: tuple[RecordSet, ...] = (
    *(LEAD, MESSAGE, VERDICT, ATTEMPT, DELIVERY, CONSENT_SET, BASIS, REVOCATION, UNMATCHED),
    *(INTRODUCTION, SPREADSHEET, NOTICE, ACCESS_ENTRY, EXPORT, REQUEST, PERSON),
)
RECORD_SETS_BY_NAME = {record_set.name: record_set for record_set in RECORD_SETS}
