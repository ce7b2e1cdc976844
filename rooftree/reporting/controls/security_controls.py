"""What keeps people's data safe here, each control with what our own records say of it.

Every control names the criteria of SOC 2 (Trust Services Criteria of 2017) and the section of
the Safeguards Rule (16 CFR 314) it serves. It is computed from rows, never typed in: what a
program cannot see is asked of people, and counts only once they wrote it down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Q

from rooftree.db.sealed_text import SealedTextField
from rooftree.ledger.models import Event
from rooftree.money.company_day import company_day
from rooftree.org import second_factor
from rooftree.org.access_log import AccessKind
from rooftree.org.models import ROLES, AccessEntry, ApiKey, StaffSession, User
from rooftree.reporting.controls import (
    assurance_records,
    database_account,
    ledger_changes,
    security_incidents,
)
from rooftree.reporting.evidence import ledger_checkpoints
from rooftree.reporting.models import Assurance, Incident

IDLE_AFTER = timedelta(days=90)  # house: access that nobody used for this long is looked at
MAX_BACKUP_AGE = timedelta(hours=26)  # a day, and two hours for the backup itself
APPEND_ONLY_TABLES = ("event", "access_entry", "published_head", "assurance")
REFUSED_ACCESS_KINDS = (
    AccessKind.FAILED,
    AccessKind.TOO_OFTEN,
    AccessKind.CODE_FAILED,
    AccessKind.KEY_REFUSED,
)
type Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlScope:
    """What is looked at: a period, and what only the machine around us knows."""

    since: datetime
    at: datetime
    last_backup: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control: whether it works, in a sentence, and the rows that show it."""

    title: str
    cite: str
    criteria: str
    is_effective: bool | None  # None: for the record, there is nothing to judge
    sentence: str
    rows: Sequence[Row] = ()  # what an examiner may want to see, oldest first
    action_url_name: str = ""  # the name of the address where somebody does something about it


def check_controls(asked: ControlScope) -> list[Control]:
    """All of them, in the order in which an examiner asks."""
    return [
        *(control_check(asked) for control_check in CONTROL_CHECKS),
        *_assurance_controls(asked),
    ]


def _check_second_factors(asked: ControlScope) -> Control:
    staff = assurance_records.users_to_review()
    without = second_factor.users_without_factor(staff)
    came = AccessEntry.objects.filter(kind=AccessKind.SIGNED_IN, at__range=(asked.since, asked.at))
    bare = came.filter(factor="").count()
    said = (
        f"{len(staff) - len(without)} of {len(staff)} people have a second factor; "
        f"{bare} of {came.count()} sign-ins went without one."
    )
    if not settings.SECOND_FACTOR_REQUIRED:
        said += " It is not demanded here, as this is a demo."
    return Control(
        title="A second factor guards every account",
        cite="16 CFR 314.4(c)(5)", criteria="CC6.1",
        is_effective=settings.SECOND_FACTOR_REQUIRED and not bare, sentence=said,
        rows=[{"person": one.name, "role": one.role_label, "second_factor": "none"}
              for one in without],
    )  # fmt: skip


def _check_least_privilege(asked: ControlScope) -> Control:
    staff = assurance_records.users_to_review()
    seen = dict(
        AccessEntry.objects.filter(kind=AccessKind.SIGNED_IN, user__in=staff)
        .order_by("user", "-at").distinct("user").values_list("user", "at")
    )  # fmt: skip
    idle = [one for one in staff if asked.at - (seen.get(one.pk) or one.joined_at) > IDLE_AFTER]
    counted = {label: sum(one.role == role for one in staff) for role, label in ROLES.items()}
    roles = ", ".join(f"{label.lower()} {count}" for label, count in counted.items() if count)
    return Control(
        title="People have the access of their role, and use it",
        cite="16 CFR 314.4(c)(1)", criteria="CC6.1, CC6.3",
        is_effective=not idle,
        sentence=f"{len(staff)} people: {roles}. {len(idle)} did not sign in for 90 days.",
        rows=[
            {
                "person": one.name, "role": one.role_label,
                "sees": one.branch.name if one.branch else "whole company",
                "last_in": seen[one.pk].isoformat() if one.pk in seen else "never",
            }
            for one in staff
        ],
        action_url_name="setup_people" if idle else "",
    )  # fmt: skip


def _check_leavers(asked: ControlScope) -> Control:
    left = User.objects.filter(is_active=False)
    inside = StaffSession.objects.filter(user_id__in=left.values("pk"), expire_date__gt=asked.at)
    keys = ApiKey.objects.filter(user__in=left, revoked_at=None, expires_at__gt=asked.at)
    gone = Event.objects.filter(
        kind="org.user.left", occurred_at__range=(asked.since, asked.at)
    ).count()
    still = inside.count() + keys.count()
    return Control(
        title="Who leaves is out at once",
        cite="16 CFR 314.4(c)(1)(i)", criteria="CC6.2, CC6.3",
        is_effective=not still,
        sentence=f"{gone} left in this time; {still} sessions and keys of theirs are alive.",
    )  # fmt: skip


def _check_api_keys(asked: ControlScope) -> Control:
    rows = list(
        ApiKey.objects.filter(revoked_at=None, expires_at__gt=asked.at).select_related("user")
    )
    idle = [row for row in rows if asked.at - (row.last_used_at or row.created_at) > IDLE_AFTER]
    return Control(
        title="Machines have keys of their own, which end",
        cite="16 CFR 314.4(c)(1)", criteria="CC6.1",
        is_effective=not idle,
        sentence=f"{len(rows)} keys are in use; {len(idle)} were not used for 90 days.",
        rows=[
            {
                "key": row.name, "acts_as": row.user.name, "may": ", ".join(row.scopes),
                "until": row.expires_at.isoformat(),
            }
            for row in rows
        ],
        action_url_name="api_keys" if idle else "",
    )  # fmt: skip


def _check_rights_changes(asked: ControlScope) -> Control:
    rows = ledger_changes.list_changes(
        ledger_changes.RIGHTS_EVENTS, since=asked.since, until=asked.at
    )
    return Control(
        title="Each change of somebody’s rights names who made it",
        cite="16 CFR 314.4(c)(1), (c)(7)",
        criteria="CC6.2, CC6.3",
        is_effective=None,
        sentence=f"{len(rows)} changes in this time, each on the ledger with its author.",
        rows=rows,
    )


def _check_rule_changes(asked: ControlScope) -> Control:
    rows = ledger_changes.list_changes(
        ledger_changes.RULE_EVENTS, since=asked.since, until=asked.at
    )
    return Control(
        title="Each change of a rule, wording or source names who made it",
        cite="16 CFR 314.4(c)(7)",
        criteria="CC8.1",
        is_effective=None,
        sentence=f"{len(rows)} changes in this time, each an edition that stays readable.",
        rows=rows,
    )


def _check_stored_secrets(asked: ControlScope) -> Control:
    rows = [_count_sealed_values(field) for field in _sealed_columns()]
    held, clear = sum(row["values"] for row in rows), sum(row["in_the_clear"] for row in rows)
    return Control(
        title="Secrets are encrypted where they are stored",
        cite="16 CFR 314.4(c)(3)", criteria="CC6.1",
        is_effective=not clear,
        sentence=f"{held} values in {len(rows)} columns, {clear} of them in the clear; the keys "
        "are not in the database. Numbers of social security and cards are masked before "
        "anything is stored. Whole disks are for people to see to (below).",
        rows=rows,
    )  # fmt: skip


def _sealed_columns() -> list[SealedTextField]:
    return [
        field
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, SealedTextField)
    ]


def _count_sealed_values(field: SealedTextField) -> Row:
    """How many values a column holds, and how many of them are no ciphertext (Fernet's)."""
    table, column = field.model._meta.db_table, field.column
    held, clear = _run_query(
        f'select count(*), count(*) filter (where "{column}" not like %s) '  # noqa: S608
        f'from "{table}" where "{column}" <> \'\'', "gAAAA%", whole=True,
    )[0]  # fmt: skip
    return {"column": f"{table}.{column}", "values": held, "in_the_clear": clear}


def _check_transit_encryption(asked: ControlScope) -> Control:
    is_local, is_tls = _run_query(
        "select inet_server_addr() is null or inet_server_addr() <<= '127.0.0.0/8'::inet, "
        "coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false)",
        whole=True,
    )[0]
    pages = settings.PUBLIC_URL.startswith("https://")
    mail = settings.MAILERS["default"].get("OPTIONS", {}).get("use_tls", True)
    parts = {
        "pages": "https" if pages else "http",
        "database": "on this machine" if is_local else "TLS" if is_tls else "in the clear",
        "mail": "TLS" if mail else "in the clear",
    }
    return Control(
        title="What travels is encrypted",
        cite="16 CFR 314.4(c)(3)", criteria="CC6.7",
        is_effective=pages and mail and (is_local or is_tls),
        sentence="; ".join(f"{name}: {how}" for name, how in parts.items()) + ".",
    )  # fmt: skip


def _check_logging(asked: ControlScope) -> Control:
    guarded = _run_query(
        "select distinct c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid "
        "where not t.tgisinternal and t.tgenabled <> 'D' and c.relname = any(%s)",
        list(APPEND_ONLY_TABLES),
    )
    entries = AccessEntry.objects.filter(at__range=(asked.since, asked.at)).count()
    newest = ledger_checkpoints.newest_head()
    wrong = (
        list(ledger_checkpoints.find_problems([ledger_checkpoints.export_head(newest)]))
        if newest
        else []
    )
    bare = sorted(set(APPEND_ONLY_TABLES) - set(guarded))
    return Control(
        title="What people do is logged, and the log cannot be changed",
        cite="16 CFR 314.4(c)(8)", criteria="CC7.2, CC7.3",
        is_effective=not bare and not wrong and newest is not None,
        sentence=f"{entries} entries of access in this time. "
        + (f"Not guarded by the database: {', '.join(bare)}. " if bare else
           "The database refuses to change or delete any. ")
        + (f"The ledger’s newest signed head is entry {newest.sequence}." if newest else
           "No head of the ledger is signed yet."),
        action_url_name="compliance_ledger" if wrong or not newest else "",
    )  # fmt: skip


def _check_database_account(asked: ControlScope) -> Control:
    found = database_account.current_account()
    return Control(
        title="What runs may not change what was written down",
        cite="16 CFR 314.4(c)(1), (c)(8)", criteria="CC6.1, CC6.3",
        is_effective=found.is_separate,
        sentence=found.sentence,
    )  # fmt: skip


def _check_refused_access(asked: ControlScope) -> Control:
    rows = AccessEntry.objects.filter(
        kind__in=REFUSED_ACCESS_KINDS, at__range=(asked.since, asked.at)
    )
    stopped = rows.filter(kind=AccessKind.TOO_OFTEN).count()
    return Control(
        title="Guessing is stopped",
        cite="16 CFR 314.4(c)(8)", criteria="CC6.6, CC7.2",
        is_effective=None,
        sentence=f"{rows.count()} tries were turned away, {stopped} of them because there were "
        "too many from one place or for one account.",
    )  # fmt: skip


def _check_exports(asked: ControlScope) -> Control:
    rows = AccessEntry.objects.filter(kind=AccessKind.EXPORTED, at__range=(asked.since, asked.at))
    bare = rows.filter(reason="").count()
    listed = rows.order_by("at").values("at", "user__name", "subject", "number", "reason")
    return Control(
        title="Who takes data out says why",
        cite="16 CFR 314.4(c)(1), (c)(8)", criteria="CC6.7",
        is_effective=not bare,
        sentence=f"{rows.count()} exports in this time, {bare} without a reason.",
        rows=[
            {
                "at": row["at"].isoformat(), "person": row["user__name"],
                "what": row["subject"], "rows": row["number"], "why": row["reason"],
            }
            for row in listed
        ],
    )  # fmt: skip


def _check_backups(asked: ControlScope) -> Control:
    age = asked.at - asked.last_backup if asked.last_backup else None
    return Control(
        title="There is a backup of today",
        cite="16 CFR 314.4(c)", criteria="A1.2",
        is_effective=age is not None and age < MAX_BACKUP_AGE,
        sentence=f"The last one is {age.total_seconds() / 3600:.0f} hours old."
        if age is not None
        else "None was made yet.",
    )  # fmt: skip


def _check_incidents(asked: ControlScope) -> Control:
    rows = list(
        Incident.objects.filter(
            Q(closed_at=None) | Q(opened_at__range=(asked.since, asked.at))
        ).order_by("opened_at")
    )
    today = company_day(asked.at)
    late = [row for row in rows if (due := security_incidents.ftc_deadline(row)) and due < today]
    opened = sum(row.closed_at is None for row in rows)
    return Control(
        title="Incidents are written down, and told in time",
        cite="16 CFR 314.4(h), (j)", criteria="CC7.3, CC7.4, CC7.5",
        is_effective=not late,
        sentence=f"{len(rows)} incidents, {opened} of them open; {len(late)} should have been "
        "told to the FTC by now.",
        rows=[
            {
                "discovered": row.discovered_on.isoformat(), "what": row.what,
                "consumers": row.consumers,
                "told_ftc": row.told_ftc_on.isoformat() if row.told_ftc_on else "",
                "ended": row.ended,
            }
            for row in rows
        ],
    )  # fmt: skip


CONTROL_CHECKS: tuple[Callable[[ControlScope], Control], ...] = (
    _check_second_factors,
    _check_least_privilege,
    _check_leavers,
    _check_api_keys,
    _check_rights_changes,
    _check_rule_changes,
    _check_stored_secrets,
    _check_transit_encryption,
    _check_logging,
    _check_database_account,
    _check_refused_access,
    _check_exports,
    _check_backups,
    _check_incidents,
)


def _assurance_controls(asked: ControlScope) -> list[Control]:
    """What people wrote down that they did, and when it is due again."""
    last = assurance_records.latest_by_kind()
    return [_assurance_control(key, last.get(key), asked) for key in assurance_records.KINDS]


def _assurance_control(key: str, last: Assurance | None, asked: ControlScope) -> Control:
    kind, due = assurance_records.KINDS[key], assurance_records.next_due_date(key, last)
    said = "Nobody has written down that it was done."
    if last is not None:
        where = f" ({last.document})" if last.document else ""
        said = (
            f"Last on {last.on_date:%b %d, %Y}, by {last.by.name}: {last.said}{where} "
            f"Due again by {due:%b %d, %Y}{'' if kind.is_law else ' (house)'}."
        )
    return Control(
        title=kind.title, cite=kind.cite, criteria=kind.criteria,
        is_effective=due is not None and due >= company_day(asked.at), sentence=said,
        action_url_name="access_review" if key == assurance_records.ACCESS_REVIEW else "assurances",
    )  # fmt: skip


def _run_query(text: str, *given: Any, whole: bool = False) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(text, given or None)
        rows = cursor.fetchall()
    return rows if whole else [row[0] for row in rows]
