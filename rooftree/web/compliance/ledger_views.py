"""The ledger: walked to its end, its signed heads, and the keys that anybody may compare with."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
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
    """Walk the whole chain and say what was found; the newest heads."""
    require_permission(request.user, "see_compliance")
    rows = PublishedHead.objects.select_related("key").order_by("-sequence")
    context = {
        "report": verify_chain.verify_ledger(),
        "heads": rows[:MAX_LISTED],
        "head_count": rows.count(),
        "wrong": list(
            ledger_checkpoints.find_problems(ledger_checkpoints.export_head(row) for row in rows)
        ),
        "key": SigningKey.objects.filter(until_at=None).first(),
        "folder": settings.HEADS_FOLDER,
        "keys_at": request.build_absolute_uri(reverse("signing_keys")),
    }
    return render(request, "compliance/ledger.html", context)


@staff_view("GET")
def download_heads(request: StaffRequest) -> HttpResponse:
    """Every signed head, one on a line: to be kept elsewhere, and compared with some day."""
    require_permission(request.user, "see_compliance")
    rows = PublishedHead.objects.select_related("key").order_by("sequence")
    text = "".join(
        json.dumps(ledger_checkpoints.export_head(row), sort_keys=True) + "\n" for row in rows
    )
    answer = HttpResponse(text, content_type="application/jsonl")
    name = f"ledger heads {request.at:%Y-%m-%d}.jsonl"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@staff_view("POST")
def publish_head(request: StaffRequest) -> HttpResponse:
    """Sign the end of the ledger now, without waiting for the end of the day."""
    require_permission(request.user, "see_compliance")
    head = ledger_checkpoints.publish_head(at=request.at)
    said = f"Entry {head.sequence} is the newest signed head" if head else "Nothing is sealed yet"
    return respond_done(request, said, back_to=reverse("compliance_ledger"))


@require_safe
def serve_signing_keys(request: StaffRequest) -> HttpResponse:
    """The public keys of the company, for whoever holds something that we signed."""
    company = Company.objects.first()
    said: dict[str, Any] = {
        "company": company.legal_name if company else "",
        "nmls_id": company.nmls_id if company else "",
        "keys": signing_keys.list_public_keys(),
    }
    return JsonResponse(said)


def sealing_status() -> dict[str, int]:
    """How far the chain is sealed; cheap, unlike walking it."""
    last = Event.objects.exclude(sequence=None).order_by("-sequence").values("sequence").first()
    return {
        "sealed": last["sequence"] if last else 0,
        "unsealed": Event.objects.filter(sequence=None).count(),
    }
