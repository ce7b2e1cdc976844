"""Publication of our own form's versions: proposed by one person, published by another.

A roll back needs one person only: two have agreed on the content before.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.db.transaction import atomic

from rooftree.capture.own_form import form_findings, form_versions
from rooftree.capture.own_form.form_design import FormDesign, design_from_json
from rooftree.capture.own_form.models import FormVersion
from rooftree.core.user_errors import UserError
from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Source
from rooftree.ledger.write_events import write_event
from rooftree.org import staff_notices
from rooftree.org.models import Company, User

MAX_REASON_LENGTH = 300  # characters


class CannotDecideForm(UserError):
    """The version can't be proposed, published or restored. The text can be shown to staff."""


class UnfitForm(CannotDecideForm):
    """The form has to be fixed first; `problems` are sentences for staff."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


def propose_version(
    design: FormDesign,
    *,
    source_id: UUID,
    by: User,
    summary: str,
    approvers: Iterable[User],
    at: datetime,
) -> FormVersion:
    """Send a design to the approvers, as the source's next version. Raises `CannotDecideForm`."""
    if not (summary := _clean_line(summary)):
        raise CannotDecideForm("Say what changed and why. The version history shows it.")
    _raise_if_unfit(design)
    with atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        if waiting := FormVersion.objects.filter(source=source, decided_at=None).first():
            raise CannotDecideForm(f"v{waiting.number} waits for approval. Withdraw it first.")
        if form_versions.form_in_use(source, at=at).design.to_json() == design.to_json():
            raise CannotDecideForm("Change something first: this is the form in use.")
        version = FormVersion.objects.create(
            id=uuid7_at(at),
            source=source,
            number=_next_number(source),
            content=design.to_json(),
            summary=summary,
            written_by=by,
            written_at=at,
        )
        _write_event("proposed", version, by, at, reason=summary)
        text = f"{by.name} asks you to publish v{version.number} of the form of {source.name}"
        _notify_users(approvers, version, f"{text}: {summary}", by, at)
    return version


def publish_version(*, version_id: UUID, by: User, reason: str, at: datetime) -> FormVersion:
    """Show a waiting version to visitors from now on.

    Safe to repeat. Raises `CannotDecideForm` for its author, for a missing reason, and for content
    that the rules of today forbid.
    """
    reason = _clean_line(reason)
    with atomic():
        version = _reload_locked(version_id)
        if version.written_by_id == by.pk:
            raise CannotDecideForm("Someone other than its author has to publish it.")
        if version.decided_at is not None:
            return _accept_repeat_decision(version, by, is_published=True)
        if not reason:
            raise CannotDecideForm("Enter a reason. It is kept with the version.")
        _raise_if_unfit(design_from_json(version.content))
        version.decided_by, version.decided_at, version.decision_reason = by, at, reason
        version.published_at = at
        version.save(update_fields=["decided_by", "decided_at", "decision_reason", "published_at"])
        _write_event("published", version, by, at, reason=reason)
        text = f"{by.name} published v{version.number} of the form of {version.source.name}."
        _notify_users([version.written_by], version, text, by, at)
    return version


def reject_version(*, version_id: UUID, by: User, reason: str, at: datetime) -> FormVersion:
    """Reject a waiting version for good. Its author withdraws it the same way."""
    if not (reason := _clean_line(reason)):
        raise CannotDecideForm("Enter a reason. The author will see it.")
    with atomic():
        version = _reload_locked(version_id)
        if version.decided_at is not None:
            return _accept_repeat_decision(version, by, is_published=False)
        version.decided_by, version.decided_at, version.decision_reason = by, at, reason
        version.save(update_fields=["decided_by", "decided_at", "decision_reason"])
        _write_event("rejected", version, by, at, reason=reason)
        text = f"{by.name} rejected v{version.number} of the form of {version.source.name}"
        _notify_users([version.written_by], version, f"{text}: {reason}", by, at)
    return version


def restore_version(*, version_id: UUID, by: User, reason: str, at: datetime) -> FormVersion:
    """Publish the content of an earlier published version again, as the source's next version.

    Raises `CannotDecideForm` without a reason, for the version in use, and for content that the
    rules of today forbid.
    """
    if not (reason := _clean_line(reason)):
        raise CannotDecideForm("Enter a reason. It is kept with the version.")
    with atomic():
        earlier = _reload_locked(version_id)
        if earlier.published_at is None:
            raise CannotDecideForm("Only a published version can be restored.")
        live = form_versions.form_in_use(earlier.source, at=at).version
        if live and live.content == earlier.content:
            raise CannotDecideForm(f"The form in use, v{live.number}, has this content already.")
        _raise_if_unfit(design_from_json(earlier.content))
        version = FormVersion.objects.create(
            id=uuid7_at(at),
            source=earlier.source,
            number=_next_number(earlier.source),
            content=earlier.content,
            summary=f"Back to v{earlier.number}",
            restores=earlier,
            written_by=by,
            written_at=at,
            decided_by=by,
            decided_at=at,
            decision_reason=reason,
            published_at=at,
        )
        _write_event("restored", version, by, at, reason=reason, of=earlier.number)
    return version


def _reload_locked(version_id: UUID) -> FormVersion:
    """Lock the version's source, as every change of its versions does, and load the version."""
    version = FormVersion.objects.get(pk=version_id)
    Source.objects.select_for_update().get(pk=version.source_id)
    return FormVersion.objects.select_related("source", "written_by").get(pk=version_id)


def _next_number(source: Source) -> int:
    newest = FormVersion.objects.filter(source=source).aggregate(last=Max("number"))["last"]
    return (newest or 0) + 1


def _raise_if_unfit(design: FormDesign) -> None:
    legal_name = Company.objects.values_list("legal_name", flat=True).first() or ""
    if problems := form_findings.blocking_problems(design, legal_name=legal_name):
        raise UnfitForm(problems)


def _accept_repeat_decision(version: FormVersion, by: User, *, is_published: bool) -> FormVersion:
    """Return a version the same user decided this way before; raise if someone else did."""
    if version.decided_by_id == by.pk and (version.published_at is not None) == is_published:
        return version
    raise CannotDecideForm("Someone already decided this.")


def _write_event(step: str, version: FormVersion, by: User, at: datetime, **more: Any) -> None:
    write_event(
        f"capture.form_version.{step}",
        at=at,
        actor=f"user:{by.pk}",
        source_id=version.source_id,
        version=version.number,
        sha256=form_versions.content_hash(version),
        **more,
    )


def _notify_users(
    users: Iterable[User], version: FormVersion, text: str, by: User, at: datetime
) -> None:
    """Notify users about a version, except the user who acted."""
    staff_notices.notify_users(
        [user for user in users if user.pk != by.pk],
        kind="form_version",
        cause=f"form_version:{version.pk}:{version.state}",
        text=text,
        link=f"/setup/sources/{version.source_id}/form/versions/{version.number}/",
        at=at,
    )


def _clean_line(typed: str) -> str:
    return " ".join(typed.replace("\x00", "").split())[:MAX_REASON_LENGTH]
