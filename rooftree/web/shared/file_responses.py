"""Answering with a file."""

from django.http import HttpResponse


def csv_response(text: str, name: str) -> HttpResponse:
    """A spreadsheet to be saved under a name, never shown in the browser."""
    answer = HttpResponse(text.encode(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
