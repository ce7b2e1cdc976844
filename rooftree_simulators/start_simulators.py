"""Start the simulators, in this process or as their own."""

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from rooftree_simulators.ads.linkedin import LinkedIn
from rooftree_simulators.ads.meta import Meta
from rooftree_simulators.ads.trustedform import TrustedForm
from rooftree_simulators.chats.drift import Drift
from rooftree_simulators.chats.intercom import Intercom
from rooftree_simulators.control_api import ControlApi
from rooftree_simulators.crms.hubspot import HubSpot
from rooftree_simulators.crms.monday import Monday
from rooftree_simulators.crms.pipedrive import Pipedrive
from rooftree_simulators.crms.salesforce import Salesforce
from rooftree_simulators.crms.zoho import Zoho
from rooftree_simulators.encompass.encompass_vendor import Encompass
from rooftree_simulators.imap_mailbox import ImapListener, ImapMailbox
from rooftree_simulators.numbers.dncscrub import DncScrub
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.smtp_mailbox import SmtpListener, SmtpMailbox
from rooftree_simulators.twilio.twilio_vendor import Twilio
from rooftree_simulators.vendor_base import SimulatorSetup, Vendor
from rooftree_simulators.vendor_server import HttpListener


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where each listens on 127.0.0.1; 0 takes a free port."""

    ctl: int = 0
    enc: int = 0
    twilio: int = 0
    smtp: int = 0
    meta: int = 0
    linkedin: int = 0
    trustedform: int = 0
    intercom: int = 0
    drift: int = 0
    salesforce: int = 0
    hubspot: int = 0
    zoho: int = 0
    pipedrive: int = 0
    monday: int = 0
    dncscrub: int = 0
    imap: int = 0


class Simulators:
    """All vendors of one run. Use as a context manager, or call `stop`."""

    def __init__(self, setup: SimulatorSetup, ports: Ports) -> None:
        self.clock: SimulatedClock = setup.clock
        self.encompass = Encompass(setup)
        self.twilio = Twilio(setup)
        self.mailbox = SmtpMailbox(setup)
        self.imap = ImapMailbox(setup)
        self.meta = Meta(setup)
        self.linkedin = LinkedIn(setup)
        self.trustedform = TrustedForm(setup)
        self.intercom = Intercom(setup)
        self.drift = Drift(setup)
        self.salesforce = Salesforce(setup)
        self.hubspot = HubSpot(setup)
        self.zoho = Zoho(setup)
        self.pipedrive = Pipedrive(setup)
        self.monday = Monday(setup)
        self.dncscrub = DncScrub(setup)
        asked: tuple[Vendor, ...] = (
            *(self.meta, self.linkedin, self.trustedform),
            *(self.intercom, self.drift),
            *(self.salesforce, self.hubspot, self.zoho, self.pipedrive, self.monday),
            self.dncscrub,
        )
        vendors: dict[str, Vendor] = {
            row.key: row for row in (self.encompass, self.twilio, self.mailbox, self.imap, *asked)
        }
        self.control = ControlApi(setup, vendors)
        self._listeners: list[HttpListener | SmtpListener | ImapListener] = []
        try:
            self.ports = self._start_listeners(ports, asked)
        except BaseException:
            self.stop()
            raise

    def _start_listeners(self, ports: Ports, asked: tuple[Vendor, ...]) -> Ports:
        """Where each listens now; those of `asked` by the name of their vendor."""
        ctl = self._add_listener(HttpListener(self.control, ports.ctl))
        enc = self._add_listener(HttpListener(self.encompass, ports.enc))
        twilio = self._add_listener(HttpListener(self.twilio, ports.twilio))
        mail = self._add_listener(SmtpListener(self.mailbox, ports.smtp or _find_free_port()))
        imap = self._add_listener(ImapListener(self.imap, ports.imap))
        others = {
            vendor.key: self._add_listener(HttpListener(vendor, getattr(ports, vendor.key)))
            for vendor in asked
        }
        return Ports(
            ctl=ctl.port,
            enc=enc.port,
            twilio=twilio.port,
            smtp=mail.port,
            imap=imap.port,
            **{key: one.port for key, one in others.items()},
        )

    def _add_listener[Kind: (HttpListener, SmtpListener, ImapListener)](
        self, listener: Kind
    ) -> Kind:
        self._listeners.append(listener)
        return listener

    @property
    def urls(self) -> dict[str, str]:
        """Base URLs by vendor key; `smtp` and `imap` are host:port."""
        found = {name: f"http://127.0.0.1:{port}" for name, port in asdict(self.ports).items()}
        return found | {name: f"127.0.0.1:{getattr(self.ports, name)}" for name in ("smtp", "imap")}

    def stop(self) -> None:
        """Close every port and drop what was waiting on the clock."""
        self.clock.stop()
        listening, self._listeners = self._listeners, []
        if listening:
            with ThreadPoolExecutor(len(listening)) as several:  # each ends a wait of its own
                list(several.map(lambda one: one.stop(), listening))
        self.encompass.office.close()

    def __enter__(self) -> "Simulators":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_simulators(
    *,
    ports: Ports | None = None,
    clock: SimulatedClock | None = None,
    seed: int = 7,
    latency_scale: float = 0.0,
    folder: Path | None = None,
) -> Simulators:
    """Start every simulator and return when all listen.

    Args:
        clock: the run's own clock; without one, real time. It is stopped by `stop`.
        latency_scale: 0 answers at once, 1 takes about as long as the vendors do.
        folder: where loan files are kept, so that a later start has them; None keeps nothing.

    Raises `OSError` when a port is taken.
    """
    setup = SimulatorSetup(
        clock=clock or SimulatedClock(), seed=seed, latency_scale=latency_scale, folder=folder
    )
    return Simulators(setup, ports or Ports())


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
