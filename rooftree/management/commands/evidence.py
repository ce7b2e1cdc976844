"""`rooftree evidence PHONE_OR_EMAIL -o FILE.zip`, and `rooftree evidence verify FILE.zip`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from rooftree.compliance.evidence_check import NoEvidence, problems, signed_by
from rooftree.management import base


class Command(base.Command):
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
                raise base.Wrong("say which file: rooftree evidence verify FILE.zip")
            self._verify(Path(words[1]), options["key"] or "")
            return
        self._make(" ".join(words), options["output"])

    def _verify(self, path: Path, key: str) -> None:
        try:
            found = problems(path)
            signer = signed_by(path)
        except NoEvidence as bad:
            raise base.FoundWrong(str(bad)) from bad
        for one in found:
            self.stdout.write(one)
        if found:
            raise base.FoundWrong(f"{len(found)} things in {path.name} are not what was written.")
        if not signer.startswith(key.lower()):
            raise base.FoundWrong(f"{path.name} is whole, but it was signed by key {signer}.")
        self.stdout.write(f"{path.name} is whole: every part of it holds.")
        self.stdout.write(f"Signed by key {signer}; compare it with the one the lender publishes.")

    def _make(self, typed: str, output: Path | None) -> None:
        from django.utils.timezone import now

        from rooftree.core.emails import comparison_key, email_address
        from rooftree.core.phones import phone_number
        from rooftree.reporting.evidence_file import make

        if output is None:
            raise base.Wrong("say where to write it: -o FILE.zip")
        mail = email_address(typed)
        address = comparison_key(mail) if mail else phone_number(typed).e164
        if not address:
            raise base.Wrong(f"{typed} is no phone number and no e-mail address")
        with output.open("xb") as file:
            file.write(make(address, actor="system:operator", at=now()))
        self.stdout.write(str(output))
