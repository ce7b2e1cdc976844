"""The addresses of this run's simulators, passed to every process in the environment."""

import os
import socket
from contextlib import ExitStack
from dataclasses import astuple, dataclass, fields
from pathlib import Path

ACCOUNT_SID = "AC" + "5a" * 16  # the simulated Twilio's account
AUTH_TOKEN = "twilio-simulator-token"  # noqa: S105
MAIN_NUMBER = "+15125550100"
PORTS_VARIABLE = "ROOFTREE_DEMO_PORTS"
INBOX_DOMAIN = "inbox.lindenfield.example"  # domain of inbound email
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
        """Return the ports as text, as `read_addresses` reads them."""
        return ",".join(str(port) for port in astuple(self))

    def environment(self) -> dict[str, str]:
        """Return the settings that point an installation at these simulators."""
        upstreams = {
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
                f"{key}=http://127.0.0.1:{port}" for key, port in upstreams.items()
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
    """Read the addresses that `rooftree demo` gave its processes. Raises `KeyError` outside one."""
    return _from_ports([int(port) for port in os.environ[PORTS_VARIABLE].split(",")])


def simulator_folder() -> Path:
    """Return the folder of simulator data that must outlive a restart."""
    from django.conf import settings

    return Path(settings.ROOFTREE_HOME) / "demo" / "outside"


def find_free_addresses() -> SimulatorAddresses:
    """Find ports that are free now, so two demos can run side by side."""
    with ExitStack() as open_sockets:
        ports = []
        for _ in fields(SimulatorAddresses):
            probe = open_sockets.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            ports.append(int(probe.getsockname()[1]))
        return _from_ports(ports)


def _from_ports(ports: list[int]) -> SimulatorAddresses:
    return SimulatorAddresses(
        **dict(zip((field.name for field in fields(SimulatorAddresses)), ports, strict=True))
    )
