"""Write or verify a signed file with all evidence about one number or address."""

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
    """Makes or verifies an evidence file."""

    help = "Write all evidence about one number or address to a file, or verify such a file."
    example = "rooftree evidence '(813) 555-0142' -o ortiz.zip; rooftree evidence verify ortiz.zip"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the number or address, or the file to verify."""
        parser.add_argument("words", nargs="+", help="a number or address; or: verify FILE.zip")
        parser.add_argument(
            "--key",
            help="when verifying: the fingerprint of the signing key, or how it starts",
        )
        parser.add_argument(
            "-o", "--output", type=Path, help="the file to write; never overwritten"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the file, or print what is wrong with one and exit with 1."""
        words = options["words"]
        if words[0] == "verify":
            if len(words) != 2:
                raise command_base.UsageError("name one file: rooftree evidence verify FILE.zip")
            self._verify_file(Path(words[1]), options["key"] or "")
            return
        self._make_file(" ".join(words), options["output"])

    def _verify_file(self, path: Path, key: str) -> None:
        try:
            problems = find_problems(path)
            signer = signing_key_fingerprint(path)
        except BadEvidenceFile as problem:
            raise command_base.CheckFailed(str(problem)) from problem
        for sentence in problems:
            self.stdout.write(sentence)
        if problems:
            raise command_base.CheckFailed(f"{path.name} has {len(problems)} problems.")
        if not signer.startswith(key.lower()):
            raise command_base.CheckFailed(
                f"{path.name} is complete and unchanged, but key {signer} signed it."
            )
        self.stdout.write(f"{path.name} is complete and unchanged.")
        self.stdout.write(
            f"Signed by key {signer}. Compare it with the key that the lender publishes."
        )

    def _make_file(self, typed: str, output: Path | None) -> None:
        from django.utils.timezone import now

        from rooftree.core.email_addresses import comparison_key, parse_email_address
        from rooftree.core.phone_numbers import parse_phone_number
        from rooftree.reporting.evidence.evidence_archive import build_archive

        if output is None:
            raise command_base.UsageError("add the file to write: -o FILE.zip")
        email = parse_email_address(typed)
        address = comparison_key(email) if email else parse_phone_number(typed).e164
        if not address:
            raise command_base.UsageError(f"{typed} isn't a phone number or an email address")
        with output.open("xb") as file:
            file.write(build_archive(address, actor="system:operator", at=now()))
        self.stdout.write(str(output))
