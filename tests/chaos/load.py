"""The load while processes are killed: vendors post, borrowers write, officers take leads.

Acknowledgments are recorded for the checks. A vendor or borrower whose post was not
acknowledged tries again later, as in real life.
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

PACE = 5.0  # posts per second, of all vendors together
# Shares of posts: sent twice at once; of an earlier borrower; cut in half.
DOUBLE_SHARE, REPEAT_SHARE, MALFORMED_SHARE = 0.15, 0.12, 0.03
REPLY_SHARE, STOP_SHARE = 0.35, 0.2  # of the texts that arrived
TAKE_SHARE, HANDOFF_SHARE = 0.5, 0.5
READING_TIME = timedelta(seconds=2)  # before a borrower answers a text
FIRST_LINE = 2_000_000  # of borrowers' numbers; each borrower has another one
CSRF = "c" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorPost:
    """One delivery as its vendor built it."""

    path: str
    body: bytes
    headers: dict[str, str]
    is_good: bool

    @property
    def digest(self) -> str:
        return sha256(self.body).hexdigest()


@dataclass(slots=True)
class Acknowledged:
    """The posts, STOPs and takes that we acknowledged."""

    deliveries: dict[str, VendorPost] = field(default_factory=dict)  # by digest
    stops: dict[str, datetime] = field(default_factory=dict)  # first acknowledged at, by number
    takes: dict[UUID, UUID] = field(default_factory=dict)  # officer by offer
    posts: int = 0
    doubles: int = 0
    unanswered: dict[str, VendorPost] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Load:
    """The vendors, borrowers and officers; `run` lets them act during the block."""

    def __init__(
        self, simulators: Simulators, control: SimulatorClient, webs: list[str], seed: int
    ) -> None:
        self.simulators, self.control, self.webs = simulators, control, webs
        self.rng = random.Random(seed)
        self.acknowledged = Acknowledged()
        self._stop = threading.Event()
        self._number = 0
        self._at_lendingtree: set[tuple[int, str]] = set()
        self._seen: set[str] = set()
        vendors = Source.objects.exclude(
            adapter="referral_partner"
        )  # vendors that post; partners sign in
        self._sources = list(vendors.order_by("slug"))
        self._posting = ThreadPoolExecutor(8, thread_name_prefix="vendor")
        self._places = [place for place in range(len(PLACES)) if _is_day(place)] or [0, 1, 2]

    @contextmanager
    def run(self) -> Iterator[None]:
        """Let all actors act until the block ends."""
        self._stop.clear()
        acts = (self._post_lead, self._answer_texts, self._take_offers)
        threads = [threading.Thread(target=self._repeat, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def retry_unanswered(self) -> int:
        """Post unacknowledged deliveries again; return how many are still unacknowledged."""
        with self.acknowledged.lock:
            waiting = list(self.acknowledged.unanswered.values())
        for post in waiting:
            self._post(post, 0)
        return len(self.acknowledged.unanswered)

    def finish_posts(self) -> None:
        """Wait until no post is in progress."""
        self._posting.shutdown(wait=True)
        self._posting = ThreadPoolExecutor(8, thread_name_prefix="vendor")

    def _repeat(self, act: Callable[[], float]) -> None:
        while not self._stop.is_set():
            try:
                close_old_connections()
                pause = act()
            except (DatabaseError, SimulatorUnreachable):
                pause = 0.3  # a part was killed: try again
            self._stop.wait(pause)
        connections.close_all()

    def _post_lead(self) -> float:
        if self._number and self.rng.random() < REPEAT_SHARE:
            number = self.rng.randint(max(1, self._number - 40), self._number)
        else:
            self._number += 1
            number = self._number
        place = self._places[number % len(self._places)]
        seed = place + len(PLACES) * (number // len(self._places))
        source = self._choose_source(number)
        borrower = invent_borrower(random.Random(f"{seed}"), seed)
        borrower = replace(borrower, phone=f"{borrower.phone[:3]}{FIRST_LINE + number:07d}")
        content = vendor_posts.build_post(
            source, borrower, self.rng, at=datetime.now(UTC), consents=True
        )
        is_good = self.rng.random() >= MALFORMED_SHARE
        body = content.body if is_good else content.body[: len(content.body) // 2]
        post = VendorPost(
            path=vendor_posts.intake_path(source),
            body=body,
            headers=content.headers,
            is_good=is_good,
        )
        times = 2 if self.rng.random() < DOUBLE_SHARE else 1
        self.acknowledged.doubles += times - 1
        for server in range(times):
            self._posting.submit(self._post, post, server)
        return self.rng.expovariate(PACE)

    def _choose_source(self, number: int) -> Source:
        """Choose a source for a borrower; LendingTree only once per borrower.

        LendingTree's lead number depends on the borrower here, so a second post would
        rightly be a duplicate and no lead.
        """
        source = self.rng.choice(self._sources)
        while (number, source.adapter) in self._at_lendingtree:
            source = self.rng.choice(self._sources)
        if source.adapter == "lendingtree":
            self._at_lendingtree.add((number, source.adapter))
        return source

    def _post(self, post: VendorPost, server: int) -> None:
        with self.acknowledged.lock:
            self.acknowledged.posts += 1
            self.acknowledged.unanswered.setdefault(post.digest, post)
        answer = send_request("POST", f"{self.webs[server]}{post.path}", post.body, post.headers)
        if server and answer.status == 0:
            return  # the second web server does not always run
        is_accepted = 200 <= answer.status < 300
        is_refused = not post.is_good and 400 <= answer.status < 500
        with self.acknowledged.lock:
            if is_accepted:
                self.acknowledged.deliveries.setdefault(post.digest, post)
            if is_accepted or is_refused:
                self.acknowledged.unanswered.pop(post.digest, None)

    def _answer_texts(self) -> float:
        read_by = datetime.now(UTC) - READING_TIME
        arrived = [
            message
            for message in list(self.simulators.twilio.account.messages.values())
            if message.direction == "outbound-api"
            and message.sid not in self._seen
            and message.created_at < read_by
        ]
        for text in arrived:
            self._seen.add(text.sid)
            chance = self.rng.random()
            if chance < STOP_SHARE:
                self._send_text(
                    text.to, text.sender, self.rng.choice(sample_messages.STOP_MESSAGES)
                )
            elif chance < STOP_SHARE + REPLY_SHARE:
                reply = sample_messages.borrower_reply(self.rng, "en")
                self._send_text(text.to, text.sender, reply)
        return 0.2

    def _send_text(self, sender: str, to: str, body: str) -> None:
        answer = self.control.call("twilio/inbound", {"from": sender, "to": to, "body": body})
        if answer["status"] in (200, 204) and body in sample_messages.STOP_MESSAGES:
            self.acknowledged.stops.setdefault(sender, datetime.now(UTC))

    def _take_offers(self) -> float:
        now = datetime.now(UTC)
        open_offers = Offer.objects.filter(accepted_at=None, declined_at=None, expired_at=None)
        recent = open_offers.filter(offered_at__gt=now - timedelta(seconds=20))
        for offer in list(recent.select_related("officer__user")[:5]):
            if self.rng.random() < TAKE_SHARE:
                self._take_offer(offer)
        return 0.5

    def _take_offer(self, offer: Offer) -> None:
        """Press the button, sometimes twice, and sometimes hand the lead off to the LOS."""
        cookie = _log_in(offer.officer.user)
        presses = 2 if self.rng.random() < DOUBLE_SHARE else 1
        for _ in range(presses):
            answer = self._press(f"/offers/{offer.pk}/acceptance/", cookie)
            if answer.status in (200, 302, 303):
                redirect = dict(answer.headers).get("hx-redirect", "")
                if "/leads/" in redirect:
                    self.acknowledged.takes[offer.pk] = offer.officer_id
        if offer.pk in self.acknowledged.takes and self.rng.random() < HANDOFF_SHARE:
            for _ in range(presses):
                self._press(f"/leads/{offer.lead_id}/hand-off/", cookie)

    def _press(self, path: str, cookie: str) -> Any:
        return send_page_request("POST", f"{self.webs[0]}{path}", cookie)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """A page's answer; status 0 means no answer."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


def send_page_request(method: str, url: str, cookie: str) -> PageAnswer:
    """Send the request of a button that a signed-in user presses."""
    import httpx2

    headers = {"Cookie": cookie, "X-CSRFToken": CSRF, "HX-Request": "true"}
    try:
        answer = httpx2.request(method, url, headers=headers, timeout=20)
    except httpx2.HTTPError:
        return PageAnswer(status=0)
    return PageAnswer(status=answer.status_code, headers=tuple(answer.headers.items()))


def _log_in(user: User) -> str:
    """Log a user in and return the cookies of the session."""
    browser = Client()
    browser.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    session = browser.cookies[name].value
    return f"{name}={session}; {settings.CSRF_COOKIE_NAME}={CSRF}"


def _is_day(place: int) -> bool:
    return 9 <= datetime.now(ZoneInfo(PLACES[place].zone)).hour < 19
