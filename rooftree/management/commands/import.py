"""`rooftree import dnc FILE`: load a do-not-contact list as its registry hands it out."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.timezone import now

from rooftree.compliance.dnc_file import NotAList, day_in
from rooftree.compliance.load_dnc import NATIONAL, REGISTRIES, Loaded, Upload, load
from rooftree.management import base


class Command(base.Command):
    """Load lists from files."""

    help = "Load a do-not-contact list: national, a state's, litigators or our own."
    example = "rooftree import dnc 2026-11-20_212.txt --dry-run"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the kind, the files and what they are."""
        parser.add_argument("kind", choices=["dnc"])
        parser.add_argument("files", nargs="+", type=Path, help="text or ZIP, as downloaded")
        parser.add_argument("--list", choices=REGISTRIES, default=NATIONAL, dest="registry")
        parser.add_argument(
            "--dated", type=_day, help="the day of the download; else the day in the file's name"
        )
        parser.add_argument("--whole", action="store_true", help="it is whole although far smaller")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")
        parser.add_argument("--json", action="store_true", help="one JSON object a file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load each file by itself; the first that is refused ends it with exit 1."""
        for path in options["files"]:
            dated = options["dated"] or day_in(path.name)
            if dated is None:
                raise base.Wrong(f"{path.name} names no day; say --dated 2026-11-20.")
            try:
                done = self._load(path, dated, options)
            except NotAList as problem:
                raise base.FoundWrong(f"{path}: {problem}") from problem
            self.stdout.write(
                json.dumps(_as_json(path, done))
                if options["json"]
                else _line(path, done, options["dry_run"])
            )

    def _load(self, path: Path, dated: date, options: dict[str, Any]) -> Loaded:
        with path.open("rb") as file:
            upload = Upload(
                registry=options["registry"],
                name=path.name,
                dated=dated,
                file=file,
                may_shrink=options["whole"],
            )
            return load(upload, by=None, at=now(), is_trial=options["dry_run"])


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _line(path: Path, done: Loaded, is_trial: bool) -> str:
    if done.was_known:
        return f"{path}: loaded before, nothing to do"
    would = "would be " if is_trial else ""
    areas = f", area codes {' '.join(done.areas)}" if done.areas != ("",) else ""
    return (
        f"{path}: {done.registry} of {done.dated}, {done.added:,} {would}added, "
        f"{done.removed:,} taken off, {done.numbers:,} listed in it{areas}"
    )


def _as_json(path: Path, done: Loaded) -> dict[str, Any]:
    return {
        "file": str(path),
        "list": done.registry,
        "dated": done.dated.isoformat(),
        "is_change": done.is_change,
        "added": done.added,
        "removed": done.removed,
        "numbers": done.numbers,
        "areas": list(done.areas),
        "was_known": done.was_known,
    }
