"""The ledger: walked to its end, its signed heads, and the keys that anybody may compare with."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from rooftree.ledger import verify
from rooftree.ledger.models import Event
from rooftree.org.models import Company
from rooftree.reporting import heads, signing
from rooftree.reporting.models import PublishedHead, SigningKey
from rooftree.web.answers import done
from rooftree.web.page import must, staff

SHOWN = 30  # heads on the page


@staff("GET")
def show(request: HttpRequest) -> HttpResponse:
    """Walk the whole chain and say what was found; the newest heads."""
    must(request.user, "see_compliance")
    rows = PublishedHead.objects.select_related("key").order_by("-sequence")
    context = {
        "report": verify.verify(),
        "heads": rows[:SHOWN],
        "head_count": rows.count(),
        "wrong": list(heads.problems(heads.exported(one) for one in rows)),
        "key": SigningKey.objects.filter(until_at=None).first(),
        "folder": settings.HEADS_FOLDER,
        "keys_at": request.build_absolute_uri(reverse("signing_keys")),
    }
    return render(request, "compliance/ledger.html", context)


@staff("GET")
def download(request: HttpRequest) -> HttpResponse:
    """Every signed head, one on a line: to be kept elsewhere, and compared with some day."""
    must(request.user, "see_compliance")
    rows = PublishedHead.objects.select_related("key").order_by("sequence")
    text = "".join(json.dumps(heads.exported(one), sort_keys=True) + "\n" for one in rows)
    answer = HttpResponse(text, content_type="application/jsonl")
    name = f"ledger heads {request.at:%Y-%m-%d}.jsonl"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@staff("POST")
def publish(request: HttpRequest) -> HttpResponse:
    """Sign the end of the ledger now, without waiting for the end of the day."""
    must(request.user, "see_compliance")
    head = heads.publish(at=request.at)
    said = f"Entry {head.sequence} is the newest signed head" if head else "Nothing is sealed yet"
    return done(request, said, back_to=reverse("compliance_ledger"))


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The public keys of the company, for whoever holds something that we signed."""
    company = Company.objects.first()
    said: dict[str, Any] = {
        "company": company.legal_name if company else "",
        "nmls_id": company.nmls_id if company else "",
        "keys": signing.published(),
    }
    return JsonResponse(said)


def standing() -> dict[str, int]:
    """How far the chain is sealed; cheap, unlike walking it."""
    last = Event.objects.exclude(sequence=None).order_by("-sequence").values("sequence").first()
    return {
        "sealed": last["sequence"] if last else 0,
        "unsealed": Event.objects.filter(sequence=None).count(),
    }
