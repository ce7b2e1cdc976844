"""What keeps people's data safe here, each control with what our own records say of it.

Every control names the criteria of SOC 2 (Trust Services Criteria of 2017) and the section of
the Safeguards Rule (16 CFR 314) it serves. It is computed from rows, never typed in: what a
program cannot see is asked of people, and counts only once they wrote it down.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Q

from rooftree.ledger.models import Event
from rooftree.money.company_day import company_day
from rooftree.org import second_factor
from rooftree.org.access_log import Kind
from rooftree.org.models import ROLES, AccessEntry, ApiKey, StaffSession, User
from rooftree.org.sealed_text import SealedTextField
from rooftree.reporting import assurance, heads, incidents, separation
from rooftree.reporting.models import Assurance, Incident

IDLE = timedelta(days=90)  # house: access that nobody used for this long is looked at
BACKUP_WITHIN = timedelta(hours=26)  # a day, and two hours for the backup itself
RIGHTS = ("org.user.", "org.api_key.", "org.assistant.")
RULES = (
    "routing.rules.published", "capture.map.published", "outreach.template.", "outreach.sequence.",
    "compliance.source_terms.", "compliance.emergency.", "compliance.rule_change.",
    "capture.source.changed",
)  # fmt: skip
GUARDED = ("event", "access_entry", "published_head", "assurance")
REFUSED = (Kind.FAILED, Kind.TOO_OFTEN, Kind.CODE_FAILED, Kind.KEY_REFUSED)
type Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
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
    works: bool | None  # None: for the record, there is nothing to judge
    sentence: str
    rows: Sequence[Row] = ()  # what an examiner may want to see, oldest first
    todo: str = ""  # the name of the address where somebody does something about it


def every(asked: Asked) -> list[Control]:
    """All of them, in the order in which an examiner asks."""
    return [*(one(asked) for one in COMPUTED), *_attested(asked)]


def _second_factors(asked: Asked) -> Control:
    staff = assurance.to_review()
    without = second_factor.without_one(staff)
    came = AccessEntry.objects.filter(kind=Kind.SIGNED_IN, at__range=(asked.since, asked.at))
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
        works=settings.SECOND_FACTOR_REQUIRED and not bare, sentence=said,
        rows=[{"person": one.name, "role": one.role_label, "second_factor": "none"}
              for one in without],
    )  # fmt: skip


def _least_privilege(asked: Asked) -> Control:
    staff = assurance.to_review()
    seen = dict(
        AccessEntry.objects.filter(kind=Kind.SIGNED_IN, user__in=staff)
        .order_by("user", "-at").distinct("user").values_list("user", "at")
    )  # fmt: skip
    idle = [one for one in staff if asked.at - (seen.get(one.pk) or one.joined_at) > IDLE]
    counted = {label: sum(one.role == role for one in staff) for role, label in ROLES.items()}
    roles = ", ".join(f"{label.lower()} {count}" for label, count in counted.items() if count)
    return Control(
        title="People have the access of their role, and use it",
        cite="16 CFR 314.4(c)(1)", criteria="CC6.1, CC6.3",
        works=not idle,
        sentence=f"{len(staff)} people: {roles}. {len(idle)} did not sign in for 90 days.",
        rows=[
            {
                "person": one.name, "role": one.role_label,
                "sees": one.branch.name if one.branch else "whole company",
                "last_in": seen[one.pk].isoformat() if one.pk in seen else "never",
            }
            for one in staff
        ],
        todo="setup_people" if idle else "",
    )  # fmt: skip


def _leavers(asked: Asked) -> Control:
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
        works=not still,
        sentence=f"{gone} left in this time; {still} sessions and keys of theirs are alive.",
    )  # fmt: skip


def _keys(asked: Asked) -> Control:
    rows = list(
        ApiKey.objects.filter(revoked_at=None, expires_at__gt=asked.at).select_related("user")
    )
    idle = [one for one in rows if asked.at - (one.last_used_at or one.created_at) > IDLE]
    return Control(
        title="Machines have keys of their own, which end",
        cite="16 CFR 314.4(c)(1)", criteria="CC6.1",
        works=not idle,
        sentence=f"{len(rows)} keys are in use; {len(idle)} were not used for 90 days.",
        rows=[
            {
                "key": one.name, "acts_as": one.user.name, "may": ", ".join(one.scopes),
                "until": one.expires_at.isoformat(),
            }
            for one in rows
        ],
        todo="api_keys" if idle else "",
    )  # fmt: skip


def _changes_of_rights(asked: Asked) -> Control:
    rows = _events(RIGHTS, asked)
    return Control(
        title="Each change of somebody’s rights names who made it",
        cite="16 CFR 314.4(c)(1), (c)(7)",
        criteria="CC6.2, CC6.3",
        works=None,
        sentence=f"{len(rows)} changes in this time, each on the ledger with its author.",
        rows=rows,
    )


def _changes_of_rules(asked: Asked) -> Control:
    rows = _events(RULES, asked)
    return Control(
        title="Each change of a rule, wording or source names who made it",
        cite="16 CFR 314.4(c)(7)",
        criteria="CC8.1",
        works=None,
        sentence=f"{len(rows)} changes in this time, each an edition that stays readable.",
        rows=rows,
    )


def _stored_secrets(asked: Asked) -> Control:
    rows = [_sealed(field) for field in _sealed_columns()]
    held, clear = sum(row["values"] for row in rows), sum(row["in_the_clear"] for row in rows)
    return Control(
        title="Secrets are encrypted where they are stored",
        cite="16 CFR 314.4(c)(3)", criteria="CC6.1",
        works=not clear,
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


def _sealed(field: SealedTextField) -> Row:
    """How many values a column holds, and how many of them are no ciphertext (Fernet's)."""
    table, column = field.model._meta.db_table, field.column
    held, clear = _query(
        f'select count(*), count(*) filter (where "{column}" not like %s) '  # noqa: S608
        f'from "{table}" where "{column}" <> \'\'', "gAAAA%", whole=True,
    )[0]  # fmt: skip
    return {"column": f"{table}.{column}", "values": held, "in_the_clear": clear}


def _transit(asked: Asked) -> Control:
    is_local, is_tls = _query(
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
        works=pages and mail and (is_local or is_tls),
        sentence="; ".join(f"{name}: {how}" for name, how in parts.items()) + ".",
    )  # fmt: skip


def _logging(asked: Asked) -> Control:
    guarded = _query(
        "select distinct c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid "
        "where not t.tgisinternal and t.tgenabled <> 'D' and c.relname = any(%s)", list(GUARDED)
    )  # fmt: skip
    entries = AccessEntry.objects.filter(at__range=(asked.since, asked.at)).count()
    newest = heads.newest()
    wrong = list(heads.problems([heads.exported(newest)])) if newest else []
    bare = sorted(set(GUARDED) - set(guarded))
    return Control(
        title="What people do is logged, and the log cannot be changed",
        cite="16 CFR 314.4(c)(8)", criteria="CC7.2, CC7.3",
        works=not bare and not wrong and newest is not None,
        sentence=f"{entries} entries of access in this time. "
        + (f"Not guarded by the database: {', '.join(bare)}. " if bare else
           "The database refuses to change or delete any. ")
        + (f"The ledger’s newest signed head is entry {newest.sequence}." if newest else
           "No head of the ledger is signed yet."),
        todo="compliance_ledger" if wrong or not newest else "",
    )  # fmt: skip


def _separation(asked: Asked) -> Control:
    found = separation.account()
    return Control(
        title="What runs may not change what was written down",
        cite="16 CFR 314.4(c)(1), (c)(8)", criteria="CC6.1, CC6.3",
        works=found.is_separate,
        sentence=found.sentence,
    )  # fmt: skip


def _turned_away(asked: Asked) -> Control:
    rows = AccessEntry.objects.filter(kind__in=REFUSED, at__range=(asked.since, asked.at))
    stopped = rows.filter(kind=Kind.TOO_OFTEN).count()
    return Control(
        title="Guessing is stopped",
        cite="16 CFR 314.4(c)(8)", criteria="CC6.6, CC7.2",
        works=None,
        sentence=f"{rows.count()} tries were turned away, {stopped} of them because there were "
        "too many from one place or for one account.",
    )  # fmt: skip


def _taken_out(asked: Asked) -> Control:
    rows = AccessEntry.objects.filter(kind=Kind.EXPORTED, at__range=(asked.since, asked.at))
    bare = rows.filter(reason="").count()
    listed = rows.order_by("at").values("at", "user__name", "subject", "number", "reason")
    return Control(
        title="Who takes data out says why",
        cite="16 CFR 314.4(c)(1), (c)(8)", criteria="CC6.7",
        works=not bare,
        sentence=f"{rows.count()} exports in this time, {bare} without a reason.",
        rows=[
            {
                "at": one["at"].isoformat(), "person": one["user__name"],
                "what": one["subject"], "rows": one["number"], "why": one["reason"],
            }
            for one in listed
        ],
    )  # fmt: skip


def _backups(asked: Asked) -> Control:
    age = asked.at - asked.last_backup if asked.last_backup else None
    return Control(
        title="There is a backup of today",
        cite="16 CFR 314.4(c)", criteria="A1.2",
        works=age is not None and age < BACKUP_WITHIN,
        sentence=f"The last one is {age.total_seconds() / 3600:.0f} hours old."
        if age is not None
        else "None was made yet.",
    )  # fmt: skip


def _incidents(asked: Asked) -> Control:
    rows = list(
        Incident.objects.filter(
            Q(closed_at=None) | Q(opened_at__range=(asked.since, asked.at))
        ).order_by("opened_at")
    )
    today = company_day(asked.at)
    late = [one for one in rows if (due := incidents.tell_by(one)) and due < today]
    opened = sum(one.closed_at is None for one in rows)
    return Control(
        title="Incidents are written down, and told in time",
        cite="16 CFR 314.4(h), (j)", criteria="CC7.3, CC7.4, CC7.5",
        works=not late,
        sentence=f"{len(rows)} incidents, {opened} of them open; {len(late)} should have been "
        "told to the FTC by now.",
        rows=[
            {
                "discovered": one.discovered_on.isoformat(), "what": one.what,
                "consumers": one.consumers,
                "told_ftc": one.told_ftc_on.isoformat() if one.told_ftc_on else "",
                "ended": one.ended,
            }
            for one in rows
        ],
    )  # fmt: skip


COMPUTED: tuple[Callable[[Asked], Control], ...] = (
    _second_factors,
    _least_privilege,
    _leavers,
    _keys,
    _changes_of_rights,
    _changes_of_rules,
    _stored_secrets,
    _transit,
    _logging,
    _separation,
    _turned_away,
    _taken_out,
    _backups,
    _incidents,
)


def _attested(asked: Asked) -> list[Control]:
    """What people wrote down that they did, and when it is due again."""
    last = assurance.last_of_each()
    return [_of_kind(key, last.get(key), asked) for key in assurance.KINDS]


def _of_kind(key: str, last: Assurance | None, asked: Asked) -> Control:
    kind, due = assurance.KINDS[key], assurance.due_on(key, last)
    said = "Nobody has written down that it was done."
    if last is not None:
        where = f" ({last.document})" if last.document else ""
        said = (
            f"Last on {last.on_date:%b %d, %Y}, by {last.by.name}: {last.said}{where} "
            f"Due again by {due:%b %d, %Y}{'' if kind.is_law else ' (house)'}."
        )
    return Control(
        title=kind.title, cite=kind.cite, criteria=kind.criteria,
        works=due is not None and due >= company_day(asked.at), sentence=said,
        todo="access_review" if key == assurance.REVIEW else "assurances",
    )  # fmt: skip


def _events(kinds: Sequence[str], asked: Asked) -> list[Row]:
    """Entries of the ledger in the period, each with its author in words."""
    like = Q()
    for one in kinds:
        like |= Q(kind__startswith=one)
    rows = Event.objects.filter(like, occurred_at__range=(asked.since, asked.at))
    found = list(rows.order_by("occurred_at", "id").values("kind", "actor", "occurred_at", "data"))
    names = {f"user:{key}": name for key, name in User.objects.values_list("pk", "name")}
    return [
        {
            "at": one["occurred_at"].isoformat(),
            "what": one["kind"],
            "by": names.get(one["actor"], one["actor"]),
            "about": _about(one["data"], names),
        }
        for one in found
    ]


def _about(data: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return "; ".join(f"{key}: {names.get(f'user:{value}', value)}" for key, value in data.items())


def _query(text: str, *given: Any, whole: bool = False) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(text, given or None)
        rows = cursor.fetchall()
    return rows if whole else [row[0] for row in rows]
