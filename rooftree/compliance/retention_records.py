"""The tables of consents, stops, verdicts and notices, for retention."""
# ruff: noqa: S608 (no user input)

from rooftree.db.record_sets import (
    ADS_CLASS,
    APPLICATION_CLASS,
    CONSENT_CLASS,
    ENDED_STOPS_CLASS,
    MESSAGES_CLASS,
    NUMBER_CHECKS_CLASS,
    PAY_CLASS,
    PROOF_CLASS,
    ROW_IS_OF_PERSON,
    ROW_PERSON,
    STOPS_CLASS,
    Clock,
    RecordSet,
    RecordSetPart,
    RoomRecords,
)

_LAST_ATTEMPT = "(select max(a.at) from contact_attempt a where a.person_id = {})"
_VERDICT = RecordSet(
    name="verdict",
    table="verdict",
    created_column="at",
    record_class=MESSAGES_CLASS,
    clocks=(Clock(record_class=MESSAGES_CLASS, starts_at="r.at"),),
    people_sql=ROW_PERSON,
    requester_condition=ROW_IS_OF_PERSON,
    removal_statements=("delete from verdict where id = any(%(ids)s)",),
)
_CONSENT = RecordSet(
    name="consent",
    table="consent",
    created_column="recorded_at",
    record_class=CONSENT_CLASS,
    clocks=(
        Clock(
            record_class=CONSENT_CLASS,
            starts_at="greatest(r.recorded_at, r.captured_at, "
            f"{_LAST_ATTEMPT.format('r.person_id')})",
        ),
    ),
    people_sql=ROW_PERSON,
    requester_condition=ROW_IS_OF_PERSON,
    removal_statements=("delete from consent where id = any(%(ids)s)",),
)
_BASIS = RecordSet(
    name="basis",
    table="lead_basis",
    created_column="at",
    record_class=CONSENT_CLASS,
    clocks=(
        Clock(
            record_class=CONSENT_CLASS,
            starts_at=f"(select greatest(r.at, {_LAST_ATTEMPT.format('l.person_id')}) from lead l "
            "where l.id = r.lead_id)",
        ),
    ),
    people_sql="array(select l.person_id from lead l where l.id = r.lead_id)",
    requester_condition="r.lead_id in "
    "(select l.id from lead l where l.person_id = any(%(people)s))",
    removal_statements=("delete from lead_basis where id = any(%(ids)s)",),
)
_REVOCATION = RecordSet(
    name="revocation",
    table="revocation",
    created_column="at",
    record_class=ENDED_STOPS_CLASS,
    clocks=(
        Clock(record_class=STOPS_CLASS, starts_at="r.at", condition="r.ended_at is null"),
        Clock(
            record_class=ENDED_STOPS_CLASS,
            starts_at="r.ended_at",
            condition="r.ended_at is not null",
        ),
    ),
    people_sql="array_remove(array[r.person_id], null)",
    requester_condition=ROW_IS_OF_PERSON,
    removal_statements=("delete from revocation where id = any(%(ids)s)",),
)

_NOTICE_CLOSED_AT = "(select max(c.closed_at) from credit_clock c where c.lead_id = r.id)"
_PARTS = (
    RecordSetPart(
        record_set="lead",
        clocks=(
            Clock(
                record_class=APPLICATION_CLASS,
                starts_at=_NOTICE_CLOSED_AT,
                condition=f"{_NOTICE_CLOSED_AT} is not null",
            ),
        ),
        pauses=(
            (
                APPLICATION_CLASS,
                "exists (select from credit_clock c "
                "where c.lead_id = r.id and c.closed_at is null)",
            ),
        ),
        removal_statements=(
            """update credit_clock set sentence = '', evidence = '[]', proof = '{}'
                 where lead_id = any(%(ids)s)""",
        ),
    ),
    RecordSetPart(
        record_set="person",
        pauses=(
            (CONSENT_CLASS, "exists (select from consent n where n.person_id = r.id)"),
            (MESSAGES_CLASS, "exists (select from verdict n where n.person_id = r.id)"),
        ),
        removal_statements=(
            """update revocation set borrower_words = '' where person_id in
                 (select id from person
                   where id = any(%(ids)s) or merged_into_id = any(%(ids)s))""",
        ),
    ),
)

RECORDS = RoomRecords(
    tables_by_class={
        APPLICATION_CLASS: ("credit_clock",),
        CONSENT_CLASS: ("consent", "lead_basis"),
        MESSAGES_CLASS: ("verdict",),
        STOPS_CLASS: ("revocation", "dnc_area", "dnc_block", "dnc_file", "dnc_folder_file"),
        NUMBER_CHECKS_CLASS: ("number_question",),
        PAY_CLASS: ("pay_plan",),
        ADS_CLASS: ("source_terms",),
        PROOF_CLASS: ("finding",),
    },
    tables_about_nobody=("rule_change", "number_service"),
    record_sets=(_VERDICT, _CONSENT, _BASIS, _REVOCATION),
    parts=_PARTS,
)
