"""What `rooftree doctor` looks at: this machine, the database, and what we talk to."""

import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
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
from rooftree.management import backing_up, database
from rooftree.management.commands.backup import PASSPHRASE
from rooftree.reporting import heads, separation
from rooftree.reporting.controls import BACKUP_WITHIN

LEAST_FREE = 2 * 1024**3  # bytes
REACH_SECONDS = 3.0
OURS = "ROOFTREE_"
READ_ELSEWHERE = {  # by commands, the demo, scripts and tests, each for itself
    PASSPHRASE, "ROOFTREE_DEMO_NICE", "ROOFTREE_DEMO_PORTS",
    "ROOFTREE_CHROMIUM", "ROOFTREE_PICTURES", "ROOFTREE_MUTANT",
}  # fmt: skip
MOVED = dict.fromkeys(  # settings of former releases, and where they are now
    ("ROOFTREE_RELEASE_FREE_SIZE", "ROOFTREE_RELEASE_CANARY", "ROOFTREE_RELEASE_PER_HOUR"),
    "Compliance, Rules, Everywhere",
)
SETTINGS = """
select name, setting from pg_settings
 where name in ('server_version_num', 'fsync', 'full_page_writes', 'synchronous_commit',
                'max_connections', 'server_encoding', 'data_checksums')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One finding; `do` says what helps, and is empty when all is well."""

    well: bool
    text: str
    do: str = ""

    def as_json(self, what: str) -> dict[str, Any]:
        return {"what": what, **asdict(self)}


def well(text: str) -> Answer:
    """Nothing to do."""
    return Answer(well=True, text=text)


def wrong(text: str, do: str) -> Answer:
    """Something a person should do."""
    return Answer(well=False, text=text, do=do)


def kind() -> Answer:
    """Which installation answers."""
    return well(f"{settings.ROOFTREE_ENV}, in {settings.ROOFTREE_HOME}, {settings.PUBLIC_URL}")


def unread() -> Answer:
    """Whether each setting of ours in the environment is one that is read; no value is shown."""
    read = settings_readers.ASKED | READ_ELSEWHERE
    found = sorted(
        name
        for name in os.environ.keys() - read
        if name.startswith(OURS) and os.environ[name].strip()
    )
    if not found:
        return well("each that is set is read")
    return wrong(
        f"nobody reads {', '.join(found)}", "; ".join(_instead(one, read) for one in found)
    )


def _instead(name: str, read: set[str]) -> str:
    """What to do about a setting that nobody reads."""
    if name in MOVED:
        return f"take {name} out: it is changed under {MOVED[name]} now"
    known = [one.removeprefix(OURS) for one in read if one.startswith(OURS)]
    if near := get_close_matches(name.removeprefix(OURS), known, n=1, cutoff=0.8):
        return f"{name}: did you mean {OURS}{near[0]}?"
    return f"take {name} out: docs/settings.md has all there are"


def disk() -> Answer:
    """Room for the tables, the logs and the backups."""
    least, said = None, []
    for folder in (settings.ROOFTREE_HOME, settings.BACKUP_FOLDER):
        there = next(one for one in (folder, *folder.parents) if one.exists())
        free = shutil.disk_usage(there).free
        said.append(f"{free / 1024**3:.1f} GiB free at {folder}")
        least = free if least is None else min(least, free)
    text = ", ".join(dict.fromkeys(said))
    if (least or 0) > LEAST_FREE:
        return well(text)
    return wrong(text, "make room: 2 GiB are needed; older backups are the first to go (--keep)")


def server() -> Answer:
    """The database server's version and the settings on which nothing-is-lost rests."""
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
        found = dict(cursor.fetchall())
    major = int(found["server_version_num"]) // 10000
    if major < 16:
        return wrong(f"PostgreSQL {major}", "give it PostgreSQL 16 or later")
    off = [name for name in ("fsync", "full_page_writes") if found[name] == "off"]
    off += ["synchronous_commit"] if found["synchronous_commit"] == "off" else []
    if off:
        return wrong(
            f"PostgreSQL {major} with {', '.join(off)} off",
            "switch them on: a power cut loses what we have acknowledged, or the database",
        )
    if found["server_encoding"] != "UTF8":
        return wrong(f"the encoding is {found['server_encoding']}", "make the database in UTF8")
    return well(f"PostgreSQL {major}, safe against a power cut")


def connections() -> Answer:
    """How many connections are left before newcomers are turned away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*), current_setting('max_connections')::int from pg_stat_activity"
            " where backend_type = 'client backend'"
        )
        used, most = cursor.fetchone()
    text = f"{used} of {most} connections in use"
    if used < most * 0.8:
        return well(text)
    return wrong(text, "raise max_connections, or run fewer web and worker processes")


def tables() -> Answer:
    """Whether the tables are those of this release; raises when a newer one was here."""
    missing = sorted(f"{app}.{name}" for app, name in database.missing_migrations())
    if not missing:
        return well("those of this release")
    return wrong(f"missing {', '.join(missing[:5])}", "run rooftree upgrade")


def account() -> Answer:
    """Whether what runs owns the tables, or another account does."""
    found = separation.account()
    if found.is_separate:
        return well(found.sentence)
    return wrong(found.sentence, "give each its own: docs/how-to/part-owner-and-program.md")


def clock_skew() -> Answer:
    """Whether this machine and the database agree on the time, on which lawful hours rest."""
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        skew = abs((cursor.fetchone()[0] - now()).total_seconds())
    text = f"{skew:.1f} seconds between this machine and the database"
    return well(text) if skew < 2 else wrong(text, "set both by NTP (timedatectl set-ntp true)")


def zones() -> Answer:
    """Whether the zones of borrowers can be read."""
    try:
        new_york = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))
        arizona = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(ZoneInfo("America/Phoenix"))
    except ZoneInfoNotFoundError as problem:
        return wrong(f"no data for {problem}", "run make setup; it brings tzdata")
    if (new_york.hour, arizona.hour) != (8, 5):
        return wrong("the time zone data are not right", "run make setup; it brings tzdata")
    return well("the data of America's zones are there")


def secrets() -> Answer:
    """Whether stored credentials open with our keys, and the signing key is long enough."""
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet

    if len(settings.SECRET_KEY) < 40:
        return wrong("ROOFTREE_SECRET_KEY is short", "make one of 50 random characters")
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
        return wrong(
            "ROOFTREE_FIELD_KEYS does not open the stored credentials",
            "put the former key back (after the new one), or enter the credentials again",
        )
    return well(f"{len(sealed)} stored credentials open with our keys")


def carrier() -> Answer:
    """Whether texts and calls can leave."""
    if settings.CARRIER == "console":
        return well("texts are printed, not sent (ROOFTREE_CARRIER=twilio sends them)")
    if not settings.TWILIO_NUMBERS:
        return wrong("twilio has no number", "set TWILIO_NUMBERS")
    problem = unreachable(settings.TWILIO_BASE_URL)
    if problem:
        return wrong(problem, "let this machine reach it: firewall, proxy, DNS")
    return well(f"twilio answers at {urlsplit(settings.TWILIO_BASE_URL).hostname}")


def mail() -> Answer:
    """Whether the mail server answers."""
    options = settings.MAILERS["default"]["OPTIONS"]
    if settings.IS_DEMO:
        return well("a demo has a mail server of its own")
    if "host" not in options:
        return well("mail goes through another backend, which is not tried here")
    problem = unreachable(f"smtp://{options['host']}:{options['port']}")
    if not problem:
        return well(f"{options['host']}:{options['port']} answers")
    return wrong(problem, "set ROOFTREE_SMTP_HOST and _PORT to your mail server")


def los() -> Answer:
    """Whether every connected LOS can be reached."""
    with connection.cursor() as cursor:
        cursor.execute("select name, base_url from los_connection where enabled_at is not null")
        rows = cursor.fetchall()
    bad = [f"{name}: {problem}" for name, url in rows if (problem := unreachable(url))]
    if bad:
        return wrong("; ".join(bad), "let this machine reach it: firewall, proxy, DNS")
    return well(f"{len(rows)} connected and reachable" if rows else "none is connected")


def backup() -> Answer:
    """Whether there is a backup of today."""
    last = backing_up.last_made()
    do = "run rooftree backup every night (deploy/rooftree-backup.timer does)"
    if not last:
        return well("a demo needs none") if settings.IS_DEMO else wrong("none was made yet", do)
    age = now() - datetime.fromisoformat(last["made_at"])
    text = f"the last one is {age.total_seconds() / 3600:.0f} hours old, in {last['folder']}"
    return well(text) if age < BACKUP_WITHIN or settings.IS_DEMO else wrong(text, do)


def heads_kept() -> Answer:
    """Whether the ledger's signed heads are where they should be kept."""
    do = "set ROOFTREE_HEADS_FOLDER to a folder that this machine's owner cannot change"
    if not settings.HEADS_FOLDER:
        return well("a demo needs none") if settings.IS_DEMO else wrong("kept here alone", do)
    folder = Path(settings.HEADS_FOLDER)
    try:
        late = heads.not_yet_in(folder)
        bad = list(heads.problems(heads.kept(folder)))
    except heads.UNREADABLE as problem:
        return wrong(f"{folder} cannot be read: {problem}", "make it readable and writable")
    if bad:
        return wrong("; ".join(bad), "find out who changed the ledger, or the folder")
    if late:
        return wrong(f"{len(late)} are not in {folder}", "make it writable; the clock tries again")
    return well(f"all of them are in {folder}")


def unreachable(url: str) -> str:
    """Why nothing listens at an address; "" when something does."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 443)
    try:
        socket.create_connection((parts.hostname or "", port), REACH_SECONDS).close()
    except OSError as problem:
        return f"{parts.hostname}:{port} does not answer ({problem.strerror or problem})"
    return ""


MACHINE: dict[str, Callable[[], Answer]] = {
    "installation": kind,
    "settings": unread,
    "disk": disk,
    "database": server,
    "connections": connections,
    "tables": tables,
    "database account": account,
    "clock": clock_skew,
    "time zones": zones,
    "secrets": secrets,
    "carrier": carrier,
    "mail": mail,
    "LOS": los,
    "backup": backup,
    "ledger heads": heads_kept,
}
