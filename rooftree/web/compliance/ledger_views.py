"""Compliance > Ledger: its verification, its signed heads, and the public signing keys."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from rooftree.ledger import verify_chain
from rooftree.ledger.models import Event
from rooftree.org.models import Company
from rooftree.reporting.evidence import ledger_checkpoints, signing_keys
from rooftree.reporting.models import PublishedHead, SigningKey
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

MAX_LISTED = 30  # heads on the page


@staff_view("GET")
def verify_ledger(request: StaffRequest) -> HttpResponse:
    """Verify the whole chain, and show the result with the newest signed heads."""
    require_permission(request.user, "see_compliance")
    rows = PublishedHead.objects.select_related("key").order_by("-sequence")
    context = {
        "report": verify_chain.verify_ledger(),
        "heads": rows[:MAX_LISTED],
        "head_count": rows.count(),
        "head_problems": list(
            ledger_checkpoints.find_problems(ledger_checkpoints.export_head(row) for row in rows)
        ),
        "key": SigningKey.objects.filter(until_at=None).first(),
        "folder": settings.HEADS_FOLDER,
        "keys_at": request.build_absolute_uri(reverse("signing_keys")),
    }
    return render(request, "compliance/ledger.html", context)


@staff_view("GET")
def download_heads(request: StaffRequest) -> HttpResponse:
    """Download every signed head, one JSON object per line, to keep and compare elsewhere."""
    require_permission(request.user, "see_compliance")
    rows = PublishedHead.objects.select_related("key").order_by("sequence")
    text = "".join(
        json.dumps(ledger_checkpoints.export_head(row), sort_keys=True) + "\n" for row in rows
    )
    response = HttpResponse(text, content_type="application/jsonl")
    name = f"ledger heads {request.at:%Y-%m-%d}.jsonl"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@staff_view("POST")
def publish_head(request: StaffRequest) -> HttpResponse:
    """Sign the end of the ledger now, without waiting for the end of the day."""
    require_permission(request.user, "see_compliance")
    head = ledger_checkpoints.publish_head(at=request.at)
    words = f"Signed the head at entry {head.sequence}" if head else "No entries are sealed yet"
    return respond_done(request, words, back_to=reverse("compliance_ledger"))


@require_safe
def serve_signing_keys(request: HttpRequest) -> HttpResponse:
    """Serve the company's public keys, so that anyone can check its signatures."""
    company = Company.objects.first()
    body: dict[str, Any] = {
        "company": company.legal_name if company else "",
        "nmls_id": company.nmls_id if company else "",
        "keys": signing_keys.list_public_keys(),
    }
    return JsonResponse(body)


def sealing_status() -> dict[str, int]:
    """Return how many entries are sealed and unsealed; cheap, unlike verifying the chain."""
    sequences = Event.objects.exclude(sequence=None).order_by("-sequence")
    return {
        "sealed": sequences.values_list("sequence", flat=True).first() or 0,
        "unsealed": Event.objects.filter(sequence=None).count(),
    }
