"""The world outside while processes die: vendors post, borrowers write, officers take leads.

Each keeps what it was told. A vendor or a borrower whose post was not answered with
success tries again later, as in life; what was acknowledged is the proof's to look for.
"""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections
from django.test import Client

from rooftree.leads.models import Source
from rooftree.org.models import User
from rooftree.routing.models import Offer
from rooftree_demo import sample_messages, vendor_posts
from rooftree_demo.invented_borrowers import PLACES, invent_borrower
from rooftree_demo.simulator_client import SimulatorClient, SimulatorUnreachable
from rooftree_simulators.http_sender import send_request
from rooftree_simulators.start_simulators import Simulators

PACE = 5.0  # posts a second, of all vendors together
TWIN, AGAIN, MALFORMED = 0.15, 0.12, 0.03  # at the same instant; asked before; cut in half
REPLIES, STOPS = 0.35, 0.2  # of the texts that arrived
TAKES, HANDS_OFF = 0.5, 0.5
READING = timedelta(seconds=2)  # before somebody answers a text
FIRST_LINE = 2_000_000  # of the numbers of borrowers; no two share one
CSRF = "c" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One delivery as its vendor made it."""

    path: str
    body: bytes
    headers: dict[str, str]
    is_good: bool

    @property
    def mark(self) -> str:
        return sha256(self.body).hexdigest()


@dataclass(slots=True)
class Told:
    """What we answered with success, by whom it was told."""

    deliveries: dict[str, Posted] = field(default_factory=dict)  # by mark
    stops: dict[str, datetime] = field(default_factory=dict)  # number: when first acknowledged
    takes: dict[UUID, UUID] = field(default_factory=dict)  # offer: officer
    posts: int = 0
    doubles: int = 0
    unanswered: dict[str, Posted] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Load:
    """Everybody outside. `on` is for as long as the block takes."""

    def __init__(
        self, simulators: Simulators, control: SimulatorClient, webs: list[str], seed: int
    ) -> None:
        self.simulators, self.control, self.webs = simulators, control, webs
        self.rng = random.Random(seed)
        self.told = Told()
        self._request_stop = threading.Event()
        self._number = 0
        self._at_lendingtree: set[tuple[int, str]] = set()
        self._seen: set[str] = set()
        vendors = Source.objects.exclude(adapter="referral_partner")  # who post; partners sign in
        self._sources = list(vendors.order_by("slug"))
        self._posting = ThreadPoolExecutor(8, thread_name_prefix="vendor")
        self._places = [place for place in range(len(PLACES)) if _is_day(place)] or [0, 1, 2]

    @contextmanager
    def on(self) -> Iterator[None]:
        """Let them all act until the block ends."""
        self._request_stop.clear()
        acts = (self._vendors, self._borrowers, self._officers)
        threads = [threading.Thread(target=self._go_on, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._request_stop.set()
            for thread in threads:
                thread.join()

    def try_again(self) -> int:
        """Vendors send once more what nobody acknowledged; how many they still have not got in."""
        with self.told.lock:
            waiting = list(self.told.unanswered.values())
        for one in waiting:
            self._post(one, 0)
        return len(self.told.unanswered)

    def settle(self) -> None:
        """Return when no post is under way."""
        self._posting.shutdown(wait=True)
        self._posting = ThreadPoolExecutor(8, thread_name_prefix="vendor")

    def _go_on(self, act: Callable[[], float]) -> None:
        while not self._request_stop.is_set():
            try:
                close_old_connections()
                pause = act()
            except (DatabaseError, SimulatorUnreachable):
                pause = 0.3  # struck: they come again
            self._request_stop.wait(pause)
        connections.close_all()

    def _vendors(self) -> float:
        if self._number and self.rng.random() < AGAIN:
            who = self.rng.randint(max(1, self._number - 40), self._number)
        else:
            self._number += 1
            who = self._number
        place = self._places[who % len(self._places)]
        number = place + len(PLACES) * (who // len(self._places))
        source = self._where(who)
        asks = invent_borrower(random.Random(f"{number}"), number)
        asks = replace(asks, phone=f"{asks.phone[:3]}{FIRST_LINE + who:07d}")
        made = vendor_posts.build_post(source, asks, self.rng, at=datetime.now(UTC), consents=True)
        is_good = self.rng.random() >= MALFORMED
        body = made.body if is_good else made.body[: len(made.body) // 2]
        post = Posted(
            path=vendor_posts.intake_path(source), body=body, headers=made.headers, is_good=is_good
        )
        times = 2 if self.rng.random() < TWIN else 1
        self.told.doubles += times - 1
        for which in range(times):
            self._posting.submit(self._post, post, which)
        return self.rng.expovariate(PACE)

    def _where(self, who: int) -> Source:
        """Whom they ask. LendingTree's number goes by the person here, so there they ask once:
        other words under one number are a repetition, and rightly no lead."""
        source = self.rng.choice(self._sources)
        while (who, source.adapter) in self._at_lendingtree:
            source = self.rng.choice(self._sources)
        if source.adapter == "lendingtree":
            self._at_lendingtree.add((who, source.adapter))
        return source

    def _post(self, post: Posted, which: int) -> None:
        with self.told.lock:
            self.told.posts += 1
            self.told.unanswered.setdefault(post.mark, post)
        answer = send_request("POST", f"{self.webs[which]}{post.path}", post.body, post.headers)
        if which and answer.status == 0:
            return  # the second web is not always there
        is_taken = 200 <= answer.status < 300
        is_refused = not post.is_good and 400 <= answer.status < 500
        with self.told.lock:
            if is_taken:
                self.told.deliveries.setdefault(post.mark, post)
            if is_taken or is_refused:
                self.told.unanswered.pop(post.mark, None)

    def _borrowers(self) -> float:
        read_by = datetime.now(UTC) - READING
        arrived = [
            message
            for message in list(self.simulators.twilio.account.messages.values())
            if message.direction == "outbound-api"
            and message.sid not in self._seen
            and message.created_at < read_by
        ]
        for text in arrived:
            self._seen.add(text.sid)
            luck = self.rng.random()
            if luck < STOPS:
                self._write(text.to, text.sender, self.rng.choice(sample_messages.STOP_MESSAGES))
            elif luck < STOPS + REPLIES:
                self._write(text.to, text.sender, sample_messages.borrower_reply(self.rng, "en"))
        return 0.2

    def _write(self, sender: str, to: str, body: str) -> None:
        answer = self.control.call("twilio/inbound", {"from": sender, "to": to, "body": body})
        if answer["status"] in (200, 204) and body in sample_messages.STOP_MESSAGES:
            self.told.stops.setdefault(sender, datetime.now(UTC))

    def _officers(self) -> float:
        now = datetime.now(UTC)
        live = Offer.objects.filter(taken_at=None, passed_at=None, lapsed_at=None)
        recent = live.filter(offered_at__gt=now - timedelta(seconds=20))
        for offer in list(recent.select_related("officer__user")[:5]):
            if self.rng.random() < TAKES:
                self._take(offer)
        return 0.5

    def _take(self, offer: Offer) -> None:
        """Press the button, now and then twice, and sometimes hand the lead to the LOS."""
        cookie = _session_of(offer.officer.user)
        presses = 2 if self.rng.random() < TWIN else 1
        for _ in range(presses):
            answer = self._press(f"/offers/{offer.pk}/acceptance/", cookie)
            if answer.status in (200, 302, 303):
                where = dict(answer.headers).get("hx-redirect", "")
                if "/leads/" in where:
                    self.told.takes[offer.pk] = offer.officer_id
        if offer.pk in self.told.takes and self.rng.random() < HANDS_OFF:
            for _ in range(presses):
                self._press(f"/leads/{offer.lead_id}/hand-off/", cookie)

    def _press(self, path: str, cookie: str) -> Any:
        return ask("POST", f"{self.webs[0]}{path}", cookie)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A page's answer; status 0 when there was none."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


def ask(method: str, url: str, cookie: str) -> Heard:
    """One press of a button by somebody who is signed in."""
    import httpx2

    headers = {"Cookie": cookie, "X-CSRFToken": CSRF, "HX-Request": "true"}
    try:
        answer = httpx2.request(method, url, headers=headers, timeout=20)
    except httpx2.HTTPError:
        return Heard(status=0)
    return Heard(status=answer.status_code, headers=tuple(answer.headers.items()))


def _session_of(user: User) -> str:
    browser = Client()
    browser.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    session = browser.cookies[name].value
    return f"{name}={session}; {settings.CSRF_COOKIE_NAME}={CSRF}"


def _is_day(place: int) -> bool:
    return 9 <= datetime.now(ZoneInfo(PLACES[place].zone)).hour < 19
