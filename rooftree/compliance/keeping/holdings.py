"""What is removed together, when its clocks began, whose it is, and how it goes.

Data for `purges`, which asks the database with it. `r` is a row of the table; `%(ids)s` is
what goes, `%(people)s` who asks. What other tables must still add up (arrivals, money, loans)
stays as a row that says nothing of anybody.
"""
# ruff: noqa: S608 (nothing typed by anybody comes into these)

from rooftree.compliance.keeping.holding import Holding
from rooftree.compliance.keeping.tables import (
    ACCESS,
    APPLICATION,
    CALLS,
    CONSENT,
    LEAD_FILE,
    MESSAGES,
    PARTNERS,
    STOPS,
)


def _since(record: str, moment: str) -> str:
    """The day (UTC) of a moment, or null, under its class."""
    return f"jsonb_build_object('{record}', (({moment})::timestamptz at time zone 'utc')::date)"


def _also(condition: str, record: str, moment: str) -> str:
    return f"|| case when {condition} then {_since(record, moment)} else '{{}}' end"


_GONE = """exists (select from purge_row g
    where g.holding = 'lead' and g.row_id = {} and g.removed_at is not null)"""
_LAST_CONTACT = """greatest(
    (select max(a.at) from contact_attempt a where a.person_id = {0}),
    (select max(coalesce(m.sent_at, m.created_at)) from message m where m.person_id = {0}))"""
_PERSON = "array[r.person_id]"
_OF_PERSON = "r.person_id = any(%(people)s)"
_LEADS_PERSON = "array(select l.person_id from lead l where l.id = r.lead_id)"

# A file that neither closed nor ended has no day yet: it is kept.
_ANSWERED = """(select case when bool_and(l.funded_date is not null or l.ended_as <> '') then
      max(greatest(l.funded_date, l.application_date, l.created_at,
                   (select max(s.reached_at) from milestone s where s.loan_id = l.id))) end
    from loan l where l.lead_id = r.id)"""
_HANDED = "(select max(h.asked_at) from handoff h where h.lead_id = r.id)"
_CLOSED = "(select max(l.funded_date) from loan l where l.lead_id = r.id)"
_HAS_LOAN = "exists (select from loan l where l.lead_id = r.id)"
_NOTICED = "(select max(c.closed_at) from credit_clock c where c.lead_id = r.id)"
_OWED = "exists (select from credit_clock c where c.lead_id = r.id and c.closed_at is null)"
_NO_FILE = f"not {_HAS_LOAN} and {_HANDED} is null"
_USED_LAST = """case when
      exists (select from enrolment e where e.lead_id = r.id and e.ended_at is null)
      or exists (select from rate_watch w where w.lead_id = r.id and w.ended_at is null) then null
    else greatest(r.warmed_at, r.retired_at, r.snoozed_until,
                  (select max(a.at) from contact_attempt a where a.lead_id = r.id)) end"""

LEAD = Holding(
    name="lead",
    table="lead",
    made="created_at",
    record=LEAD_FILE,
    since=f"""({_since(LEAD_FILE, _USED_LAST)}
        {_also(_HAS_LOAN, APPLICATION, _ANSWERED)}
        {_also(f"not {_HAS_LOAN} and {_HANDED} is not null", APPLICATION, _HANDED)}
        {_also(f"{_NO_FILE} and {_NOTICED} is not null", APPLICATION, _NOTICED)}
        {_also(_OWED, APPLICATION, "null")}
        {_also(f"{_CLOSED} is not null", "loan_estimate_trid", _CLOSED)})""",
    people="array_remove(array[r.person_id, r.co_borrower_id], null)",
    theirs=_OF_PERSON,
    goes=(
        f"""update person p set street = '', city = '', zip = '', home_key = ''
             where p.id in (select person_id from lead where id = any(%(ids)s))
               and not exists (select from lead o where o.person_id = p.id
                                and o.id <> all(%(ids)s) and not {_GONE.format("o.id")})""",
        """update lead set co_borrower_id = null, amount_cents = null, value_cents = null,
                down_payment_cents = null, cash_out_cents = null, current_rate_pct = null,
                credit_band = '', timeline = '', property_street = '', property_city = '',
                property_zip = '', property_key = '', details = '{}', asked = '', score = null,
                score_reasons = '[]', snoozed_until = null, snoozed_because = '',
                promise_at = null, retired_at = coalesce(retired_at, %(at)s),
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
        """update enrolment set ended_at = %(at)s, due_at = null, ended_because = 'not kept'
             where lead_id = any(%(ids)s) and ended_at is null""",
        "update routing_decision set inputs = '{}' where lead_id = any(%(ids)s)",
        """update claim set evidence = '[]', sentence = '' where touch_id in
             (select id from touch where lead_id = any(%(ids)s))""",
        """update claim_step set note = '' where note <> '' and claim_id in
             (select id from claim where touch_id in
               (select id from touch where lead_id = any(%(ids)s)))""",
        """delete from los_event where los_loan_id in
             (select los_loan_id from loan where lead_id = any(%(ids)s))""",
        """update loan_change set record = '{}', wanted = '{}', "left" = '{}', problem = ''
             where handoff_id in (select id from handoff where lead_id = any(%(ids)s))""",
        "update handoff set record = '{}', problem = '' where lead_id = any(%(ids)s)",
        """update loan set loan_number = '', los_loan_id = 'not kept ' || id
             where lead_id = any(%(ids)s)""",
    ),
    remains="""r.details <> '{}' or r.asked <> '' or r.property_street <> ''
        or r.value_cents is not null or r.amount_cents is not null
        or exists (select from touch t where t.lead_id = r.id and t.inquiry <> '{}')
        or exists (select from remark k where k.lead_id = r.id)""",
)

MESSAGE = Holding(
    name="message",
    table="message",
    made="created_at",
    record=MESSAGES,
    since=_since(MESSAGES, "coalesce(r.sent_at, r.created_at)"),
    people=_PERSON,
    theirs=_OF_PERSON,
    goes=(
        "delete from message_review where message_id = any(%(ids)s)",
        "delete from unmatched_text where message_id = any(%(ids)s)",
        """delete from contact_attempt a using message m
             where m.id = any(%(ids)s) and a.lead_id = m.lead_id
               and a.cause = 'message:' || m.id""",
        """delete from verdict v using message m
             where m.id = any(%(ids)s) and v.lead_id = m.lead_id
               and (v.cause = 'message:' || m.id or v.id = m.verdict_id)""",
        """delete from release_member p using message m
             where m.id = any(%(ids)s) and p.release_id = m.release_id
               and p.person_id = m.person_id""",
        "delete from message where id = any(%(ids)s)",
    ),
)
VERDICT = Holding(
    name="verdict",
    table="verdict",
    made="at",
    record=MESSAGES,
    which="not exists (select from message m where m.lead_id = r.lead_id and "
    "(m.verdict_id = r.id or r.cause = 'message:' || m.id))",
    since=_since(MESSAGES, "r.at"),
    people=_PERSON,
    theirs=_OF_PERSON,
    goes=("delete from verdict where id = any(%(ids)s)",),
)
ATTEMPT = Holding(
    name="attempt",
    table="contact_attempt",
    made="at",
    record=CALLS,
    which="not exists (select from message m where m.lead_id = r.lead_id "
    "and r.cause = 'message:' || m.id)",
    since=_since(CALLS, "r.at"),
    people=_PERSON,
    theirs=_OF_PERSON,
    goes=(
        """update call_recording set attempt_id = null, erase_from = coalesce(erase_from, %(at)s),
                due_at = %(at)s where attempt_id = any(%(ids)s)""",
        "delete from contact_attempt where id = any(%(ids)s)",
    ),
)
CONSENTS = Holding(
    name="consent",
    table="consent",
    made="recorded_at",
    record=CONSENT,
    since=_since(
        CONSENT,
        f"greatest(r.recorded_at, r.captured_at, {_LAST_CONTACT.format('r.person_id')})",
    ),
    people=_PERSON,
    theirs=_OF_PERSON,
    goes=("delete from consent where id = any(%(ids)s)",),
)

BASIS = Holding(
    name="basis",
    table="lead_basis",
    made="at",
    record=CONSENT,
    since=_since(
        CONSENT,
        f"(select greatest(r.at, {_LAST_CONTACT.format('l.person_id')}) from lead l "
        "where l.id = r.lead_id)",
    ),
    people=_LEADS_PERSON,
    theirs="r.lead_id in (select l.id from lead l where l.person_id = any(%(people)s))",
    goes=("delete from lead_basis where id = any(%(ids)s)",),
)

_OF_DELIVERY = "select {} from touch t where t.delivery_id = r.id"
_PROVES = "exists (select from consent c where c.delivery_id = r.id and c.status = 'granted')"
_USED = f"""greatest(r.received_at,
    (select max({_LAST_CONTACT.format("t.person_id")}) from touch t where t.delivery_id = r.id),
    (select max(l.warmed_at) from touch t join lead l on l.id = t.lead_id
      where t.delivery_id = r.id))"""
# With a delivery goes what made no touch of its own: its bytes sent again (within a month:
# no vendor repeats for longer), and every later word of the conversation that it began.
_AND_SAME = """(select unnest(%(ids)s::uuid[])
    union all select d.id from delivery r join delivery d
        on d.source_id = r.source_id and d.body_sha256 = r.body_sha256 and d.state = 'duplicate'
       and d.received_at between r.received_at and r.received_at + interval '30 days'
     where r.id = any(%(ids)s)
    union all select (e.data->>'delivery')::uuid from touch t join event e
        on e.lead_id = t.lead_id and e.kind = 'capture.touch.amended'
       and e.data->>'touch' = t.id::text
     where t.delivery_id = any(%(ids)s))"""
DELIVERY = Holding(
    name="delivery",
    table="delivery",
    made="received_at",
    record=CONSENT,
    which="r.state <> 'received'",
    since=f"(case when {_PROVES} then {_since(CONSENT, _USED)} "
    f"else {_since(LEAD_FILE, _USED)} end)",
    people=f"array({_OF_DELIVERY.format('t.person_id')})",
    theirs="""r.id in (select t.delivery_id from touch t where t.person_id = any(%(people)s))
        and not exists (select from touch t where t.delivery_id = r.id
                         and t.person_id <> all(%(people)s))""",
    goes=(
        """delete from certificate where touch_id in
             (select id from touch where delivery_id = any(%(ids)s))""",
        """delete from form_certificate where touch_id in
             (select id from touch where delivery_id = any(%(ids)s))""",
        f"""update retrieval set path = 'not kept ' || id, query = '[]', body = '', problem = ''
             where delivery_id in {_AND_SAME}""",
        f"update delivery_key set answer_body = '' where delivery_id in {_AND_SAME}",
        f"""update delivery set query = '{{}}', headers = '{{}}', body = '', remote_addr = null,
                warnings = '{{}}', problem = '' where id in {_AND_SAME}""",
    ),
    remains="r.body <> '' or r.headers <> '{}' or r.query <> '{}'",
)
REVOCATION = Holding(
    name="revocation",
    table="revocation",
    made="at",
    record="revocation_event",
    since=f"(case when r.ended_at is null then {_since(STOPS, 'r.at')} "
    f"else {_since('revocation_event', 'r.ended_at')} end)",
    people="array_remove(array[r.person_id], null)",
    theirs=_OF_PERSON,
    goes=("delete from revocation where id = any(%(ids)s)",),
)
UNMATCHED = Holding(
    name="unmatched text",
    table="unmatched_text",
    made="at",
    record=MESSAGES,
    which="r.message_id is null",
    since=_since(MESSAGES, "r.at"),
    people="array(select p.person_id from phone p where p.e164 = r.from_address)",
    theirs="r.from_address in (select p.e164 from phone p where p.person_id = any(%(people)s))",
    goes=("delete from unmatched_text where id = any(%(ids)s)",),
)
INTRODUCTION = Holding(
    name="introduction",
    table="introduction",
    made="at",
    record=PARTNERS,
    since=_since(PARTNERS, "r.at"),
    people="array(select t.person_id from touch t where t.delivery_id = r.delivery_id)",
    theirs="""r.delivery_id in
        (select t.delivery_id from touch t where t.person_id = any(%(people)s))""",
    goes=("update introduction set name = '' where id = any(%(ids)s)",),
    remains="r.name <> ''",
)
SHEET = Holding(
    name="spreadsheet",
    table="spreadsheet",
    made="uploaded_at",
    record=LEAD_FILE,
    since=_since(
        LEAD_FILE,
        "case when r.state in ('done', 'dropped') then coalesce(r.ended_at, r.uploaded_at) end",
    ),
    people="""array(select distinct t.person_id from imported_row i
        join touch t on t.delivery_id = i.delivery_id where i.spreadsheet_id = r.id)""",
    goes=(
        "delete from past_entry where lead_id is null and sheet_id = any(%(ids)s)",
        "delete from spreadsheet_part where spreadsheet_id = any(%(ids)s)",
        """update spreadsheet set file_name = 'no longer kept', findings = '{}', remarks = '[]'
             where id = any(%(ids)s)""",
    ),
    remains="""r.findings <> '{}'
        or exists (select from spreadsheet_part p where p.spreadsheet_id = r.id)""",
)
_LINKED = "substring(r.link from '^/leads/([0-9a-f-]{36})/')::uuid"
NOTICE = Holding(
    name="notice",
    table="staff_notice",
    made="at",
    record=LEAD_FILE,
    since=_since(LEAD_FILE, "r.at"),
    people=f"array(select l.person_id from lead l where l.id = {_LINKED})",
    theirs=f"{_LINKED} in (select l.id from lead l where l.person_id = any(%(people)s))",
    goes=("delete from staff_notice where id = any(%(ids)s)",),
)
OPENING = Holding(
    name="access",
    table="access_entry",
    made="at",
    record=ACCESS,
    since=_since(ACCESS, "r.at"),
    people=_LEADS_PERSON,
    goes=("delete from access_entry where id = any(%(ids)s)",),
)
EXPORT = Holding(
    name="export",
    table="export_ask",
    made="asked_at",
    record=ACCESS,
    since=_since(ACCESS, "r.asked_at"),
    people="array[]::uuid[]",  # whose names were searched for is not known
    goes=("update export_ask set query = '' where id = any(%(ids)s)",),
    remains="r.query <> ''",
)
REQUEST = Holding(
    name="request",
    table="privacy_request",
    made="entered_at",
    record="california_ccpa_requests",
    since=_since("california_ccpa_requests", "r.answered_at"),
    people="array_remove(array[r.person_id], null)",
    theirs=_OF_PERSON,
    goes=(
        """update privacy_request set address = '', identity = 'no longer kept', was = '',
                became = '', told_onward = '', refused_because = '', extended_because = ''
             where id = any(%(ids)s)""",
    ),
    remains="r.address <> '' or r.was <> '' or r.became <> ''",
)

# The name and the numbers stay as long as anything that must name them.
_THEIR_LEADS = f"""from lead l
    where (l.person_id = r.id or l.co_borrower_id = r.id) and not {_GONE.format("l.id")}"""
_APPLIED = f"""exists (select {_THEIR_LEADS} and (
    exists (select from loan o where o.lead_id = l.id)
    or exists (select from handoff h where h.lead_id = l.id)
    or exists (select from credit_clock c where c.lead_id = l.id)))"""
_IDLE = f"case when not exists (select {_THEIR_LEADS}) then r.created_at end"
_NAMED_BY = "exists (select from {} n where n.person_id = r.id)"
_PARTS = "(select id from person where id = any(%(ids)s) or merged_into_id = any(%(ids)s))"
PERSON = Holding(
    name="person",
    table="person",
    made="created_at",
    record=LEAD_FILE,
    which="r.merged_into_id is null",
    since=f"""({_since(LEAD_FILE, _IDLE)}
        {_also(_APPLIED, APPLICATION, "null")}
        {_also(_NAMED_BY.format("consent"), CONSENT, "null")}
        {_also(_NAMED_BY.format("message"), MESSAGES, "null")}
        {_also(_NAMED_BY.format("verdict"), MESSAGES, "null")}
        {_also(_NAMED_BY.format("contact_attempt"), CALLS, "null")})""",
    people="array[r.id]",
    theirs="r.id = any(%(people)s)",
    goes=(
        f"delete from likeness where older_id in {_PARTS} or newer_id in {_PARTS}",
        f"""update person_merge set evidence = ''
             where kept_id in {_PARTS} or gone_id in {_PARTS}""",
        f"update revocation set words = '' where person_id in {_PARTS}",
        f"delete from release_member where person_id in {_PARTS}",
        f"""update legal_hold h set address = 'no longer kept'
             where h.lifted_at is not null and h.address in
                   (select e164 from phone where person_id in {_PARTS}
                     union select key from email where person_id in {_PARTS})""",
        f"delete from phone where person_id in {_PARTS}",
        f"delete from email where person_id in {_PARTS}",
        f"""update person set first_name = '', middle_name = '', last_name = '', suffix = '',
                language = '', street = '', city = '', state = '', zip = '', name_key = '',
                home_key = '' where id in {_PARTS}""",
    ),
    remains="""r.first_name <> '' or r.last_name <> '' or r.street <> ''
        or exists (select from phone p where p.person_id = r.id)
        or exists (select from email e where e.person_id = r.id)""",
)

# In the order they go: what hangs on others first, the person last.
HOLDINGS: tuple[Holding, ...] = (
    *(LEAD, MESSAGE, VERDICT, ATTEMPT, DELIVERY, CONSENTS, BASIS, REVOCATION, UNMATCHED),
    *(INTRODUCTION, SHEET, NOTICE, OPENING, EXPORT, REQUEST, PERSON),
)
NAMED = {one.name: one for one in HOLDINGS}
