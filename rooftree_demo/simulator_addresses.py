"""Where the outside world of this run answers, told to every process by the environment."""

import os
import socket
from contextlib import ExitStack
from dataclasses import astuple, dataclass, fields
from pathlib import Path

ACCOUNT_SID = "AC" + "5a" * 16  # the simulated Twilio's own
AUTH_TOKEN = "twilio-simulator-token"  # noqa: S105
MAIN_NUMBER = "+15125550100"
PORTS_VARIABLE = "ROOFTREE_DEMO_PORTS"
INBOX_DOMAIN = "inbox.lindenfield.example"  # whose mail reaches us
MAIL_SECRET = "the-demos-mail-server"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorAddresses:
    """The ports of the simulators on this machine."""

    ctl: int
    enc: int
    twilio: int
    smtp: int
    meta: int = 0
    linkedin: int = 0
    trustedform: int = 0
    intercom: int = 0
    drift: int = 0
    imap: int = 0
    dncscrub: int = 0

    @property
    def control(self) -> str:
        return f"http://127.0.0.1:{self.ctl}/_sim"

    @property
    def encompass(self) -> str:
        return f"http://127.0.0.1:{self.enc}"

    def as_text(self) -> str:
        """As `of_environment` reads it."""
        return ",".join(str(port) for port in astuple(self))

    def environment(self) -> dict[str, str]:
        """The settings that point an installation at these simulators."""
        asked = {
            "meta_lead_ads": self.meta,
            "linkedin_lead_sync": self.linkedin,
            "consent_trustedform": self.trustedform,
            "chat_intercom": self.intercom,
            "chat_drift": self.drift,
            "numbers_lists": self.dncscrub,
            "numbers_reassigned": self.dncscrub,
        }
        return {
            PORTS_VARIABLE: self.as_text(),
            "ROOFTREE_UPSTREAMS": ",".join(
                f"{key}=http://127.0.0.1:{port}" for key, port in asked.items()
            ),
            "ROOFTREE_CARRIER": "twilio",
            "TWILIO_BASE_URL": f"http://127.0.0.1:{self.twilio}",
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_NUMBERS": MAIN_NUMBER,
            "ROOFTREE_SMTP_HOST": "127.0.0.1",
            "ROOFTREE_SMTP_PORT": str(self.smtp),
            "ROOFTREE_SMTP_TLS": "false",
            "ROOFTREE_SMTP_USER": "",
            "ROOFTREE_SMTP_PASSWORD": "",
            "ROOFTREE_MAIL_BACKEND": "",
            "ROOFTREE_REPLY_DOMAIN": INBOX_DOMAIN,
            "ROOFTREE_MAIL_IN_SECRET": MAIL_SECRET,
            "ROOFTREE_MAIL_FROM": "Lindenfield Mortgage <hello@lindenfield.example>",
        }


def read_addresses() -> SimulatorAddresses:
    """The addresses that `rooftree demo` gave its processes. KeyError outside of one."""
    return _from_ports([int(one) for one in os.environ[PORTS_VARIABLE].split(",")])


def simulator_folder() -> Path:
    """Where the outside world keeps what a restart must not lose."""
    from django.conf import settings

    return Path(settings.ROOFTREE_HOME) / "demo" / "outside"


def find_free_addresses() -> SimulatorAddresses:
    """Ports that nobody uses at this moment, so that two demos run side by side."""
    with ExitStack() as held:
        return _from_ports(_free_ports(held, len(fields(SimulatorAddresses))))


def _from_ports(ports: list[int]) -> SimulatorAddresses:
    return SimulatorAddresses(
        **dict(zip((field.name for field in fields(SimulatorAddresses)), ports, strict=True))
    )


def _free_ports(held: ExitStack, count: int) -> list[int]:
    probes = [held.enter_context(socket.socket()) for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    return [int(probe.getsockname()[1]) for probe in probes]
