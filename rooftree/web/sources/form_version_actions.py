"""One version of the website form: its exact content, and publication, rejection and roll back."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.capture.own_form import form_findings, form_versions, publish_form
from rooftree.capture.own_form.form_design import FormDesign, design_from_json
from rooftree.capture.own_form.form_texts import LABELS, LANGUAGES
from rooftree.capture.own_form.models import FormVersion
from rooftree.org.models import Company, User
from rooftree.outreach.wording import version_approval
from rooftree.outreach.wording.version_approval import APPROVE_PERMISSION
from rooftree.routing.permissions import has_permission
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.sources.form_version_views import get_form_source, get_version
from rooftree.web.wording.wording_editor import diff_words


@staff_view("GET")
def show_form_version(request: StaffRequest, source_id: UUID, number: int) -> HttpResponse:
    """Show one version with its exact texts, what it changes, and the possible actions."""
    require_permission(request.user, "see_sources")
    source = get_form_source(source_id)
    version = get_version(source, number)
    design = design_from_json(version.content)
    company = Company.objects.first()
    legal_name = company.legal_name if company else ""
    live = form_versions.form_in_use(source, at=request.at)
    # What visitors saw before it was published; for a waiting version, what they see now.
    before = form_versions.form_before(version, at=request.at)
    context = {
        "source": source,
        "version": version,
        "name": form_versions.shown_form(version, source.slug).name,
        "is_live": live.version == version,
        "before": before,
        "changes": list(_text_changes(before.design, design)),
        "old_steps": _step_lines(before.design) if before.design.steps != design.steps else (),
        "steps": _step_lines(design),
        "consents": [
            (form_findings.LANGUAGE_NAMES[code], code, design.consent_text(code, legal_name))
            for code in LANGUAGES
        ],
        "texts": [
            (form_findings.text_place(key), [(code, design.texts[code][key]) for code in LANGUAGES])
            for key in design.text_keys
        ],
        "privacy_url": design.privacy_url or (company.privacy_url if company else ""),
        "findings": form_findings.check_design(design, legal_name=legal_name),
        "is_blocked": form_findings.blocking_problems(design, legal_name=legal_name),
        "sha256": form_versions.content_hash(version),
        "has_company": company is not None,
        **_action_context(version, live.version, request.user),
    }
    return render(request, "sources/form_version.html", context)


@staff_view("POST")
def publish_form_version(request: StaffRequest, source_id: UUID, number: int) -> HttpResponse:
    """Publish a waiting version; visitors see it at once."""
    require_permission(request.user, APPROVE_PERMISSION)

    def publish(version: FormVersion) -> str:
        live = publish_form.publish_version(
            version_id=version.pk, by=request.user, reason=_typed_reason(request), at=request.at
        )
        return f"v{live.number} is live"

    return _change_version(request, source_id, number, publish)


@staff_view("POST")
def reject_form_version(request: StaffRequest, source_id: UUID, number: int) -> HttpResponse:
    """Reject a waiting version for a reason."""
    require_permission(request.user, APPROVE_PERMISSION)

    def reject(version: FormVersion) -> str:
        publish_form.reject_version(
            version_id=version.pk, by=request.user, reason=_typed_reason(request), at=request.at
        )
        return f"v{version.number} rejected. Its author can see the reason"

    return _change_version(request, source_id, number, reject)


@staff_view("POST")
def withdraw_form_version(request: StaffRequest, source_id: UUID, number: int) -> HttpResponse:
    """Withdraw the user's own waiting version."""

    def withdraw(version: FormVersion) -> str:
        if version.written_by_id != request.user.pk:
            raise PermissionDenied("Only the author can withdraw a version.")
        reason = "Withdrawn by its author"
        publish_form.reject_version(
            version_id=version.pk, by=request.user, reason=reason, at=request.at
        )
        return f"v{version.number} withdrawn"

    return _change_version(request, source_id, number, withdraw)


@staff_view("POST")
def restore_form_version(request: StaffRequest, source_id: UUID, number: int) -> HttpResponse:
    """Publish the content of an earlier version again, as a new version."""
    require_permission(request.user, APPROVE_PERMISSION)

    def restore(version: FormVersion) -> str:
        live = publish_form.restore_version(
            version_id=version.pk, by=request.user, reason=_typed_reason(request), at=request.at
        )
        return f"v{live.number} is live with the content of v{version.number}"

    return _change_version(request, source_id, number, restore)


def _change_version(
    request: StaffRequest, source_id: UUID, number: int, change: Callable[[FormVersion], str]
) -> HttpResponse:
    """Change a version and confirm it; `change` returns the toast."""
    source = get_form_source(source_id)
    version = get_version(source, number)
    back = reverse("form_version", args=[source.pk, version.number])
    try:
        words = change(version)
    except publish_form.CannotDecideForm as problem:
        return respond_refused(request, str(problem), back_to=back)
    return respond_done(request, words, back_to=back)


def _typed_reason(request: StaffRequest) -> str:
    return request.POST.get("reason", "")


def _action_context(version: FormVersion, live: FormVersion | None, user: User) -> dict[str, Any]:
    """Return which actions the user can take on a version."""
    is_waiting, is_own = version.state == "waiting", version.written_by_id == user.pk
    may_approve = has_permission(user, APPROVE_PERMISSION)
    is_replaced = version.state == "published" and live != version
    approvers = version_approval.approvers().exclude(pk=version.written_by_id)
    return {
        "may_publish": is_waiting and may_approve and not is_own,
        "may_withdraw": is_waiting and is_own,
        "may_restore": is_replaced and may_approve,
        "may_copy": not is_waiting and has_permission(user, "edit_sources"),
        "others": [approver.name for approver in approvers] if is_waiting else (),
    }


def _text_changes(
    before: FormDesign, after: FormDesign
) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Yield place, language and diff of each text that differs."""
    for language in LANGUAGES:
        old, new = before.texts[language], after.texts[language]
        for key in dict.fromkeys((*before.text_keys, *after.text_keys)):
            if old.get(key, "") != new.get(key, ""):
                name = form_findings.LANGUAGE_NAMES[language]
                place = f"{name} {form_findings.text_place(key)}"
                yield place, language, diff_words(old.get(key, ""), new.get(key, ""))
    if before.privacy_url != after.privacy_url:
        yield "Privacy page", "en", diff_words(before.privacy_url, after.privacy_url)


def _step_lines(design: FormDesign) -> list[str]:
    """Return the questions of each step in one line."""
    return [", ".join(LABELS["en"].get(name, name) for name in step) for step in design.steps]
