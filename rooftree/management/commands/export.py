"""`rooftree export`: the leads behind a figure of Home, as a file, with a name and a reason."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from rooftree.leads.models import Source
from rooftree.management import base
from rooftree.management.answering import who_answers
from rooftree.money.company_day import company_day
from rooftree.org.caller import NOWHERE
from rooftree.reporting import export, second_person
from rooftree.reporting.period import last_complete, named
from rooftree.reporting.records import NUMBERS, Slice, behind
from rooftree.reporting.second_person import Asked, CannotExport, NotAllowed
from rooftree.routing.visible import leads_visible_to, who_may


class Command(base.Command):
    """The same file as Home's button gives, under the same rights and with the same trace."""

    help = "Take leads out as CSV: those a named person may see, and the log keeps who and why."
    example = 'rooftree export funded --period 2026-q3 --by ana@lender.example --because "board"'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which leads, who takes them out, and why."""
        parser.add_argument("number", choices=NUMBERS, help="which figure of Home")
        parser.add_argument("--period", help="2026-11, 2026-q3 or 12m-2026-10; else last quarter")
        parser.add_argument("--source", help="short name of one source")
        parser.add_argument("--by", required=True, help="work e-mail of who answers for it")
        parser.add_argument("--because", required=True, help="why, kept beside the name")
        parser.add_argument("-o", "--output", type=Path, help="the file; else standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file; how many leads it holds goes to stderr."""
        at, number = now(), options["number"]
        by = who_answers(options["by"], verb="export")
        today = company_day(at)
        asked_for = options["period"]
        period = named(asked_for.lower(), today) if asked_for else last_complete("quarter", today)
        if period is None:
            raise base.Wrong(f"{asked_for} is no period; say 2026-11, 2026-q3 or 12m-2026-10.")
        part = Slice(
            period=period,
            source_id=_source(options["source"]).pk if options["source"] else None,
            branch_paths=[by.branch.path] if by.branch else None,
        )
        leads = behind(number, part, visible=leads_visible_to(by))
        asked = Asked(
            user_id=by.pk, subject=f"records:{number}", reason=options["because"], caller=NOWHERE,
            query=f"command {period.key} {options['source'] or ''}".strip(),
        )  # fmt: skip
        try:
            text, count = export.leads_csv(leads, asked, at=at)
        except NotAllowed as refusal:
            second_person.ask(
                asked, number=leads.count(), approvers=who_may("approve_export"), at=at
            )
            raise base.FoundWrong(
                f"{refusal} They are asked; say the same again once they have agreed."
            ) from refusal
        except CannotExport as refusal:
            raise base.FoundWrong(str(refusal)) from refusal
        if options["output"]:
            options["output"].write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")
        self.stderr.write(f"{NUMBERS[number]}, {period.label}: {count:,} leads")


def _source(slug: str) -> Source:
    found = Source.objects.filter(slug=slug).first()
    if found is None:
        names = ", ".join(Source.objects.order_by("slug").values_list("slug", flat=True))
        raise base.Wrong(f"there is no source named {slug}; there are: {names}")
    return found
