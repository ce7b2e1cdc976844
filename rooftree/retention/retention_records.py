"""Retention's own tables, and what past removals mean for the removal of leads and people."""
# ruff: noqa: S608 (no user input)

from rooftree.db.record_sets import (
    APPLICATION_CLASS,
    LEAD_FILE_CLASS,
    PROOF_CLASS,
    REQUESTS_CLASS,
    ROW_IS_OF_PERSON,
    Clock,
    RecordSet,
    RecordSetPart,
    RoomRecords,
)

_REQUEST = RecordSet(
    name="request",
    table="privacy_request",
    created_column="entered_at",
    record_class=REQUESTS_CLASS,
    clocks=(Clock(record_class=REQUESTS_CLASS, starts_at="r.answered_at"),),
    people_sql="array_remove(array[r.person_id], null)",
    requester_condition=ROW_IS_OF_PERSON,
    removal_statements=(
        """update privacy_request set address = '', identity = 'no longer kept', old_value = '',
                new_value = '', notified_recipients = '', refusal_reason = '', extension_reason = ''
             where id = any(%(ids)s)""",
    ),
    remains_condition="r.address <> '' or r.old_value <> '' or r.new_value <> ''",
)

_LEAD_REMOVED = """exists (select from purge_row g
    where g.record_set = 'lead' and g.row_id = {} and g.removed_at is not null)"""
_PERSON_LEADS = f"""from lead l
    where (l.person_id = r.id or l.co_borrower_id = r.id) and not {_LEAD_REMOVED.format("l.id")}"""
_HAS_APPLIED = f"""exists (select {_PERSON_LEADS} and (
    exists (select from loan o where o.lead_id = l.id)
    or exists (select from handoff h where h.lead_id = l.id)
    or exists (select from credit_clock c where c.lead_id = l.id)))"""
_MERGED_PERSON_IDS = (
    "(select id from person where id = any(%(ids)s) or merged_into_id = any(%(ids)s))"
)
_PARTS = (
    RecordSetPart(
        record_set="lead",
        removal_statements=(
            f"""update person p set street = '', city = '', zip = '', home_key = ''
                 where p.id in (select person_id from lead where id = any(%(ids)s))
                   and not exists (select from lead o where o.person_id = p.id
                        and o.id <> all(%(ids)s) and not {_LEAD_REMOVED.format("o.id")})""",
        ),
    ),
    RecordSetPart(
        record_set="person",
        pauses=(
            (LEAD_FILE_CLASS, f"exists (select {_PERSON_LEADS})"),
            (APPLICATION_CLASS, _HAS_APPLIED),
        ),
        removal_statements=(
            f"""update legal_hold h set address = 'no longer kept'
                 where h.lifted_at is not null and h.address in
                       (select e164 from phone where person_id in {_MERGED_PERSON_IDS}
                         union select key from email where person_id in {_MERGED_PERSON_IDS})""",
        ),
    ),
)

RECORDS = RoomRecords(
    tables_by_class={
        REQUESTS_CLASS: ("privacy_request",),
        PROOF_CLASS: ("legal_hold", "purge", "purge_row"),
    },
    record_sets=(_REQUEST,),
    parts=_PARTS,
)
