"""The progress of loading the demo's history, shown above every page until it is complete.

The loader writes the file that is read here. This URL exists only in a demo.
"""

import json
from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.web.shared.staff_view import staff_view

PROGRESS_FILE = ("demo", "loading.json")  # in ROOFTREE_HOME


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryProgress:
    """How much of the demo's history is loaded."""

    month_label: str  # the month being loaded: "June 2025"
    pct: int  # percent of that month
    loaded: int  # leads loaded so far
    total: int  # leads in all

    @property
    def url(self) -> str:
        """URL that renders this progress again."""
        return reverse("loading")

    @property
    def loaded_text(self) -> str:
        """Leads loaded, as `1,200 of 3,000 leads`."""
        return f"{self.loaded:,} of {self.total:,} leads"


def read_progress() -> HistoryProgress | None:
    """Read the progress; None when loading is complete or this is not a demo."""
    if not settings.IS_DEMO:
        return None
    try:
        data = json.loads(settings.ROOFTREE_HOME.joinpath(*PROGRESS_FILE).read_text())
        progress = HistoryProgress(
            month_label=data["what"], pct=data["pct"], loaded=data["told"], total=data["of"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not written yet, or by another release
    return progress if progress.month_label else None


@staff_view("GET")
def show_progress(request: HttpRequest) -> HttpResponse:
    """Render the current progress; empty when loading is complete."""
    if not settings.IS_DEMO:
        raise Http404
    return render(request, "demo/_history_progress.html")
