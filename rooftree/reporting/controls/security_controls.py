"""Security controls, each checked against the records of this installation.

Every control names its SOC 2 criteria (Trust Services Criteria of 2017) and the section of the
Safeguards Rule (16 CFR 314) it serves. Controls are computed from rows, never typed in. Work
outside the program counts only after staff have recorded it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Q

from rooftree.db.sealed_text import SealedTextField
from rooftree.db.statements import query_rows
from rooftree.ledger.models import Event
from rooftree.money.company_day import company_day
from rooftree.org import second_factor
from rooftree.org.access_log import AccessKind
from rooftree.org.mail_server import active_mail_server
from rooftree.org.models import ROLES, AccessEntry, ApiKey, StaffSession, User
from rooftree.reporting.controls import (
    assurance_records,
    database_account,
    ledger_changes,
    security_incidents,
)
from rooftree.reporting.evidence import ledger_checkpoints
from rooftree.reporting.models import Assurance, Incident

IDLE_AFTER = timedelta(days=90)  # house: review access unused for this long
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
    """The period to check, and the time of the last backup; None if there was none."""

    since: datetime
    at: datetime
    last_backup: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control: its result, a sentence that explains it, and the rows behind it."""

    title: str
    cite: str
    criteria: str
    is_effective: bool | None  # None: for information, not judged
    sentence: str
    rows: Sequence[Row] = ()  # for the examiner, oldest first
    action_url_name: str = ""  # URL name of the page that resolves it


def check_controls(scope: ControlScope) -> list[Control]:
    """Check every control, in the order in which an examiner asks."""
    last = assurance_records.latest_by_kind()
    return [
        *(check(scope) for check in CONTROL_CHECKS),
        *(_assurance_control(key, last.get(key), scope) for key in assurance_records.KINDS),
    ]


def _check_second_factors(scope: ControlScope) -> Control:
    staff = assurance_records.users_to_review()
    without = second_factor.users_without_factor(staff)
    logins = AccessEntry.objects.filter(
        kind=AccessKind.SIGNED_IN, at__range=(scope.since, scope.at)
    )
    single_factor = logins.filter(factor="").count()
    sentence = (
        f"{len(staff) - len(without)} of {len(staff)} users have a second factor; "
        f"{single_factor} of {logins.count()} sign-ins went without one."
    )
    if not settings.SECOND_FACTOR_REQUIRED:
        sentence += " This demo doesn’t require one."
    return Control(
        title="Every account has a second factor",
        cite="16 CFR 314.4(c)(5)", criteria="CC6.1",
        is_effective=settings.SECOND_FACTOR_REQUIRED and not single_factor,
        sentence=sentence,
        rows=[{"person": user.name, "role": user.role_label, "second_factor": "none"}
              for user in without],
    )  # fmt: skip


def _check_least_privilege(scope: ControlScope) -> Control:
    staff = assurance_records.users_to_review()
    last_logins = dict(
        AccessEntry.objects.filter(kind=AccessKind.SIGNED_IN, user__in=staff)
        .order_by("user", "-at").distinct("user").values_list("user", "at")
    )  # fmt: skip
    idle = [
        user
        for user in staff
        if scope.at - (last_logins.get(user.pk) or user.joined_at) > IDLE_AFTER
    ]
    counts = {label: sum(user.has_role(role) for user in staff) for role, label in ROLES.items()}
    roles = ", ".join(f"{label.lower()} {count}" for label, count in counts.items() if count)
    return Control(
        title="Users have the access of their role and use it",
        cite="16 CFR 314.4(c)(1)", criteria="CC6.1, CC6.3",
        is_effective=not idle,
        sentence=f"{len(staff)} users: {roles}. {len(idle)} haven’t signed in for 90 days.",
        rows=[
            {
                "person": user.name, "role": user.role_label,
                "sees": user.branch.name if user.branch else "whole company",
                "last_in": last_logins[user.pk].isoformat() if user.pk in last_logins else "never",
            }
            for user in staff
        ],
        action_url_name="setup_people" if idle else "",
    )  # fmt: skip


def _check_former_staff(scope: ControlScope) -> Control:
    former = User.objects.filter(is_active=False)
    sessions = StaffSession.objects.filter(
        user_id__in=former.values("pk"), expire_date__gt=scope.at
    )
    keys = ApiKey.objects.filter(user__in=former, revoked_at=None, expires_at__gt=scope.at)
    departures = Event.objects.filter(
        kind="org.user.left", occurred_at__range=(scope.since, scope.at)
    ).count()
    live = sessions.count() + keys.count()
    return Control(
        title="Former staff lose access immediately",
        cite="16 CFR 314.4(c)(1)(i)", criteria="CC6.2, CC6.3",
        is_effective=not live,
        sentence=f"{departures} left in this period. Live sessions and keys they have: {live}.",
    )  # fmt: skip


def _check_api_keys(scope: ControlScope) -> Control:
    rows = list(
        ApiKey.objects.filter(revoked_at=None, expires_at__gt=scope.at).select_related("user")
    )
    idle = [row for row in rows if scope.at - (row.last_used_at or row.created_at) > IDLE_AFTER]
    return Control(
        title="API clients have their own keys, and the keys expire",
        cite="16 CFR 314.4(c)(1)", criteria="CC6.1",
        is_effective=not idle,
        sentence=f"{len(rows)} keys are valid; {len(idle)} haven’t been used for 90 days.",
        rows=[
            {
                "key": row.name, "acts_as": row.user.name, "may": ", ".join(row.scopes),
                "until": row.expires_at.isoformat(),
            }
            for row in rows
        ],
        action_url_name="api_keys" if idle else "",
    )  # fmt: skip


def _check_rights_changes(scope: ControlScope) -> Control:
    rows = ledger_changes.list_changes(
        ledger_changes.RIGHTS_EVENTS, since=scope.since, until=scope.at
    )
    return Control(
        title="Each change of user rights names its author",
        cite="16 CFR 314.4(c)(1), (c)(7)",
        criteria="CC6.2, CC6.3",
        is_effective=None,
        sentence=f"{len(rows)} changes in this period, each on the ledger with its author.",
        rows=rows,
    )


def _check_rule_changes(scope: ControlScope) -> Control:
    rows = ledger_changes.list_changes(
        ledger_changes.RULE_EVENTS, since=scope.since, until=scope.at
    )
    return Control(
        title="Each change of a rule, template or source names its author",
        cite="16 CFR 314.4(c)(7)",
        criteria="CC8.1",
        is_effective=None,
        sentence=f"{len(rows)} changes in this period. Earlier versions stay readable.",
        rows=rows,
    )


def _check_stored_secrets(scope: ControlScope) -> Control:
    rows = [_count_sealed_values(field) for field in _sealed_columns()]
    stored = sum(row["values"] for row in rows)
    clear = sum(row["in_the_clear"] for row in rows)
    return Control(
        title="Secrets are encrypted where they are stored",
        cite="16 CFR 314.4(c)(3)", criteria="CC6.1",
        is_effective=not clear,
        sentence=f"{stored} values in {len(rows)} columns, {clear} of them in the clear. The keys "
        "are not in the database. Social Security and card numbers are masked before anything "
        "is stored. Disk encryption is checked by staff (see below).",
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
    """Count a column's values, and those that are not Fernet ciphertext."""
    table, column = field.model._meta.db_table, field.column
    stored, clear = _run_query(
        f'select count(*), count(*) filter (where "{column}" not like %s) '  # noqa: S608
        f'from "{table}" where "{column}" <> \'\'', "gAAAA%", whole=True,
    )[0]  # fmt: skip
    return {"column": f"{table}.{column}", "values": stored, "in_the_clear": clear}


def _check_transit_encryption(scope: ControlScope) -> Control:
    is_local, is_tls = _run_query(
        "select inet_server_addr() is null or inet_server_addr() <<= '127.0.0.0/8'::inet, "
        "coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false)",
        whole=True,
    )[0]
    is_https = settings.PUBLIC_URL.startswith("https://")
    is_mail_tls = active_mail_server().is_encrypted
    parts = {
        "pages": "https" if is_https else "http",
        "database": "on this machine" if is_local else "TLS" if is_tls else "in the clear",
        "mail": "TLS" if is_mail_tls else "in the clear",
    }
    return Control(
        title="Data in transit is encrypted",
        cite="16 CFR 314.4(c)(3)", criteria="CC6.7",
        is_effective=is_https and is_mail_tls and (is_local or is_tls),
        sentence="; ".join(f"{name}: {protection}" for name, protection in parts.items()) + ".",
    )  # fmt: skip


def _check_logging(scope: ControlScope) -> Control:
    guarded = _run_query(
        "select distinct c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid "
        "where not t.tgisinternal and t.tgenabled <> 'D' and c.relname = any(%s)",
        list(APPEND_ONLY_TABLES),
    )
    entries = AccessEntry.objects.filter(at__range=(scope.since, scope.at)).count()
    newest = ledger_checkpoints.newest_head()
    problems = (
        list(ledger_checkpoints.find_problems([ledger_checkpoints.export_head(newest)]))
        if newest
        else []
    )
    unguarded = sorted(set(APPEND_ONLY_TABLES) - set(guarded))
    return Control(
        title="User activity is logged, and the log cannot be changed",
        cite="16 CFR 314.4(c)(8)", criteria="CC7.2, CC7.3",
        is_effective=not unguarded and not problems and newest is not None,
        sentence=f"{entries} access log entries in this period. "
        + (f"Not guarded by the database: {', '.join(unguarded)}. " if unguarded else
           "The database refuses to change or delete entries. ")
        + (f"The newest signed ledger head is entry {newest.sequence}." if newest else
           "No ledger head is signed yet."),
        action_url_name="compliance_ledger" if problems or not newest else "",
    )  # fmt: skip


def _check_database_account(scope: ControlScope) -> Control:
    account = database_account.current_account()
    return Control(
        title="The program cannot change stored records",
        cite="16 CFR 314.4(c)(1), (c)(8)", criteria="CC6.1, CC6.3",
        is_effective=account.is_separate,
        sentence=account.sentence,
    )  # fmt: skip


def _check_refused_access(scope: ControlScope) -> Control:
    rows = AccessEntry.objects.filter(
        kind__in=REFUSED_ACCESS_KINDS, at__range=(scope.since, scope.at)
    )
    throttled = rows.filter(kind=AccessKind.TOO_OFTEN).count()
    return Control(
        title="Password guessing is blocked",
        cite="16 CFR 314.4(c)(8)", criteria="CC6.6, CC7.2",
        is_effective=None,
        sentence=f"{rows.count()} attempts were refused, {throttled} of them because there were "
        "too many from one address or for one account.",
    )  # fmt: skip


def _check_exports(scope: ControlScope) -> Control:
    rows = AccessEntry.objects.filter(kind=AccessKind.EXPORTED, at__range=(scope.since, scope.at))
    unexplained = rows.filter(reason="").count()
    exports = rows.order_by("at").values("at", "user__name", "subject", "number", "reason")
    return Control(
        title="Every export has a reason",
        cite="16 CFR 314.4(c)(1), (c)(8)", criteria="CC6.7",
        is_effective=not unexplained,
        sentence=f"{rows.count()} exports in this period, {unexplained} without a reason.",
        rows=[
            {
                "at": row["at"].isoformat(), "person": row["user__name"],
                "what": row["subject"], "rows": row["number"], "why": row["reason"],
            }
            for row in exports
        ],
    )  # fmt: skip


def _check_backups(scope: ControlScope) -> Control:
    age = scope.at - scope.last_backup if scope.last_backup else None
    return Control(
        title="The last backup is less than 26 hours old",
        cite="16 CFR 314.4(c)", criteria="A1.2",
        is_effective=age is not None and age < MAX_BACKUP_AGE,
        sentence=f"The last backup is {age.total_seconds() / 3600:.0f} hours old."
        if age is not None
        else "No backup yet.",
    )  # fmt: skip


def _check_incidents(scope: ControlScope) -> Control:
    rows = list(
        Incident.objects.filter(
            Q(closed_at=None) | Q(opened_at__range=(scope.since, scope.at))
        ).order_by("opened_at")
    )
    today = company_day(scope.at)
    late = [row for row in rows if (due := security_incidents.ftc_deadline(row)) and due < today]
    open_count = sum(row.closed_at is None for row in rows)
    return Control(
        title="Incidents are recorded and reported on time",
        cite="16 CFR 314.4(h), (j)", criteria="CC7.3, CC7.4, CC7.5",
        is_effective=not late,
        sentence=f"{len(rows)} incidents, {open_count} of them open; {len(late)} past the deadline "
        "to report to the FTC.",
        rows=[
            {
                "discovered": row.discovered_on.isoformat(), "what": row.description,
                "consumers": row.consumers,
                "told_ftc": row.ftc_notified_on.isoformat() if row.ftc_notified_on else "",
                "ended": row.resolution,
            }
            for row in rows
        ],
    )  # fmt: skip


CONTROL_CHECKS: tuple[Callable[[ControlScope], Control], ...] = (
    _check_second_factors,
    _check_least_privilege,
    _check_former_staff,
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


def _assurance_control(key: str, last: Assurance | None, scope: ControlScope) -> Control:
    kind, due = assurance_records.KINDS[key], assurance_records.next_due_date(key, last)
    sentence = "Not recorded yet."
    if last is not None:
        document = f" ({last.document})" if last.document else ""
        sentence = (
            f"Last done {last.on_date:%b %d, %Y}, recorded by {last.by.name}: "
            f"{last.statement}{document} "
            f"Due again by {due:%b %d, %Y}{'' if kind.is_law else ' (house interval)'}."
        )
    return Control(
        title=kind.title, cite=kind.cite, criteria=kind.criteria,
        is_effective=due is not None and due >= company_day(scope.at),
        sentence=sentence,
        action_url_name="access_review" if key == assurance_records.ACCESS_REVIEW else "assurances",
    )  # fmt: skip


def _run_query(query: str, *params: Any, whole: bool = False) -> list[Any]:
    """Run a query; return its rows if `whole`, else the first column."""
    rows = query_rows(query, params or None)
    return rows if whole else [row[0] for row in rows]
