"""Snippets: a user's own and the shared ones, with a check of the wording as they type."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.org.models import User
from rooftree.outreach.wording import snippets
from rooftree.outreach.wording.message_templates import language_for
from rooftree.outreach.wording.models import Snippet
from rooftree.routing.permissions import has_permission
from rooftree.web.shared.htmx_responses import respond_done, respond_redirect
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.snippets.forms import SnippetForm


@staff_view("GET")
def list_snippets(request: StaffRequest) -> HttpResponse:
    """List the user's own snippets and the shared ones."""
    require_permission(request.user, "see_snippets")
    rows = snippets.list_snippets(request.user)
    context = {
        "own": [row for row in rows if row.owner_id],
        "shared": [row for row in rows if not row.owner_id],
        "can_own": has_permission(request.user, "contact_lead"),
        "can_share": has_permission(request.user, "edit_sequences"),
    }
    return render(request, "snippets/index.html", context)


@staff_view("GET", "POST")
def create_snippet(request: StaffRequest) -> HttpResponse:
    """Show an empty form, or create a snippet."""
    require_permission(request.user, "see_snippets")
    if not _audiences(request.user):
        raise PermissionDenied("You can read snippets, but not write them.")
    return _edit(request, None)


@staff_view("GET", "POST")
def edit_snippet(request: StaffRequest, snippet_id: UUID) -> HttpResponse:
    """Show a snippet in its form, or change it."""
    return _edit(request, _get_own_or_shared(request, snippet_id))


@staff_view("POST")
def archive_snippet(request: StaffRequest, snippet_id: UUID) -> HttpResponse:
    """Archive a snippet: nobody finds it any more."""
    snippet = _get_own_or_shared(request, snippet_id)
    snippets.archive_snippet(snippet, by=request.user, at=request.at)
    return respond_redirect(request, f"{snippet.title} archived", to=reverse("snippets"))


@staff_view("POST")
def check_snippet(request: StaffRequest) -> HttpResponse:
    """Show the preview and the problems of a snippet as typed, without saving it."""
    require_permission(request.user, "see_snippets")
    check = snippets.check_snippet(
        request.POST.get("body", "")[: snippets.MAX_BODY_LENGTH + 1],
        language=language_for(request.POST.get("language", "")),
        user=request.user,
        at=request.at,
    )
    return render(request, "snippets/edit.html#check", {"check": check})


def _edit(request: StaffRequest, snippet: Snippet | None) -> HttpResponse:
    audiences = [] if snippet else _audiences(request.user)
    initial = (
        {"title": snippet.title, "body": snippet.body, "language": snippet.language}
        if snippet
        else {}
    )
    form = SnippetForm(request.POST or None, initial=initial, audiences=audiences)
    if request.method == "POST" and form.submit(
        lambda values: snippets.save_snippet(
            snippet,
            title=values["title"],
            body=values["body"],
            language=values["language"],
            is_shared=values.get("audience", *audiences[:1]) == "everyone",
            by=request.user,
            at=request.at,
        )
    ):
        return respond_done(request, "Snippet saved", back_to=reverse("snippets"))
    body = str(form["body"].value() or "")
    context = {
        "form": form,
        "snippet": snippet,
        "placeholders": snippets.PLACEHOLDERS.items(),
        "check": snippets.check_snippet(
            body, language=language_for(initial.get("language", "")), user=request.user,
            at=request.at,
        )
        if body
        else None,
    }  # fmt: skip
    status = 422 if form.errors else 200
    return render(request, "snippets/edit.html", context, status=status)


def _audiences(user: User) -> list[str]:
    """Return for whom a user can write a snippet, as keys of the form's audiences."""
    allowed = {
        "mine": has_permission(user, "contact_lead"),
        "everyone": has_permission(user, "edit_sequences"),
    }
    return [key for key, is_allowed in allowed.items() if is_allowed]


def _get_own_or_shared(request: StaffRequest, snippet_id: UUID) -> Snippet:
    """Return a snippet that the user can change; 404 for another user's, 403 for a shared one."""
    require_permission(request.user, "see_snippets")
    snippet = get_object_or_404(Snippet, pk=snippet_id, archived_at=None)
    if snippet.owner_id is None:
        require_permission(request.user, "edit_sequences")
    elif snippet.owner_id != request.user.pk:
        return get_object_or_404(Snippet, pk=snippet_id, owner=request.user)
    return snippet
