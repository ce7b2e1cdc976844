"""Declare the triggers that guard tables of leads, and the hashes that find people."""

from rooftree.db.triggers import Function, RoomTriggers, append_only_trigger

# A ping carries these hashes instead of the person.
_PHONE_HASH = Function(
    name="phone_hash",
    sql="""
create or replace function phone_hash(e164 text) returns bytea
    language sql immutable strict parallel safe
    as $$ select sha256(convert_to(e164, 'UTF8')) $$
""",
)

_EMAIL_HASH = Function(
    name="email_hash",
    sql="""
create or replace function email_hash(address text) returns bytea
    language sql immutable strict parallel safe
    as $$ select sha256(convert_to(lower(address), 'UTF8')) $$
""",
)

TRIGGERS = RoomTriggers(
    triggers=(
        append_only_trigger("partner_permission"),
        append_only_trigger("thing_of_value"),
    ),
    functions=(
        _PHONE_HASH,
        _EMAIL_HASH,
    ),
)
