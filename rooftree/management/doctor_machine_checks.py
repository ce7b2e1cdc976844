"""What `rooftree doctor` looks at: this machine, the database, and what we talk to."""

import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection
from django.utils.timezone import now

from rooftree import settings
from rooftree.core import settings_readers
from rooftree.management import database, make_backup
from rooftree.management.commands.backup import PASSPHRASE_VARIABLE
from rooftree.reporting.controls import database_account
from rooftree.reporting.controls.security_controls import MAX_BACKUP_AGE
from rooftree.reporting.evidence import ledger_checkpoints

MIN_FREE_BYTES = 2 * 1024**3  # bytes
REACH_SECONDS = 3.0
ENV_PREFIX = "ROOFTREE_"
SETTINGS_READ_ELSEWHERE = {  # by commands, the demo, scripts and tests, each for itself
    PASSPHRASE_VARIABLE, "ROOFTREE_DEMO_NICE", "ROOFTREE_DEMO_PORTS",
    "ROOFTREE_CHROMIUM", "ROOFTREE_PICTURES", "ROOFTREE_MUTANT",
}  # fmt: skip
MOVED_SETTINGS = dict.fromkeys(  # settings of former releases, and where they are now
    ("ROOFTREE_RELEASE_FREE_SIZE", "ROOFTREE_RELEASE_CANARY", "ROOFTREE_RELEASE_PER_HOUR"),
    "Compliance, Rules, Everywhere",
)
SELECT_SERVER_SETTINGS = """
select name, setting from pg_settings
 where name in ('server_version_num', 'fsync', 'full_page_writes', 'synchronous_commit',
                'max_connections', 'server_encoding', 'data_checksums')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorFinding:
    """One finding; `remedy` says what helps, and is empty when all is well."""

    is_ok: bool
    text: str
    remedy: str = ""

    def as_json(self, what: str) -> dict[str, Any]:
        """Return the object that `doctor --json` prints; scripts rely on its keys."""
        return {"what": what, "well": self.is_ok, "text": self.text, "do": self.remedy}


def ok(text: str) -> DoctorFinding:
    """Nothing to do."""
    return DoctorFinding(is_ok=True, text=text)


def problem_finding(text: str, do: str) -> DoctorFinding:
    """Something a person should do."""
    return DoctorFinding(is_ok=False, text=text, remedy=do)


def check_installation() -> DoctorFinding:
    """Which installation answers."""
    return ok(f"{settings.ROOFTREE_ENV}, in {settings.ROOFTREE_HOME}, {settings.PUBLIC_URL}")


def check_unread_settings() -> DoctorFinding:
    """Whether each setting of ours in the environment is one that is read; no value is shown."""
    read = settings_readers.READ_NAMES | SETTINGS_READ_ELSEWHERE
    found = sorted(
        name
        for name in os.environ.keys() - read
        if name.startswith(ENV_PREFIX) and os.environ[name].strip()
    )
    if not found:
        return ok("each that is set is read")
    return problem_finding(
        f"nobody reads {', '.join(found)}", "; ".join(_suggest_setting(one, read) for one in found)
    )


def _suggest_setting(name: str, read: set[str]) -> str:
    """What to do about a setting that nobody reads."""
    if name in MOVED_SETTINGS:
        return f"take {name} out: it is changed under {MOVED_SETTINGS[name]} now"
    known = [one.removeprefix(ENV_PREFIX) for one in read if one.startswith(ENV_PREFIX)]
    if near := get_close_matches(name.removeprefix(ENV_PREFIX), known, n=1, cutoff=0.8):
        return f"{name}: did you mean {ENV_PREFIX}{near[0]}?"
    return f"take {name} out: docs/settings.md has all there are"


def check_disk() -> DoctorFinding:
    """Room for the tables, the logs and the backups."""
    least, said = None, []
    for folder in (settings.ROOFTREE_HOME, settings.BACKUP_FOLDER):
        there = next(one for one in (folder, *folder.parents) if one.exists())
        free = shutil.disk_usage(there).free
        said.append(f"{free / 1024**3:.1f} GiB free at {folder}")
        least = free if least is None else min(least, free)
    text = ", ".join(dict.fromkeys(said))
    if (least or 0) > MIN_FREE_BYTES:
        return ok(text)
    return problem_finding(
        text, "make room: 2 GiB are needed; older backups are the first to go (--keep)"
    )


def check_server() -> DoctorFinding:
    """The database server's version and the settings on which nothing-is-lost rests."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_SERVER_SETTINGS)
        found = dict(cursor.fetchall())
    major = int(found["server_version_num"]) // 10000
    if major < 16:
        return problem_finding(f"PostgreSQL {major}", "give it PostgreSQL 16 or later")
    off = [name for name in ("fsync", "full_page_writes") if found[name] == "off"]
    off += ["synchronous_commit"] if found["synchronous_commit"] == "off" else []
    if off:
        return problem_finding(
            f"PostgreSQL {major} with {', '.join(off)} off",
            "switch them on: a power cut loses what we have acknowledged, or the database",
        )
    if found["server_encoding"] != "UTF8":
        return problem_finding(
            f"the encoding is {found['server_encoding']}", "make the database in UTF8"
        )
    return ok(f"PostgreSQL {major}, safe against a power cut")


def check_connections() -> DoctorFinding:
    """How many connections are left before newcomers are turned away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*), current_setting('max_connections')::int from pg_stat_activity"
            " where backend_type = 'client backend'"
        )
        used, most = cursor.fetchone()
    text = f"{used} of {most} connections in use"
    if used < most * 0.8:
        return ok(text)
    return problem_finding(text, "raise max_connections, or run fewer web and worker processes")


def check_tables() -> DoctorFinding:
    """Whether the tables are those of this release; raises when a newer one was here."""
    missing = sorted(f"{app}.{name}" for app, name in database.missing_migrations())
    if not missing:
        return ok("those of this release")
    return problem_finding(f"missing {', '.join(missing[:5])}", "run rooftree upgrade")


def check_database_account() -> DoctorFinding:
    """Whether what runs owns the tables, or another account does."""
    found = database_account.current_account()
    if found.is_separate:
        return ok(found.sentence)
    return problem_finding(
        found.sentence, "give each its own: docs/how-to/part-owner-and-program.md"
    )


def check_clock_skew() -> DoctorFinding:
    """Whether this machine and the database agree on the time, on which lawful hours rest."""
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        skew = abs((cursor.fetchone()[0] - now()).total_seconds())
    text = f"{skew:.1f} seconds between this machine and the database"
    return (
        ok(text)
        if skew < 2
        else problem_finding(text, "set both by NTP (timedatectl set-ntp true)")
    )


def check_time_zones() -> DoctorFinding:
    """Whether the zones of borrowers can be read."""
    try:
        new_york = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))
        arizona = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(ZoneInfo("America/Phoenix"))
    except ZoneInfoNotFoundError as problem:
        return problem_finding(f"no data for {problem}", "run make setup; it brings tzdata")
    if (new_york.hour, arizona.hour) != (8, 5):
        return problem_finding(
            "the time zone data are not right", "run make setup; it brings tzdata"
        )
    return ok("the data of America's zones are there")


def check_secrets() -> DoctorFinding:
    """Whether stored credentials open with our keys, and the signing key is long enough."""
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet

    if len(settings.SECRET_KEY) < 40:
        return problem_finding("ROOFTREE_SECRET_KEY is short", "make one of 50 random characters")
    keys = MultiFernet([Fernet(one) for one in settings.FIELD_KEYS])
    with connection.cursor() as cursor:
        cursor.execute(
            "select credentials from los_connection where credentials <> ''"
            " union all select webhook_keys from los_connection where webhook_keys <> ''"
            " union all select private from signing_key"
        )
        sealed = [row[0] for row in cursor.fetchall()]
    try:
        for one in sealed:
            keys.decrypt(one.encode())
    except InvalidToken:
        return problem_finding(
            "ROOFTREE_FIELD_KEYS does not open the stored credentials",
            "put the former key back (after the new one), or enter the credentials again",
        )
    return ok(f"{len(sealed)} stored credentials open with our keys")


def check_carrier() -> DoctorFinding:
    """Whether texts and calls can leave."""
    if settings.CARRIER == "console":
        return ok("texts are printed, not sent (ROOFTREE_CARRIER=twilio sends them)")
    if not settings.TWILIO_NUMBERS:
        return problem_finding("twilio has no number", "set TWILIO_NUMBERS")
    problem = unreachable_reason(settings.TWILIO_BASE_URL)
    if problem:
        return problem_finding(problem, "let this machine reach it: firewall, proxy, DNS")
    return ok(f"twilio answers at {urlsplit(settings.TWILIO_BASE_URL).hostname}")


def check_mail_server() -> DoctorFinding:
    """Whether the mail server answers."""
    options = settings.MAILERS["default"]["OPTIONS"]
    if settings.IS_DEMO:
        return ok("a demo has a mail server of its own")
    if "host" not in options:
        return ok("mail goes through another backend, which is not tried here")
    problem = unreachable_reason(f"smtp://{options['host']}:{options['port']}")
    if not problem:
        return ok(f"{options['host']}:{options['port']} answers")
    return problem_finding(problem, "set ROOFTREE_SMTP_HOST and _PORT to your mail server")


def check_los() -> DoctorFinding:
    """Whether every connected LOS can be reached."""
    with connection.cursor() as cursor:
        cursor.execute("select name, base_url from los_connection where enabled_at is not null")
        rows = cursor.fetchall()
    bad = [f"{name}: {problem}" for name, url in rows if (problem := unreachable_reason(url))]
    if bad:
        return problem_finding("; ".join(bad), "let this machine reach it: firewall, proxy, DNS")
    return ok(f"{len(rows)} connected and reachable" if rows else "none is connected")


def check_backup() -> DoctorFinding:
    """Whether there is a backup of today."""
    last = make_backup.read_last_backup()
    do = "run rooftree backup every night (deploy/rooftree-backup.timer does)"
    if not last:
        return (
            ok("a demo needs none")
            if settings.IS_DEMO
            else problem_finding("none was made yet", do)
        )
    age = now() - datetime.fromisoformat(last["made_at"])
    text = f"the last one is {age.total_seconds() / 3600:.0f} hours old, in {last['folder']}"
    return ok(text) if age < MAX_BACKUP_AGE or settings.IS_DEMO else problem_finding(text, do)


def check_ledger_heads() -> DoctorFinding:
    """Whether the ledger's signed heads are where they should be kept."""
    do = "set ROOFTREE_HEADS_FOLDER to a folder that this machine's owner cannot change"
    if not settings.HEADS_FOLDER:
        return (
            ok("a demo needs none") if settings.IS_DEMO else problem_finding("kept here alone", do)
        )
    folder = Path(settings.HEADS_FOLDER)
    try:
        late = ledger_checkpoints.missing_heads(folder)
        bad = list(ledger_checkpoints.find_problems(ledger_checkpoints.read_heads(folder)))
    except ledger_checkpoints.HEAD_ERRORS as problem:
        return problem_finding(
            f"{folder} cannot be read: {problem}", "make it readable and writable"
        )
    if bad:
        return problem_finding("; ".join(bad), "find out who changed the ledger, or the folder")
    if late:
        return problem_finding(
            f"{len(late)} are not in {folder}", "make it writable; the clock tries again"
        )
    return ok(f"all of them are in {folder}")


def unreachable_reason(url: str) -> str:
    """Why nothing listens at an address; "" when something does."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 443)
    try:
        socket.create_connection((parts.hostname or "", port), REACH_SECONDS).close()
    except OSError as problem:
        return f"{parts.hostname}:{port} does not answer ({problem.strerror or problem})"
    return ""


MACHINE_CHECKS: dict[str, Callable[[], DoctorFinding]] = {
    "installation": check_installation,
    "settings": check_unread_settings,
    "disk": check_disk,
    "database": check_server,
    "connections": check_connections,
    "tables": check_tables,
    "database account": check_database_account,
    "clock": check_clock_skew,
    "time zones": check_time_zones,
    "secrets": check_secrets,
    "carrier": check_carrier,
    "mail": check_mail_server,
    "LOS": check_los,
    "backup": check_backup,
    "ledger heads": check_ledger_heads,
}
