"""The tables of messages and calls, for retention."""
# ruff: noqa: S608 (no user input)

from rooftree.db.record_sets import (
    ADS_CLASS,
    CALLS_CLASS,
    LEAD_FILE_CLASS,
    MESSAGES_CLASS,
    ROW_IS_OF_PERSON,
    ROW_PERSON,
    Clock,
    RecordSet,
    RecordSetPart,
    RoomRecords,
)

_LAST_MESSAGE = """(select max(coalesce(m.sent_at, m.created_at)) from message m
    where m.person_id = {})"""
_MERGED_PERSON_IDS = (
    "(select id from person where id = any(%(ids)s) or merged_into_id = any(%(ids)s))"
)

_MESSAGE = RecordSet(
    name="message",
    table="message",
    created_column="created_at",
    record_class=MESSAGES_CLASS,
    clocks=(Clock(record_class=MESSAGES_CLASS, starts_at="coalesce(r.sent_at, r.created_at)"),),
    people_sql=ROW_PERSON,
    requester_condition=ROW_IS_OF_PERSON,
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
_UNMATCHED = RecordSet(
    name="unmatched text",
    table="unmatched_text",
    created_column="at",
    record_class=MESSAGES_CLASS,
    condition="r.message_id is null",
    clocks=(Clock(record_class=MESSAGES_CLASS, starts_at="r.at"),),
    people_sql="array(select p.person_id from phone p where p.e164 = r.from_address)",
    requester_condition="""r.from_address in
        (select p.e164 from phone p where p.person_id = any(%(people)s))""",
    removal_statements=("delete from unmatched_text where id = any(%(ids)s)",),
)

# Verdicts and attempts of a message go with the message; the others are records of their own.
_PARTS = (
    RecordSetPart(
        record_set="verdict",
        condition="not exists (select from message m where m.lead_id = r.lead_id and "
        "(m.verdict_id = r.id or r.idempotency_key = 'message:' || m.id))",
    ),
    RecordSetPart(
        record_set="attempt",
        condition="not exists (select from message m where m.lead_id = r.lead_id "
        "and r.idempotency_key = 'message:' || m.id)",
        removal_statements=(
            """update call_recording set attempt_id = null,
                    erase_from = coalesce(erase_from, %(at)s), due_at = %(at)s
                 where attempt_id = any(%(ids)s)""",
        ),
    ),
    RecordSetPart(
        record_set="lead",
        removal_statements=(
            "delete from limit_override where lead_id = any(%(ids)s)",
            "delete from message_draft where lead_id = any(%(ids)s)",
        ),
    ),
    RecordSetPart(record_set="consent", last_uses=(_LAST_MESSAGE.format("r.person_id"),)),
    RecordSetPart(
        record_set="basis",
        last_uses=(
            _LAST_MESSAGE.format("(select l.person_id from lead l where l.id = r.lead_id)"),
        ),
    ),
    RecordSetPart(
        record_set="delivery",
        last_uses=(
            f"(select max({_LAST_MESSAGE.format('t.person_id')}) from touch t "
            "where t.delivery_id = r.id)",
        ),
    ),
    RecordSetPart(
        record_set="person",
        pauses=((MESSAGES_CLASS, "exists (select from message n where n.person_id = r.id)"),),
        removal_statements=(f"delete from release_member where person_id in {_MERGED_PERSON_IDS}",),
    ),
)

RECORDS = RoomRecords(
    tables_by_class={
        LEAD_FILE_CLASS: ("ring", "message_draft"),
        CALLS_CLASS: ("call_recording",),
        MESSAGES_CLASS: (
            *("message", "message_review", "unmatched_text"),
            *("release", "release_member", "limit_override"),
        ),
        ADS_CLASS: ("template", "snippet"),
    },
    record_sets=(_MESSAGE, _UNMATCHED),
    parts=_PARTS,
)
