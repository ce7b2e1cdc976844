"""Write the leads behind a figure of Home to a file; logs who and why."""

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
    """Writes the same file as the button on Home, with the same permissions and log entries."""

    help = "Export the leads that a user can see as CSV; the audit log records who and why."
    example = 'rooftree export funded --period 2026-q3 --by ana@lender.example --because "board"'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare which leads to export, by whom and why."""
        parser.add_argument("number", choices=FIGURE_TITLES, help="which figure of Home")
        parser.add_argument(
            "--period", help="2026-11, 2026-q3 or 12m-2026-10 (default: last quarter)"
        )
        parser.add_argument("--source", help="short name of one source")
        parser.add_argument("--by", required=True, help="your work email, for the log")
        parser.add_argument("--because", required=True, help="the reason, for the log")
        parser.add_argument(
            "-o", "--output", type=Path, help="the file to write (default: standard output)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file; print the number of leads on stderr."""
        at, number = now(), options["number"]
        by = require_operator(options["by"], verb="export")
        period = _find_period(options["period"], company_day(at))
        scope = FigureScope(
            period=period,
            source_id=_find_source(options["source"]).pk if options["source"] else None,
            branch_paths=[by.branch.path] if by.branch else None,
        )
        leads = leads_behind_figure(number, scope, visible=leads_visible_to(by))
        intent = ExportIntent(
            user_id=by.pk, subject=f"records:{number}", reason=options["because"], caller=NO_CLIENT,
            query=f"command {period.key} {options['source'] or ''}".strip(),
        )  # fmt: skip
        try:
            text, count = lead_export.export_leads_csv(leads, intent, at=at)
        except NotAllowed as problem:
            export_approval.request_approval(
                intent,
                number=leads.count(),
                approvers=users_with_permission("approve_export"),
                at=at,
            )
            raise command_base.CheckFailed(
                f"{problem} They have been asked. Run the same command again after approval."
            ) from problem
        except CannotExport as problem:
            raise command_base.CheckFailed(str(problem)) from problem
        if options["output"]:
            options["output"].write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")
        self.stderr.write(f"{FIGURE_TITLES[number]}, {period.label}: {count:,} leads")


def _find_period(text: str | None, today: date) -> ReportPeriod:
    """Return the period named by the option; without it, the last complete quarter."""
    period = parse_period(text.lower(), today) if text else last_complete_period("quarter", today)
    if period is None:
        raise command_base.UsageError(
            f"{text} isn't a period. Use 2026-11, 2026-q3 or 12m-2026-10."
        )
    return period


def _find_source(slug: str) -> Source:
    source = Source.objects.filter(slug=slug).first()
    if source is None:
        names = ", ".join(Source.objects.order_by("slug").values_list("slug", flat=True))
        raise command_base.UsageError(f"there is no source named {slug}. Available: {names}.")
    return source
