"""`rooftree export`: the leads behind a figure of Home, as a file, with a name and a reason."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from rooftree.leads.models import Source
from rooftree.management import command_base
from rooftree.management.operator_identity import require_operator
from rooftree.money.company_day import company_day
from rooftree.org.client_info import NO_CLIENT
from rooftree.reporting.exports import export_approval, lead_export
from rooftree.reporting.exports.export_approval import CannotExport, ExportIntent, NotAllowed
from rooftree.reporting.first_screen.figure_leads import (
    FIGURE_TITLES,
    FigureScope,
    leads_behind_figure,
)
from rooftree.reporting.first_screen.report_period import (
    ReportPeriod,
    last_complete_period,
    parse_period,
)
from rooftree.routing.permissions import leads_visible_to, users_with_permission


class Command(command_base.Command):
    """The same file as Home's button gives, under the same rights and with the same trace."""

    help = "Take leads out as CSV: those a named person may see, and the log keeps who and why."
    example = 'rooftree export funded --period 2026-q3 --by ana@lender.example --because "board"'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which leads, who takes them out, and why."""
        parser.add_argument("number", choices=FIGURE_TITLES, help="which figure of Home")
        parser.add_argument("--period", help="2026-11, 2026-q3 or 12m-2026-10; else last quarter")
        parser.add_argument("--source", help="short name of one source")
        parser.add_argument("--by", required=True, help="work e-mail of who answers for it")
        parser.add_argument("--because", required=True, help="why, kept beside the name")
        parser.add_argument("-o", "--output", type=Path, help="the file; else standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file; how many leads it holds goes to stderr."""
        at, number = now(), options["number"]
        by = require_operator(options["by"], verb="export")
        period = _find_period(options["period"], company_day(at))
        part = FigureScope(
            period=period,
            source_id=_find_source(options["source"]).pk if options["source"] else None,
            branch_paths=[by.branch.path] if by.branch else None,
        )
        leads = leads_behind_figure(number, part, visible=leads_visible_to(by))
        asked = ExportIntent(
            user_id=by.pk, subject=f"records:{number}", reason=options["because"], caller=NO_CLIENT,
            query=f"command {period.key} {options['source'] or ''}".strip(),
        )  # fmt: skip
        try:
            text, count = lead_export.export_leads_csv(leads, asked, at=at)
        except NotAllowed as refusal:
            export_approval.request_approval(
                asked,
                number=leads.count(),
                approvers=users_with_permission("approve_export"),
                at=at,
            )
            raise command_base.CheckFailed(
                f"{refusal} They are asked; say the same again once they have agreed."
            ) from refusal
        except CannotExport as refusal:
            raise command_base.CheckFailed(str(refusal)) from refusal
        if options["output"]:
            options["output"].write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")
        self.stderr.write(f"{FIGURE_TITLES[number]}, {period.label}: {count:,} leads")


def _find_period(text: str | None, today: date) -> ReportPeriod:
    """Return the period named by the option; without it, the last complete quarter."""
    period = parse_period(text.lower(), today) if text else last_complete_period("quarter", today)
    if period is None:
        raise command_base.UsageError(f"{text} is no period; say 2026-11, 2026-q3 or 12m-2026-10.")
    return period


def _find_source(slug: str) -> Source:
    found = Source.objects.filter(slug=slug).first()
    if found is None:
        names = ", ".join(Source.objects.order_by("slug").values_list("slug", flat=True))
        raise command_base.UsageError(f"there is no source named {slug}; there are: {names}")
    return found
