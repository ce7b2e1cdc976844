"""`rooftree evidence PHONE_OR_EMAIL -o FILE.zip`, and `rooftree evidence verify FILE.zip`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from rooftree.compliance.evidence.evidence_file_check import (
    BadEvidenceFile,
    find_problems,
    signing_key_fingerprint,
)
from rooftree.management import command_base


class Command(command_base.Command):
    """Make or check an evidence file."""

    help = "Everything about one number or address, to hand over; or check such a file."
    example = "rooftree evidence '(813) 555-0142' -o ortiz.zip; rooftree evidence verify ortiz.zip"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what it is about, or the file to check."""
        parser.add_argument("words", nargs="+", help="a number or address; or: verify FILE.zip")
        parser.add_argument(
            "--key",
            help="when checking: the name of the key that must have signed it, or its start",
        )
        parser.add_argument("-o", "--output", type=Path, help="where to write; never overwritten")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the file, or say what is wrong with one and exit with 1."""
        words = options["words"]
        if words[0] == "verify":
            if len(words) != 2:
                raise command_base.UsageError("say which file: rooftree evidence verify FILE.zip")
            self._verify_file(Path(words[1]), options["key"] or "")
            return
        self._make_file(" ".join(words), options["output"])

    def _verify_file(self, path: Path, key: str) -> None:
        try:
            found = find_problems(path)
            signer = signing_key_fingerprint(path)
        except BadEvidenceFile as bad:
            raise command_base.CheckFailed(str(bad)) from bad
        for find_problem in found:
            self.stdout.write(find_problem)
        if found:
            raise command_base.CheckFailed(
                f"{len(found)} things in {path.name} are not what was written."
            )
        if not signer.startswith(key.lower()):
            raise command_base.CheckFailed(
                f"{path.name} is whole, but it was signed by key {signer}."
            )
        self.stdout.write(f"{path.name} is whole: every part of it holds.")
        self.stdout.write(f"Signed by key {signer}; compare it with the one the lender publishes.")

    def _make_file(self, typed: str, output: Path | None) -> None:
        from django.utils.timezone import now

        from rooftree.core.email_addresses import comparison_key, parse_email_address
        from rooftree.core.phone_numbers import parse_phone_number
        from rooftree.reporting.evidence.evidence_archive import build_archive

        if output is None:
            raise command_base.UsageError("say where to write it: -o FILE.zip")
        mail = parse_email_address(typed)
        address = comparison_key(mail) if mail else parse_phone_number(typed).e164
        if not address:
            raise command_base.UsageError(f"{typed} is no phone number and no e-mail address")
        with output.open("xb") as file:
            file.write(build_archive(address, actor="system:operator", at=now()))
        self.stdout.write(str(output))
