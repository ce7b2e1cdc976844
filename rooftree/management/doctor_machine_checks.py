"""The checks of `rooftree doctor` on this machine, the database and connected systems."""

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

from django.utils.timezone import now

from rooftree import settings
from rooftree.core import settings_readers
from rooftree.core.area_codes_and_zones import AREA_CODES, read_area_codes
from rooftree.db.statements import query_row, query_rows
from rooftree.management import backup_records, database
from rooftree.management.commands.backup import PASSPHRASE_VARIABLE
from rooftree.org import carrier_account, mail_setup
from rooftree.outreach.carrier import carrier_setup
from rooftree.reporting.controls import database_account
from rooftree.reporting.controls.security_controls import MAX_BACKUP_AGE
from rooftree.reporting.evidence import ledger_checkpoints

MIN_FREE_BYTES = 2 * 1024**3  # bytes
REACH_SECONDS = 3.0
NETWORK_REMEDY = "check this machine's firewall, proxy and DNS"
ENV_PREFIX = "ROOFTREE_"
SETTINGS_READ_ELSEWHERE = {  # read directly by commands, the demo, scripts and tests
    PASSPHRASE_VARIABLE, "ROOFTREE_DEMO_NICE", "ROOFTREE_DEMO_PORTS",
    "ROOFTREE_CHROMIUM", "ROOFTREE_PICTURES", "ROOFTREE_MUTANT",
}  # fmt: skip
MOVED_SETTINGS = dict.fromkeys(  # settings of earlier releases, and the page that has them now
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
    """The result of one check; `remedy` says how to fix it and is empty when all is well."""

    is_ok: bool
    text: str
    remedy: str = ""

    def as_json(self, what: str) -> dict[str, Any]:
        """Return the object that `doctor --json` prints; scripts rely on its keys."""
        return {"what": what, "well": self.is_ok, "text": self.text, "do": self.remedy}


def ok(text: str) -> DoctorFinding:
    """Return a finding that needs no action."""
    return DoctorFinding(is_ok=True, text=text)


def problem_finding(text: str, remedy: str) -> DoctorFinding:
    """Return a finding that a person should fix."""
    return DoctorFinding(is_ok=False, text=text, remedy=remedy)


def check_installation() -> DoctorFinding:
    """Report which installation this is."""
    return ok(f"{settings.ROOFTREE_ENV}, in {settings.ROOFTREE_HOME}, {settings.PUBLIC_URL}")


def check_unread_settings() -> DoctorFinding:
    """Check that Rooftree reads each ROOFTREE_ variable that is set; shows no value."""
    read = settings_readers.READ_NAMES | SETTINGS_READ_ELSEWHERE
    unread = sorted(
        name
        for name in os.environ.keys() - read
        if name.startswith(ENV_PREFIX) and os.environ[name].strip()
    )
    if not unread:
        return ok("every setting is known")
    return problem_finding(
        f"unknown: {', '.join(unread)}",
        "; ".join(_suggest_setting(name, read) for name in unread),
    )


def _suggest_setting(name: str, read: set[str]) -> str:
    """Suggest how to fix a setting that nothing reads."""
    if name in MOVED_SETTINGS:
        return f"remove {name}: it is now under {MOVED_SETTINGS[name]}"
    known = [setting.removeprefix(ENV_PREFIX) for setting in read if setting.startswith(ENV_PREFIX)]
    if matches := get_close_matches(name.removeprefix(ENV_PREFIX), known, n=1, cutoff=0.8):
        return f"{name}: did you mean {ENV_PREFIX}{matches[0]}?"
    return f"remove {name}: docs/settings.md lists all settings"


def check_disk() -> DoctorFinding:
    """Check the free disk space for the tables, the logs and the backups."""
    least, sentences = None, []
    for folder in (settings.ROOFTREE_HOME, settings.BACKUP_FOLDER):
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(existing).free
        sentences.append(f"{free / 1024**3:.1f} GiB free at {folder}")
        least = free if least is None else min(least, free)
    text = ", ".join(dict.fromkeys(sentences))
    if (least or 0) > MIN_FREE_BYTES:
        return ok(text)
    return problem_finding(
        text, "free at least 2 GiB; rooftree backup --keep N deletes older backups"
    )


def check_server() -> DoctorFinding:
    """Check the database server's version and the settings that protect against data loss."""
    server_settings = dict(query_rows(SELECT_SERVER_SETTINGS))
    major = int(server_settings["server_version_num"]) // 10000
    if major < 16:
        return problem_finding(f"PostgreSQL {major}", "upgrade to PostgreSQL 16 or later")
    names = ("fsync", "full_page_writes", "synchronous_commit")
    off = [name for name in names if server_settings[name] == "off"]
    if off:
        return problem_finding(
            f"PostgreSQL {major} with {', '.join(off)} off",
            "turn them on: a power failure could lose acknowledged leads or the whole database",
        )
    if server_settings["server_encoding"] != "UTF8":
        return problem_finding(
            f"the encoding is {server_settings['server_encoding']}",
            "create the database with the encoding UTF8",
        )
    return ok(f"PostgreSQL {major}, safe against a power failure")


def check_connections() -> DoctorFinding:
    """Check how close the connections are to the server's limit."""
    used, most = query_row(
        "select count(*), current_setting('max_connections')::int from pg_stat_activity"
        " where backend_type = 'client backend'"
    )
    text = f"{used} of {most} connections in use"
    if used < most * 0.8:
        return ok(text)
    return problem_finding(text, "raise max_connections or run fewer web and worker processes")


def check_tables() -> DoctorFinding:
    """Check that the tables match this release. Raises `StartupError` for a newer release's."""
    missing = sorted(f"{app}.{name}" for app, name in database.missing_migrations())
    if not missing:
        return ok("up to date with this release")
    return problem_finding(f"missing {', '.join(missing[:5])}", "run rooftree upgrade")


def check_database_account() -> DoctorFinding:
    """Check that the program uses another database account than the tables' owner."""
    account = database_account.current_account()
    if account.is_separate:
        return ok(account.sentence)
    return problem_finding(
        account.sentence, "use two accounts: docs/how-to/part-owner-and-program.md"
    )


def check_clock_skew() -> DoctorFinding:
    """Check that this machine and the database agree on the time, which quiet hours depend on."""
    database_time = query_row("select clock_timestamp()")[0]
    skew = abs((database_time - now()).total_seconds())
    text = f"{skew:.1f} seconds between this machine and the database"
    if skew < 2:
        return ok(text)
    return problem_finding(text, "synchronize both with NTP (timedatectl set-ntp true)")


def check_time_zones() -> DoctorFinding:
    """Check that time zone data for borrowers is installed and correct."""
    try:
        new_york = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))
        arizona = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(ZoneInfo("America/Phoenix"))
    except ZoneInfoNotFoundError as problem:
        return problem_finding(f"no data for {problem}", "run make setup, which installs tzdata")
    if (new_york.hour, arizona.hour) != (8, 5):
        return problem_finding(
            "the time zone data is wrong", "run make setup, which installs tzdata"
        )
    return ok("the data for US time zones is installed")


def check_area_codes() -> DoctorFinding:
    """Check this installation's own file of newer area codes."""
    codes, problems = read_area_codes(settings.AREA_CODES_FILE)
    if problems:
        return problem_finding(
            f"{settings.AREA_CODES_FILE}: {problems[0]}", "correct the line, then restart"
        )
    unread = sorted(code for code, row in codes.items() if AREA_CODES.get(code) != row)
    if unread:
        return problem_finding(f"{', '.join(unread[:5])} not in use yet", "restart")
    return ok(f"{len(AREA_CODES)} known, {len(codes)} from {settings.AREA_CODES_FILE.name}")


def check_secrets() -> DoctorFinding:
    """Check that the field keys decrypt stored credentials and the signing key is long enough."""
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet

    if len(settings.SECRET_KEY) < 40:
        return problem_finding("ROOFTREE_SECRET_KEY is too short", "use 50 random characters")
    keys = MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])
    rows = query_rows(
        "select credentials from los_connection where credentials <> ''"
        " union all select webhook_keys from los_connection where webhook_keys <> ''"
        " union all select private from signing_key"
        " union all select auth_token from carrier_account where auth_token <> ''"
        " union all select secret from mail_setup where secret <> ''"
    )
    sealed = [row[0] for row in rows]
    try:
        for value in sealed:
            keys.decrypt(value.encode())
    except InvalidToken:
        return problem_finding(
            "ROOFTREE_FIELD_KEYS can't decrypt the stored credentials",
            "add the previous key after the new one, or enter the credentials again",
        )
    return ok(f"the keys decrypt all {len(sealed)} stored credentials")


def check_carrier() -> DoctorFinding:
    """Ask the carrier whether it accepts the account, and store its answer for Setup."""
    problem = carrier_setup.check_account(at=now())
    status = carrier_account.read_carrier_status()
    if status.is_ready:
        return ok(f"{status.sentence} accepts the account")
    if status.carrier == "console":
        return ok("texts are printed, not sent (connect Twilio in Setup)")
    if status.carrier == "none":
        return ok("none is connected: texts wait, and no phone rings (connect Twilio in Setup)")
    return problem_finding(problem or status.sentence, "open Setup, Connect texts and calls")


def check_mail_server() -> DoctorFinding:
    """Sign in at the mail server now, and report what the last DNS look-up found."""
    if settings.IS_DEMO:
        return ok("the demo runs its own mail server")
    mail_setup.check_active_server(at=now())
    state = mail_setup.read_state()
    if state.next_step:
        return problem_finding(
            state.next_step.removesuffix("."), "see Setup, Email, at /setup/mail/"
        )
    return ok(f"{state.description} accepts our sign-in; SPF, DKIM and DMARC are in place")


def check_los() -> DoctorFinding:
    """Check that every connected LOS can be reached and passed its go-live check."""
    rows = query_rows(
        "select name, base_url, checked_at is not null and check_report->>'ok' = 'true' "
        "from los_connection where enabled_at is not null"
    )
    problems = [
        f"{name}: {problem}" for name, url, _ in rows if (problem := unreachable_reason(url))
    ]
    if problems:
        return problem_finding("; ".join(problems), NETWORK_REMEDY)
    unproved = [name for name, _, is_proved in rows if not is_proved]
    if unproved and not settings.IS_DEMO:
        return problem_finding(
            f"the go-live check of {', '.join(unproved)} hasn't passed", "run it in Setup, LOS"
        )
    return ok(f"{len(rows)} connected and reachable" if rows else "none is connected")


def check_backup() -> DoctorFinding:
    """Check that the last backup is recent."""
    last = backup_records.read_record(backup_records.LAST_BACKUP)
    remedy = "rooftree serve makes one every night; if you don't use it, schedule rooftree backup"
    if not last and settings.IS_DEMO:
        return ok("not needed for a demo")
    if not last:
        return problem_finding("no backup yet", remedy)
    age = now() - datetime.fromisoformat(last["made_at"])
    text = f"the last one is {age.total_seconds() / 3600:.0f} hours old, in {last['folder']}"
    if age < MAX_BACKUP_AGE or settings.IS_DEMO:
        return ok(text)
    return problem_finding(text, remedy)


def check_test_restore() -> DoctorFinding:
    """Check that a backup passed a test restore in the last month."""
    last = backup_records.read_record(backup_records.LAST_TEST_RESTORE)
    if settings.IS_DEMO:
        return ok("not needed for a demo")
    remedy = "run rooftree restore BACKUP --test; rooftree serve does it every week"
    if not last:
        return problem_finding("no test restore yet", remedy)
    made_at = datetime.fromisoformat(last["made_at"])
    text = f"the backup of {last['backup_at']} passed a test restore on {made_at:%B %-d, %Y}"
    return (
        ok(text)
        if now() - made_at < backup_records.MAX_TEST_RESTORE_AGE
        else problem_finding(text, remedy)
    )


def check_ledger_heads() -> DoctorFinding:
    """Check that the folder for the ledger's signed heads has all of them, unchanged."""
    if not settings.HEADS_FOLDER and settings.IS_DEMO:
        return ok("not needed for a demo")
    if not settings.HEADS_FOLDER:
        return problem_finding(
            "stored only on this machine",
            "set ROOFTREE_HEADS_FOLDER to a folder that this machine's owner can't change",
        )
    folder = Path(settings.HEADS_FOLDER)
    try:
        missing = ledger_checkpoints.missing_heads(folder)
        problems = list(ledger_checkpoints.find_problems(ledger_checkpoints.read_heads(folder)))
    except ledger_checkpoints.HEAD_ERRORS as problem:
        return problem_finding(
            f"{folder} can't be read: {problem}", "make it readable and writable"
        )
    if problems:
        return problem_finding("; ".join(problems), "find out who changed the ledger or the folder")
    if missing:
        return problem_finding(
            f"{len(missing)} are missing in {folder}",
            "make the folder writable; the clock tries again",
        )
    return ok(f"all are in {folder}")


def unreachable_reason(url: str) -> str:
    """Return why a URL's host and port cannot be reached; "" when they can."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 443)
    try:
        socket.create_connection((parts.hostname or "", port), REACH_SECONDS).close()
    except OSError as problem:
        return f"{parts.hostname}:{port} isn't responding ({problem.strerror or problem})"
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
    "area codes": check_area_codes,
    "secrets": check_secrets,
    "carrier": check_carrier,
    "mail": check_mail_server,
    "LOS": check_los,
    "backup": check_backup,
    "test restore": check_test_restore,
    "ledger heads": check_ledger_heads,
}
