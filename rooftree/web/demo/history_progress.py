"""How far the demo's history is loaded: a line over every page until all of it is there.

Who loads it writes the file read here, and nothing else knows of it. The address
exists in the demo alone.
"""

import json
from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.web.shared.staff_view import staff_view

PROGRESS_FILE = ("demo", "loading.json")  # below ROOFTREE_HOME


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryProgress:
    """What is told so far."""

    what: str  # "June 2025"
    pct: int  # of that
    told: int  # leads that are there
    of: int

    @property
    def address(self) -> str:
        """Where the line is had anew."""
        return reverse("loading")

    @property
    def counted(self) -> str:
        return f"{self.told:,} of {self.of:,} leads"


def read_progress() -> HistoryProgress | None:
    """What of the made-up history is still to come; None when all is there, or none is due."""
    if not settings.IS_DEMO:
        return None
    try:
        kept = json.loads(settings.ROOFTREE_HOME.joinpath(*PROGRESS_FILE).read_text())
        now = HistoryProgress(what=kept["what"], pct=kept["pct"], told=kept["told"], of=kept["of"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it is being made, or another release made it
    return now if now.what else None


@staff_view("GET")
def show_progress(request: HttpRequest) -> HttpResponse:
    """The line as it is now; empty when there is nothing more to wait for."""
    if not settings.IS_DEMO:
        raise Http404
    return render(request, "demo/_history_progress.html")
