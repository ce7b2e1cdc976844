"""People on file, by the million: loaded by SQL with triggers off, as a restore does.

Import it only inside `temp_installation.open_installation`.
"""

import json
from functools import partial

import psycopg
from django.db import connection, models
from lender_setup import CONSENT_WORDING, NOON, STATES

from rooftree.compliance.models import Consent
from rooftree.leads.models import Delivery, Email, Lead, Person, Phone, Source, Touch
from rooftree.management.database import owner_dsn
from rooftree.org.models import LoanOfficer
from rooftree.reporting.models import RollupDelta
from rooftree.reporting.rollups import fold_rollups
from rooftree.reporting.rollups.metric_definitions import MEASURE_SQL, ROLLUP_KEY
from rooftree.routing.models import Ownership

HISTORY_YEARS = 3  # people arrived evenly over this time
ACTIVE_LEADS_PER_OFFICER = 75  # open leads per officer; all others are archived

# One row per person, with the values shared by all tables; `lo` is the officer, from 1.
CREATE_PEOPLE_TABLE = """
create temporary table made on commit drop as
select n, 1 + n %% %(officers)s as lo, %(at)s::timestamptz - age as at,
       uuidv7(%(at)s::timestamptz - age - now()) as person, uuidv7(-age) as lead,
       uuidv7(-age) as delivery, uuidv7(-age) as touch, n > %(waiting)s as reached,
       (%(states)s::text[])[1 + n %% %(kinds)s] as state,
       '+1' || (array['415', '813', '512'])[1 + n %% 3]
            || lpad((2000000 + n)::text, 7, '0') as number,
       'onfile' || n || '@home.example' as mail
  from (select n, make_interval(secs => %(seconds)s * n::float8 / %(people)s) as age
          from generate_series(1, %(people)s) n) ages
"""
CONSENT_RECORD = json.dumps({"type": "written", "channels": ["call", "text"]})


def load_people(number: int, source: Source, *, are_owned: bool = True) -> None:
    """Load people, each with phone, email, delivery, touch, consent, lead and officer.

    Args:
        are_owned: False leaves the leads new and without an officer.
    """
    officers = LoanOfficer.objects.count()
    with psycopg.connect(owner_dsn()) as owner:
        owner.execute("set local session_replication_role = replica")
        owner.execute(
            CREATE_PEOPLE_TABLE,
            {
                "people": number,
                "waiting": min(number, ACTIVE_LEADS_PER_OFFICER * officers)
                if are_owned
                else number,
                "officers": officers,
                "at": NOON,
                "states": list(STATES),
                "kinds": len(STATES),
                "seconds": HISTORY_YEARS * 365 * 86_400,
            },
        )
        owner.execute(
            "create temporary table officers on commit drop as"
            " select id, branch_id, row_number() over (order by id) as lo from loan_officer"
        )
        of_source = f"'{source.pk}'::uuid"
        owner_columns = (
            ("officers.id", "officers.branch_id") if are_owned else ("null::uuid", "null::uuid")
        )
        load = partial(_insert_from_people, owner)
        load(Person, id="person", first_name="'Fn' || n", last_name="'Ln' || n",
              state="state", created_at="at")  # fmt: skip
        load(Phone, id="gen_random_uuid()", person_id="person", e164="number",
              is_primary="true", given_at="at")  # fmt: skip
        load(Email, id="gen_random_uuid()", person_id="person", address="mail", key="mail",
              is_primary="true", given_at="at")  # fmt: skip
        load(Delivery, id="delivery", source_id=of_source, received_at="at", path="'/in/form/-'",
              body="'{}'::bytea", body_sha256="md5(n::text)", verification="'origin'",
              state="'worked'", outcome="'accepted'", worked_at="at")  # fmt: skip
        load(Lead, id="lead", person_id="person", source_id=of_source, purpose="'purchase'",
              state="case when reached then 'retired' else 'new' end", amount_cents="41200000",
              property_state="state", officer_id=owner_columns[0], branch_id=owner_columns[1],
              score="(n % 100)::smallint", created_at="at", last_inquiry_at="at",
              first_attempt_at="case when reached then at + interval '9 minutes' end",
              first_conversation_at="case when reached then at + interval '1 hour' end",
              retired_at="case when reached then at + interval '20 days' end",
              )  # fmt: skip
        load(Touch, id="touch", lead_id="lead", person_id="person", source_id=of_source,
              delivery_id="delivery", vendor_lead_id="'old-' || n", is_first="true",
              inquiry="'{}'::jsonb", at="at")  # fmt: skip
        if are_owned:
            load(Ownership, id="gen_random_uuid()", lead_id="lead", officer_id="officers.id",
                  from_at="at")  # fmt: skip
        load(Consent, id="gen_random_uuid()", person_id="person", address="number",
              delivery_id="delivery", status="'granted'", channels="array['call', 'text']",
              record=f"'{CONSENT_RECORD}'::jsonb", wording=f"'{CONSENT_WORDING}'", recorded_at="at",
              idempotency_key="'old:' || n")  # fmt: skip


def load_rollups() -> None:
    """Add the loaded leads to the rollups of the first screen, in one statement."""
    names = ("leads", "attempted", "talked")
    of_leads = " union all ".join(MEASURE_SQL[name] for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into rollup_delta (id, idempotency_key, {ROLLUP_KEY}, amount)"  # noqa: S608
            f" select gen_random_uuid(), gen_random_uuid()::text, {ROLLUP_KEY}, sum(amount)"
            f" from ({of_leads}) truth group by {ROLLUP_KEY}"
        )
    while RollupDelta.objects.filter(folded_at=None).exists():
        fold_rollups.fold_deltas(at=NOON)


def vacuum_database() -> None:
    """Vacuum, analyze and checkpoint, so the planner knows the data and no writes are pending."""
    with psycopg.connect(owner_dsn(), autocommit=True) as owner:
        owner.execute("vacuum analyze")
        owner.execute("checkpoint")


def _insert_from_people(
    owner: psycopg.Connection, table: type[models.Model], **columns: str
) -> None:
    """Insert one row per row of `made`; columns without a value take their default."""
    for field in table._meta.concrete_fields:
        if field.column in columns or field.null or field.has_db_default():
            continue
        columns[field.column] = _default_sql(field)
    names = ", ".join(f'"{name}"' for name in columns)
    owner.execute(
        f"insert into {table._meta.db_table} ({names})"  # noqa: S608
        f" select {', '.join(columns.values())} from made join officers using (lo)"
    )


def _default_sql(field: models.Field) -> str:
    value = field.get_default()
    match value:
        case bool() | int():
            return str(value).lower()
        case dict():
            return "'{}'::jsonb"
        case list():
            return "'[]'::jsonb" if isinstance(field, models.JSONField) else "'{}'"
        case str():
            return f"'{value}'"
    return "''"
