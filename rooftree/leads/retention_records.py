"""The tables of people and leads, for retention, and how staff records that name leads go."""
# ruff: noqa: S608 (no user input)

from rooftree.db.record_sets import (
    ACCESS_CLASS,
    APPLICATION_CLASS,
    CALLS_CLASS,
    CONSENT_CLASS,
    LEAD_FILE_CLASS,
    LOAN_ESTIMATE_CLASS,
    PARTNERS_CLASS,
    ROW_IS_OF_PERSON,
    ROW_PERSON,
    STAFF_CLASS,
    Clock,
    RecordSet,
    RoomRecords,
)

_LEADS_OF_PEOPLE = "(select l.id from lead l where l.person_id = any(%(people)s))"
# An application that neither closed nor ended has no start day yet and is kept.
_APPLICATION_ANSWERED_AT = """(select case
      when bool_and(l.funded_date is not null or l.final_outcome <> '') then max(greatest(
           l.funded_date, l.application_date, l.created_at,
           (select max(s.reached_at) from milestone s where s.loan_id = l.id))) end
    from loan l where l.lead_id = r.id)"""
_LOAN_CLOSED_AT = "(select max(l.funded_date) from loan l where l.lead_id = r.id)"
_LEAD_LAST_USED_AT = """greatest(r.last_inquiry_at, r.retired_at, r.snoozed_until,
    (select max(a.at) from contact_attempt a where a.lead_id = r.id))"""

_LEAD = RecordSet(
    name="lead",
    table="lead",
    created_column="created_at",
    record_class=LEAD_FILE_CLASS,
    clocks=(
        Clock(record_class=LEAD_FILE_CLASS, starts_at=_LEAD_LAST_USED_AT),
        Clock(
            record_class=APPLICATION_CLASS,
            starts_at=_APPLICATION_ANSWERED_AT,
            condition="exists (select from loan l where l.lead_id = r.id)",
        ),
        Clock(
            record_class=LOAN_ESTIMATE_CLASS,
            starts_at=_LOAN_CLOSED_AT,
            condition=f"{_LOAN_CLOSED_AT} is not null",
        ),
    ),
    people_sql="array_remove(array[r.person_id, r.co_borrower_id], null)",
    requester_condition=ROW_IS_OF_PERSON,
    removal_statements=(
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
        "delete from remark where lead_id = any(%(ids)s)",
        "delete from lead_edit where lead_id = any(%(ids)s)",
        "delete from signal where lead_id = any(%(ids)s)",
        "delete from undoable_act where lead_id = any(%(ids)s)",
        "delete from task where lead_id = any(%(ids)s)",
        "delete from lead_tag where lead_id = any(%(ids)s)",
        """update loan set loan_number = '', los_loan_id = 'not kept ' || id
             where lead_id = any(%(ids)s)""",
    ),
    remains_condition="""r.details <> '{}' or r.borrower_message <> '' or r.property_street <> ''
        or r.value_cents is not null or r.amount_cents is not null
        or exists (select from touch t where t.lead_id = r.id and t.inquiry <> '{}')
        or exists (select from remark k where k.lead_id = r.id)
        or exists (select from lead_edit e where e.lead_id = r.id)""",
)
_ATTEMPT = RecordSet(
    name="attempt",
    table="contact_attempt",
    created_column="at",
    record_class=CALLS_CLASS,
    clocks=(Clock(record_class=CALLS_CLASS, starts_at="r.at"),),
    people_sql=ROW_PERSON,
    requester_condition=ROW_IS_OF_PERSON,
    removal_statements=("delete from contact_attempt where id = any(%(ids)s)",),
)
_INTRODUCTION = RecordSet(
    name="introduction",
    table="introduction",
    created_column="at",
    record_class=PARTNERS_CLASS,
    clocks=(Clock(record_class=PARTNERS_CLASS, starts_at="r.at"),),
    people_sql="array(select t.person_id from touch t where t.delivery_id = r.delivery_id)",
    requester_condition="""r.delivery_id in
        (select t.delivery_id from touch t where t.person_id = any(%(people)s))""",
    removal_statements=("update introduction set name = '' where id = any(%(ids)s)",),
    remains_condition="r.name <> ''",
)
_LINKED_LEAD = "substring(r.link from '^/leads/([0-9a-f-]{36})/')::uuid"
_NOTICE = RecordSet(
    name="notice",
    table="staff_notice",
    created_column="at",
    record_class=LEAD_FILE_CLASS,
    clocks=(Clock(record_class=LEAD_FILE_CLASS, starts_at="r.at"),),
    people_sql=f"array(select l.person_id from lead l where l.id = {_LINKED_LEAD})",
    requester_condition=f"{_LINKED_LEAD} in {_LEADS_OF_PEOPLE}",
    removal_statements=("delete from staff_notice where id = any(%(ids)s)",),
)
_ACCESS_ENTRY = RecordSet(
    name="access",
    table="access_entry",
    created_column="at",
    record_class=ACCESS_CLASS,
    clocks=(Clock(record_class=ACCESS_CLASS, starts_at="r.at"),),
    people_sql="array(select l.person_id from lead l where l.id = r.lead_id)",
    removal_statements=("delete from access_entry where id = any(%(ids)s)",),
)

# The name and the numbers stay as long as any record that refers to them.
_MERGED_PERSON_IDS = (
    "(select id from person where id = any(%(ids)s) or merged_into_id = any(%(ids)s))"
)
_PERSON = RecordSet(
    name="person",
    table="person",
    created_column="created_at",
    record_class=LEAD_FILE_CLASS,
    condition="r.merged_into_id is null",
    clocks=(
        Clock(record_class=LEAD_FILE_CLASS, starts_at="r.created_at"),
        Clock(
            record_class=CALLS_CLASS,
            starts_at="null",
            condition="exists (select from contact_attempt n where n.person_id = r.id)",
        ),
    ),
    people_sql="array[r.id]",
    requester_condition="r.id = any(%(people)s)",
    removal_statements=(
        f"""delete from possible_duplicate
             where older_id in {_MERGED_PERSON_IDS} or newer_id in {_MERGED_PERSON_IDS}""",
        f"""update person_merge set evidence = ''
             where survivor_id in {_MERGED_PERSON_IDS} or merged_id in {_MERGED_PERSON_IDS}""",
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

RECORDS = RoomRecords(
    tables_by_class={
        LEAD_FILE_CLASS: (
            *("lead", "touch", "person", "phone", "email", "person_merge", "possible_duplicate"),
            *("lead_edit", "remark", "signal", "task", "lead_tag", "undoable_act"),
            "shadow_lead",
        ),
        APPLICATION_CLASS: ("loan", "milestone"),
        CONSENT_CLASS: ("delivery", "delivery_key"),
        CALLS_CLASS: ("contact_attempt",),
        PARTNERS_CLASS: (
            *("partner", "introduction", "partner_permission"),
            *("thing_of_value", "agreement"),
        ),
        STAFF_CLASS: ("calendar_feed",),
    },
    tables_about_nobody=("source", "campaign", "rejection_count", "rate_limit_count"),
    record_sets=(_LEAD, _ATTEMPT, _INTRODUCTION, _NOTICE, _ACCESS_ENTRY, _PERSON),
)
