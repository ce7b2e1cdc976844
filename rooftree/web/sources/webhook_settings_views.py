"""How a source that may post anything proves itself and is answered."""

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
    """What the sender must prove and hears."""

    channel = choice_field("What kind of sender", CHANNELS.items())
    proof = choice_field(
        "Proves itself by", PROOF_LABELS.items(), "Besides the address nobody can guess"
    )
    header = text_field("Header of the secret or the signature", "As X-Api-Key", required=False)
    user = text_field("User name", "For a user name and a password; empty: any", required=False)
    networks = LinesField(
        "Only from these addresses", "As 203.0.113.0/24, one a line; empty: from all"
    )
    answer = choice_field("Is answered in", ANSWER_FORMATS.items())
    status = choice_field("When it went well", STATUSES.items())
    success = textarea_field(
        "The answer when it went well", "{id} stands for our id; empty: the usual"
    )
    failure = textarea_field(
        "The answer when it is turned away", "{error} stands for why; empty: the usual"
    )

    FIELDSETS = (
        ("Who it is", ("channel", "proof", "header", "user", "networks")),
        ("What it hears", ("answer", "status", "success", "failure")),
    )
    GENERIC_ONLY_FIELDS = ("channel", "answer", "status", "success", "failure")  # not a known vendor's

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        is_free = kwargs.pop("is_free")
        super().__init__(*args, **kwargs)
        for name in () if is_free else self.GENERIC_ONLY_FIELDS:
            del self.fields[name]

    def webhook_columns(self) -> dict[str, Any]:
        """What was typed, as the set-up keeps it."""
        typed = dict(self.cleaned_data)
        if "status" in typed:
            typed["status"] = 201 if typed["status"] == "201" else None
        return typed


@staff_view("GET", "POST")
def edit_webhook(request: StaffRequest, source_id: UUID) -> HttpResponse:
    """Set it, or look at it."""
    source = _get_source(request, source_id)
    if request.method == "GET":
        return _render_page(request, source, _build_form(source))
    form = _build_form(source, request.POST)

    def tell(_: dict[str, Any]) -> Source:
        return post_settings.save_post_settings(
            source_id=source.pk, details=form.webhook_columns(), by=request.user, at=request.at
        )

    if form.submit(tell):
        return respond_done(request, f"{source.name} is kept", back_to=_page_url(source))
    return _render_page(request, source, form, status=422)


def _build_form(source: Source, typed: Any = None) -> WebhookForm:
    return WebhookForm(typed, initial=_webhook_initial(source), is_free=source.adapter == "generic")


def _get_source(request: StaffRequest, source_id: UUID) -> Source:
    require_permission(request.user, "edit_sources")
    return get_object_or_404(Source, pk=source_id, adapter__in=ADAPTERS_WITH_PROOF_CHOICE)


def _page_url(source: Source) -> str:
    return reverse("source_posts", args=[source.pk])


def _webhook_initial(source: Source) -> dict[str, Any]:
    told = {
        name: source.setup[name] for name in post_settings.POST_SETTINGS if name in source.setup
    }
    usual = {
        "channel": "aggregator",
        "answer": "json",
        "proof": posting_instructions.default_proof(source),
    }
    return {**usual, **told, "status": str(told.get("status", 200))}


def _render_page(
    request: StaffRequest, source: Source, form: WebhookForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {"source": source, "form": form, **more}
    return render(request, "sources/webhook_settings.html", context, status=status)
