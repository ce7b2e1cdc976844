"""Set up a new installation: its address, secrets, database and first administrator."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rooftree.core import app_secrets, data_dir, settings_readers
from rooftree.core.email_addresses import parse_email_address
from rooftree.core.environment_file import read_environment_file, write_environment_file
from rooftree.management import command_base

LOCAL_HOSTS = {"localhost", "127.0.0.1"}
COMMAND = [sys.executable, "-m", "rooftree"]


class Command(command_base.Command):
    """Asks what it is not told, and can be repeated: secrets that exist are kept."""

    help = "Set up an installation: address, secrets, database, first administrator."
    example = 'rooftree setup --address https://leads.example.com --email a@b.example --name "A B"'
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--address", help="how browsers and vendors reach Rooftree")
        parser.add_argument("--port", type=int, help="the port to listen on (8000)")
        parser.add_argument("--email", help="work email of the first administrator")
        parser.add_argument("--name", help="first and last name of the first administrator")
        parser.add_argument(
            "--start",
            action="store_true",
            help="start serving without asking, like `rooftree serve`",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, write the settings, create the database, add the administrator, then serve."""
        home = Path(settings_readers.text("ROOFTREE_HOME", "~/.rooftree")).expanduser().absolute()
        data_dir.installation_kind(home, requested="production")  # refuses a demo's folder
        settings = read_environment_file(home)
        self._say(f"Setting up Rooftree in {home}. Press Enter to accept the value in brackets.")
        port = options["port"] or int(settings.get("PORT", "8000"))
        default_address = settings.get("ROOFTREE_PUBLIC_URL", f"http://localhost:{port}")
        address = parse_address(
            options["address"]
            or self._ask(
                "Public address, such as https://leads.example.com", default=default_address
            )
        )
        email = parse_email(options["email"] or self._ask("Your work email"))
        name = options["name"] or self._ask("Your first and last name")
        file = write_environment_file(home, settings | new_settings(settings, address, port))
        data_dir.record_installation_kind(home, "production")
        self._say(f"Settings and secrets are in {file}. Back them up: without them, stored")
        self._say("credentials can't be read. Creating the database and adding you…")
        added = subprocess.run(
            [*COMMAND, "administrator", email, name], check=False, stdout=subprocess.PIPE, text=True
        )
        if added.returncode:
            raise command_base.UsageError("setup stopped; fix the error above and run it again")
        self._say("\nOpen this link once Rooftree is running. Set your password there:")
        self.stdout.write(added.stdout.strip())
        if not address.startswith("https://"):
            self._say("This address works only on this server: for trying Rooftree, not for leads.")
        elif not options["start"]:
            self._say(f"Point your proxy at http://127.0.0.1:{port} (docs/how-to/go-live.md).")
        if options["start"] or (
            sys.stdin.isatty() and self._ask("Start Rooftree now?", default="yes") == "yes"
        ):
            self.stdout.flush()
            os.execv(sys.executable, [*COMMAND, "serve"])  # noqa: S606 (our own command line)
        self._say("Start it with: rooftree serve")

    def _ask(self, question: str, *, default: str = "") -> str:
        """Return what somebody types, else the default. Raises `UsageError` without a terminal."""
        if not sys.stdin.isatty():
            if default:
                return default
            raise command_base.UsageError("pass --email and --name when there is no terminal")
        suffix = f" [{default}]" if default else ""
        while True:
            self.stderr.write(f"{question}{suffix}: ", ending="")
            self.stderr.flush()
            answer = sys.stdin.readline().strip() or default
            if answer:
                return answer

    def _say(self, text: str) -> None:
        self.stderr.write(text)


def parse_address(text: str) -> str:
    """Return an address without its final slash. Raises `UsageError` for one that can't work."""
    address = text.strip().rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
        raise command_base.UsageError(f"{text} is not an address such as https://leads.example.com")
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS:
        raise command_base.UsageError(
            "http works only for a trial at http://localhost: borrowers’ data needs https"
        )
    return address


def parse_email(text: str) -> str:
    """Return a checked email address. Raises `UsageError`."""
    address = parse_email_address(text)
    if address is None:
        raise command_base.UsageError(f"{text} is not an email address")
    return address


def new_settings(existing: dict[str, str], address: str, port: int) -> dict[str, str]:
    """Return the settings for an address; secrets that exist are kept."""
    is_behind_proxy = address.startswith("https://")  # Rooftree itself has no certificate
    return {
        "ROOFTREE_ENV": "production",
        "ROOFTREE_PUBLIC_URL": address,
        "PORT": str(port),
        "ROOFTREE_BEHIND_TLS_PROXY": "true" if is_behind_proxy else "false",
        "ROOFTREE_SECRET_KEY": existing.get("ROOFTREE_SECRET_KEY") or app_secrets.new_signing_key(),
        "ROOFTREE_FIELD_KEYS": existing.get("ROOFTREE_FIELD_KEYS") or app_secrets.new_field_key(),
    }
