"""Start the simulators, in this process or in their own."""

import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from rooftree_simulators.ads.linkedin import LinkedIn
from rooftree_simulators.ads.meta import Meta
from rooftree_simulators.ads.trustedform import TrustedForm
from rooftree_simulators.byte_vendor import Byte
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
from rooftree_simulators.lendingpad.lendingpad_vendor import LendingPad
from rooftree_simulators.numbers.dncscrub import DncScrub
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.smtp_mailbox import SmtpListener, SmtpMailbox
from rooftree_simulators.twilio.twilio_vendor import Twilio
from rooftree_simulators.vendor_base import SimulatorSetup, Vendor
from rooftree_simulators.vendor_server import HttpListener


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The port of each simulator on 127.0.0.1; 0 takes a free port."""

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
    lp: int = 0
    byte: int = 0


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
        self.lendingpad = LendingPad(setup)
        self.byte = Byte(setup)
        http_vendors: tuple[Vendor, ...] = (
            *(self.meta, self.linkedin, self.trustedform),
            *(self.intercom, self.drift),
            *(self.salesforce, self.hubspot, self.zoho, self.pipedrive, self.monday),
            self.dncscrub,
            self.lendingpad,
            self.byte,
        )
        vendors: dict[str, Vendor] = {
            vendor.key: vendor
            for vendor in (self.encompass, self.twilio, self.mailbox, self.imap, *http_vendors)
        }
        self.control = ControlApi(setup, vendors)
        self._listeners: list[HttpListener | SmtpListener | ImapListener] = []
        try:
            self.ports = self._start_listeners(ports, http_vendors)
        except BaseException:
            self.stop()
            raise

    def _start_listeners(self, ports: Ports, http_vendors: tuple[Vendor, ...]) -> Ports:
        """Start all listeners and return their ports."""
        ctl = self._add_listener(HttpListener(self.control, ports.ctl))
        enc = self._add_listener(HttpListener(self.encompass, ports.enc))
        twilio = self._add_listener(HttpListener(self.twilio, ports.twilio))
        mail = self._add_listener(SmtpListener(self.mailbox, ports.smtp or find_free_port()))
        imap = self._add_listener(ImapListener(self.imap, ports.imap))
        listeners = {
            vendor.key: self._add_listener(HttpListener(vendor, getattr(ports, vendor.key)))
            for vendor in http_vendors
        }
        return Ports(
            ctl=ctl.port,
            enc=enc.port,
            twilio=twilio.port,
            smtp=mail.port,
            imap=imap.port,
            **{key: listener.port for key, listener in listeners.items()},
        )

    def _add_listener[Kind: (HttpListener, SmtpListener, ImapListener)](
        self, listener: Kind
    ) -> Kind:
        self._listeners.append(listener)
        return listener

    @property
    def urls(self) -> dict[str, str]:
        """Base URLs by vendor key; `smtp` and `imap` are host:port."""
        urls = {name: f"http://127.0.0.1:{port}" for name, port in asdict(self.ports).items()}
        return urls | {name: f"127.0.0.1:{getattr(self.ports, name)}" for name in ("smtp", "imap")}

    def stop(self) -> None:
        """Close every port and drop the jobs waiting on the clock."""
        self.clock.stop()
        listening, self._listeners = self._listeners, []
        if listening:
            with ThreadPoolExecutor(len(listening)) as pool:  # each stop waits for its own thread
                list(pool.map(lambda listener: listener.stop(), listening))
        self.encompass.instance.close()

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
    """Start all simulators and return once they all listen.

    Args:
        clock: the run's own clock; None uses real time. `stop` stops it.
        latency_scale: 0 answers at once, 1 takes about as long as the real vendors.
        folder: where loan files are stored for a later start; None stores nothing.

    Raises `OSError` when a port is taken.
    """
    setup = SimulatorSetup(
        clock=clock or SimulatedClock(), seed=seed, latency_scale=latency_scale, folder=folder
    )
    return Simulators(setup, ports or Ports())


def find_free_port() -> int:
    """Return a TCP port on 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
