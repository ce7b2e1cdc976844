"""Owner, due date and last check of each step of setup."""

from datetime import date, datetime

from rooftree.org.models import SetupStep, User


def stored_steps() -> dict[str, SetupStep]:
    """Return what is stored of the steps, by key."""
    return {step.key: step for step in SetupStep.objects.select_related("owner")}


def assign_step(key: str, *, owner: User | None, due_date: date | None) -> None:
    """Store who looks after a step, and until when."""
    SetupStep.objects.update_or_create(key=key, defaults={"owner": owner, "due_date": due_date})


def record_check(key: str, *, has_passed: bool, finding: str, at: datetime) -> None:
    """Store what a check of a step found, instead of the check before."""
    SetupStep.objects.update_or_create(
        key=key,
        defaults={"checked_at": at, "has_passed": has_passed, "finding": finding[:300]},
    )
