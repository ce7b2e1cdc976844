"""The steps of the go-live list that prove safety: address, people, templates, backups, proofs."""

from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from rooftree.capture.source_setup import baseline
from rooftree.leads.models import Source
from rooftree.management import backup_records
from rooftree.money.spend_reminders import find_sources_without_spend, last_month
from rooftree.nurture.models import Sequence
from rooftree.org import setup_steps
from rooftree.org.models import User
from rooftree.outreach.models import Template
from rooftree.outreach.wording.version_approval import waiting_defaults
from rooftree.reporting.controls.security_controls import MAX_BACKUP_AGE
from rooftree.web.setup.guide_step import GuideStep, step_key
from rooftree.web.shared.display_formats import count_noun

ADDRESS_STEP = "Check the public address"
TEST_LEAD_STEP = "Send a test lead"


def address_step() -> GuideStep:
    """Return the step for the public address, proved by its last check."""
    return _checked_step(
        ADDRESS_STEP,
        purpose="TLS, and visitors’ addresses, which prove consent on your website form",
        href=reverse("setup_address"),
    )


def second_administrator_step() -> GuideStep:
    """Return the step for a second administrator who has signed in."""
    administrators = User.objects.with_role("administrator").order_by("joined_at")
    ready = [user for user in administrators if user.has_usable_password()]
    waiting = [user.name for user in administrators if user not in ready]
    description = "Approvals need two people, and one can lose a phone"
    if len(ready) > 1:
        description = ", ".join(user.name for user in ready)
    elif waiting:
        description = f"{waiting[0]} hasn’t set a password yet"
    return GuideStep(
        name="Add a second administrator",
        description=description,
        href=reverse("setup_people"),
        is_done=len(ready) > 1,
        has_problem=bool(waiting) and len(ready) < 2,
    )


def audit_step() -> GuideStep:
    """Return the step for the audit of every source: what was agreed and is expected."""
    sources = list(Source.objects.filter(paused_at=None, is_test=False).order_by("name"))
    missing = [
        source for source in sources if baseline.missing_parts(baseline.get_baseline(source))
    ]
    description = "Expected volume, quality and price of each source"
    if missing:
        description = f"Volume, quality or price is missing for {missing[0].name}"
        if len(missing) > 1:
            description += f" and {len(missing) - 1} more"
    elif sources:
        description = f"{count_noun(len(sources), 'source')} with volume, quality and price"
    return GuideStep(
        name="Complete source baselines",
        description=description,
        href=reverse("source_baseline", args=[missing[0].pk]) if missing else reverse("sources"),
        is_done=bool(sources) and not missing,
    )


def spend_step(today: date) -> GuideStep:
    """Return the step for last month's spend of every source that is paid by spend."""
    missing = find_sources_without_spend(today)
    month = f"{last_month(today):%B}"
    description = f"No source is missing spend for {month}"
    if missing:
        description = f"No {month} spend for {missing[0].name}"
        if len(missing) > 1:
            description += f" and {len(missing) - 1} more"
    return GuideStep(
        name="Enter monthly spend",
        description=description,
        href=reverse("money"),
        is_done=not missing,
    )


def templates_step() -> GuideStep:
    """Return the step for the default templates and sequences, which somebody adopts."""
    templates, sequences = (waiting_defaults(kind).count() for kind in (Template, Sequence))
    live = Template.objects.filter(from_at__isnull=False, until_at=None).count()
    parts = [
        count_noun(count, noun)
        for count, noun in ((templates, "template"), (sequences, "sequence"))
        if count
    ]
    description = f"{' and '.join(parts)} waiting for approval. None is sent until then"
    if not parts:
        description = (
            f"{count_noun(live, 'template')} in use"
            if live
            else "The defaults appear with the company"
        )
    return GuideStep(
        name="Approve default templates",
        description=description,
        href=reverse("wording_adoption"),
        is_done=bool(live) and not parts,
    )


def test_lead_step() -> GuideStep:
    """Return the step for a test lead whose every stage passed."""
    return _checked_step(
        TEST_LEAD_STEP,
        purpose="With your own phone, through every stage until an officer accepts it",
        href=reverse("setup_test_lead"),
    )


def _checked_step(name: str, *, purpose: str, href: str) -> GuideStep:
    """Return a step that only its last stored check can prove."""
    stored = setup_steps.stored_steps().get(step_key(name))
    is_checked = stored is not None and stored.checked_at is not None
    has_passed = stored is not None and stored.has_passed
    return GuideStep(
        name=name,
        description=stored.finding if stored and is_checked else purpose,
        href=href,
        is_done=has_passed,
        has_problem=is_checked and not has_passed,
    )


def backup_step(at: datetime) -> GuideStep:
    """Return the step for a recent backup."""
    made_at = backup_records.read_time(backup_records.LAST_BACKUP)
    is_recent = made_at is not None and at - made_at < MAX_BACKUP_AGE
    description = "No backup yet"
    if settings.MAKES_NIGHTLY_BACKUPS:
        description = (
            "Runs every night at 2 AM. The first backup starts 10 minutes after Rooftree starts"
        )
    if made_at:
        description = f"Last backup {_local_day(made_at)}"
    return GuideStep(
        name="Back up every night",
        description=description,
        href=reverse("setup_backups"),
        is_done=is_recent,
        has_problem=made_at is not None and not is_recent,
    )


def test_restore_step(at: datetime) -> GuideStep:
    """Return the step for a backup that passed a test restore."""
    record = backup_records.read_record(backup_records.LAST_TEST_RESTORE)
    made_at = backup_records.read_time(backup_records.LAST_TEST_RESTORE)
    is_recent = made_at is not None and at - made_at < backup_records.MAX_TEST_RESTORE_AGE
    description = "No test restore yet"
    if settings.MAKES_NIGHTLY_BACKUPS:
        description = "Runs every week, after a backup"
    if made_at:
        rows = int(record["rows"])
        description = f"{rows:,} of {rows:,} rows restored in a test {_local_day(made_at)}"
    return GuideStep(
        name="Test-restore a backup",
        description=description,
        href=reverse("setup_backups"),
        is_done=is_recent,
        has_problem=made_at is not None and not is_recent,
    )


def ledger_heads_step() -> GuideStep:
    """Return the step for the folder that keeps the ledger's signed heads elsewhere."""
    folder = settings.HEADS_FOLDER
    is_there = bool(folder) and Path(folder).is_dir()
    description = "Set ROOFTREE_HEADS_FOLDER to a folder that this server can’t modify"
    if folder:
        description = f"Signed daily into {folder}" if is_there else f"{folder} isn’t there"
    return GuideStep(
        name="Store ledger checkpoints off this server",
        description=description,
        href=reverse("setup_backups"),
        is_done=is_there,
        has_problem=bool(folder) and not is_there,
    )


def _local_day(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%B %-d, %-I:%M %p}"
