"""Verification of a source's posts and, for generic webhooks, the responses it gets."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.capture.parsing.sender_proof import PROOF_LABELS
from rooftree.capture.source_setup import post_settings, posting_instructions
from rooftree.capture.source_setup.manage_sources import ADAPTERS_WITH_PROOF_CHOICE
from rooftree.capture.source_setup.post_settings import ANSWER_FORMATS, CHANNELS
from rooftree.leads.models import Source
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import (
    LinesField,
    StaffForm,
    choice_field,
    text_field,
    textarea_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

STATUSES = {"200": "200 OK", "201": "201 Created"}


class WebhookForm(StaffForm):
    """How a sender is verified and what it gets as a response."""

    channel = choice_field("Type of sender", CHANNELS.items())
    proof = choice_field(
        "Verified by", PROOF_LABELS.items(), "In addition to the secret post address"
    )
    header = text_field(
        "Header of the secret or signature", "For example X-Api-Key", required=False
    )
    user = text_field(
        "User name", "For user name and password. Empty: any user name", required=False
    )
    networks = LinesField(
        "Allowed IP addresses", "One per line, for example 203.0.113.0/24. Empty: all"
    )
    answer = choice_field("Response format", ANSWER_FORMATS.items())
    status = choice_field("Status on success", STATUSES.items())
    success = textarea_field(
        "Response on success", "{id} stands for the delivery ID. Empty: the default"
    )
    failure = textarea_field(
        "Response on failure", "{error} stands for the reason. Empty: the default"
    )

    FIELDSETS = (
        ("Sender", ("channel", "proof", "header", "user", "networks")),
        ("Responses", ("answer", "status", "success", "failure")),
    )
    GENERIC_ONLY_FIELDS = ("channel", "answer", "status", "success", "failure")

    def __init__(self, *args: Any, is_generic: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in () if is_generic else self.GENERIC_ONLY_FIELDS:
            del self.fields[name]

    def webhook_columns(self) -> dict[str, Any]:
        """Return the typed values as `save_post_settings` stores them."""
        typed = dict(self.cleaned_data)
        if "status" in typed:
            typed["status"] = 201 if typed["status"] == "201" else None
        return typed


@staff_view("GET", "POST")
def edit_webhook(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Show the verification and responses of a source; a POST saves them."""
    require_permission(request.user, "edit_sources")
    source = get_object_or_404(Source, pk=source_id, adapter__in=ADAPTERS_WITH_PROOF_CHOICE)
    form = WebhookForm(
        request.POST or None,
        initial=_webhook_initial(source),
        is_generic=source.adapter == "generic",
    )

    def save(_: dict[str, Any]) -> Source:
        return post_settings.save_post_settings(
            source_id=source.pk, details=form.webhook_columns(), by=request.user, at=request.at
        )

    if request.method == "POST" and form.submit(save):
        page_url = reverse("source_posts", args=[source.pk])
        return respond_done(request, f"{source.name} saved", back_to=page_url)
    status = 422 if request.method == "POST" else 200
    context = {"source": source, "form": form}
    return render(request, "sources/webhook_settings.html", context, status=status)


def _webhook_initial(source: Source) -> dict[str, Any]:
    stored = {
        name: source.setup[name] for name in post_settings.POST_SETTINGS if name in source.setup
    }
    defaults = {
        "channel": "aggregator",
        "answer": "json",
        "proof": posting_instructions.default_proof(source),
    }
    return {**defaults, **stored, "status": str(stored.get("status", 200))}
