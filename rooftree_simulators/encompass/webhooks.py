"""Webhook subscriptions, and the signed delivery of events with its retry ladders."""

import base64
import hashlib
import hmac
import itertools
import json
import random
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from urllib.parse import urlsplit

from rooftree_simulators.clock import Clock
from rooftree_simulators.encompass.answers import bad_request, conflict, not_found
from rooftree_simulators.encompass.contract import LEAVES
from rooftree_simulators.frame import Json, Switches
from rooftree_simulators.outgoing import send

EVENTS = {
    "create",
    "update",
    "submit",
    "move",
    "delete",
    "document",
    "attachment",
    "condition",
    "milestone",
    "change",
    "fieldchange",
    "enhancedfieldchange",
    "lock",
    "unlock",
    "alertchange",
}
_WITH_ATTRIBUTES = {"change", "fieldchange"}
_MOST_SUBSCRIPTIONS = 25
_MOST_ATTRIBUTES = 50
_LINEAR = (20.0,) * 3
# 30 s, 60 s, 2 min ... and then even steps, so that the fifteenth try is 8 h after the first.
_EXPONENTIAL = tuple(min(30.0 * 2**step, 3570.0) for step in range(14))
_REORDER_S = 90
_TIMEOUT_S = 30.0
_KNOWN_KEYS = {
    "resource",
    "events",
    "endpoint",
    "signingkey",
    "filters",
    "deliveryPolicy",
    "enableSubscription",
}


def signature(signing_key: str, body: bytes) -> str:
    """Base64 of the HMAC-SHA256 of the raw body."""
    digest = hmac.new(signing_key.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@dataclass(slots=True, kw_only=True)
class Subscription:
    id: str
    resource: str
    events: list[str]
    endpoint: str
    signing_key: str
    backoff: str
    enabled: bool
    attributes: list[str] = field(default_factory=list)

    def as_json(self) -> Json:
        """The subscription as GET gives it: never with its key."""
        return {
            "subscriptionId": self.id,
            "resource": self.resource,
            "events": self.events,
            "endpoint": self.endpoint,
            "filters": {"attributes": self.attributes},
            "deliveryPolicy": {"backoff": self.backoff},
            "enableSubscription": self.enabled,
        }

    def wants(self, event: str, paths: list[str]) -> bool:
        if not self.enabled or event not in self.events:
            return False
        if event not in _WITH_ATTRIBUTES or not self.attributes:
            return True
        wanted = {_dotted(name) for name in self.attributes}
        return any(path == name or path.startswith(f"{name}.") for path in paths for name in wanted)


class Webhooks:
    """All subscriptions of the instance and everything ever delivered to them."""

    def __init__(self, clock: Clock, rng: random.Random, switches: Switches, instance: str) -> None:
        self.clock = clock
        self.rng = rng
        self.switches = switches
        self.instance = instance
        self.subscriptions: dict[str, Subscription] = {}
        self.history: list[Json] = []
        self._ids = itertools.count(1)
        self._lock = threading.RLock()

    def create(self, body: Json) -> Subscription:
        with self._lock:
            if len(self.subscriptions) >= _MOST_SUBSCRIPTIONS:
                raise bad_request(f"No more than {_MOST_SUBSCRIPTIONS} subscriptions.")
            made = self._read(body, str(uuid.uuid4()))
            self.subscriptions[made.id] = made
        return made

    def change(self, subscription_id: str, body: Json, *, whole: bool) -> Subscription:
        with self._lock:
            kept = self.get(subscription_id)
            base = {} if whole else {**kept.as_json(), "signingkey": kept.signing_key}
            base.pop("subscriptionId", None)
            made = self._read({**base, **body}, subscription_id)
            self.subscriptions[subscription_id] = made
        return made

    def get(self, subscription_id: str) -> Subscription:
        kept = self.subscriptions.get(subscription_id)
        if kept is None:
            raise not_found("No such subscription.")
        return kept

    def delete(self, subscription_id: str) -> None:
        self.get(subscription_id)
        with self._lock:
            del self.subscriptions[subscription_id]

    def _read(self, body: Json, subscription_id: str) -> Subscription:
        unknown = body.keys() - _KNOWN_KEYS
        if unknown:
            raise bad_request(f"Unknown property: {', '.join(sorted(unknown))}")
        events = [str(event) for event in body.get("events") or []]
        if body.get("resource") != "Loan" or not events or set(events) - EVENTS:
            raise bad_request("Unknown resource or event.")
        made = Subscription(
            id=subscription_id,
            resource="Loan",
            events=events,
            endpoint=self._endpoint(str(body.get("endpoint", ""))),
            signing_key=_signing_key(body),
            backoff=_backoff(body),
            enabled=bool(body.get("enableSubscription", True)),
            attributes=_attributes(body),
        )
        self._refuse_double(made)
        return made

    def _endpoint(self, url: str) -> str:
        parts = urlsplit(url)
        local = parts.scheme == "http" and parts.hostname == "127.0.0.1"
        if parts.scheme == "https" or (local and self.switches.values["insecure_ok"]):
            return url
        raise bad_request("endpoint must be https.")

    def _refuse_double(self, made: Subscription) -> None:
        for other in self.subscriptions.values():
            same = other.endpoint == made.endpoint and set(other.events) & set(made.events)
            if same and other.id != made.id:
                raise conflict("A subscription for this resource, event and endpoint exists.")

    def raise_event(
        self, event: str, loan_id: str, *, user: str, payload: Json, paths: list[str]
    ) -> None:
        """Queue an event for every subscription that wants it."""
        body = self._envelope(event, loan_id, user, payload)
        self._note("EventReceived", body)
        with self._lock:
            wanting = [row for row in self.subscriptions.values() if row.wants(event, paths)]
        for subscription in wanting:
            self._note("SubscriptionMatch", body, subscription)
            if self.rng.random() < float(self.switches.values["loss_rate"]):
                continue
            times = 2 if self.rng.random() < float(self.switches.values["dup_rate"]) else 1
            for _ in range(times):
                late = self.rng.uniform(0, _REORDER_S) if self.switches.values["reorder"] else 0.0
                self.clock.process(self._deliveries(subscription, body), after=late)

    def _envelope(self, event: str, loan_id: str, user: str, payload: Json) -> Json:
        meta: Json = {
            "userId": user,
            "resourceType": "Loan",
            "resourceId": loan_id,
            "instanceId": self.instance,
            "resourceRef": f"/encompass/v3/loans/{loan_id}",
        }
        if payload:
            meta["payload"] = payload
        now = self.clock.now().astimezone(UTC)
        return {
            "eventId": str(uuid.uuid4()),
            "eventTime": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
            "eventType": event,
            "meta": meta,
        }

    def _deliveries(self, subscription: Subscription, body: Json) -> Iterator[float]:
        """Try until delivered or the ladder ends; yields the waits between tries."""
        raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        ladder = _LINEAR if subscription.backoff == "linear" else _EXPONENTIAL
        for wait in (*ladder, None):
            status = self._try(subscription, raw)
            self._note("DeliveryAttempted", body, subscription, status)
            if 200 <= status <= 499:
                self._note("NotificationDelivered", body, subscription, status)
                return
            self._note("NotificationFailed", body, subscription, status)
            if wait is not None:
                yield wait
        self._note("DeliveryFailedExhaustedRetries", body, subscription)

    def _try(self, subscription: Subscription, raw: bytes) -> int:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Elli-Signature": signature(subscription.signing_key, raw),
            "Elli-Environment": "prod",
            "Elli-SubscriptionId": subscription.id,
        }
        return send("POST", subscription.endpoint, raw, headers, timeout_s=_TIMEOUT_S).status

    def _note(
        self, what: str, body: Json, to: Subscription | None = None, status: int | None = None
    ) -> None:
        row = {
            "id": next(self._ids),
            "event": what,
            "time": self.clock.now().isoformat(),
            "eventId": body["eventId"],
            "eventType": body["eventType"],
            "resourceId": body["meta"]["resourceId"],
            "subscriptionId": to.id if to else None,
            "responseStatus": status,
        }
        with self._lock:
            self.history.append(row)


def _signing_key(body: Json) -> str:
    key = body.get("signingkey")
    if not isinstance(key, str) or not 32 <= len(key) <= 64:
        raise bad_request("signingkey must have 32 to 64 characters.")
    return key


def _backoff(body: Json) -> str:
    name = str((body.get("deliveryPolicy") or {}).get("backoff", "linear"))
    if name not in {"linear", "exponential"}:
        raise bad_request("backoff must be linear or exponential.")
    return name


def _attributes(body: Json) -> list[str]:
    """The pointers that lead somewhere; the others are dropped without a word."""
    asked = (body.get("filters") or {}).get("attributes") or []
    if len(asked) > _MOST_ATTRIBUTES:
        raise bad_request(f"No more than {_MOST_ATTRIBUTES} attributes.")
    known = {path.split(".")[0] for path in LEAVES} | set(LEAVES)
    return [name for name in asked if str(name).startswith("/") and _dotted(name) in known]


def _dotted(pointer: str) -> str:
    """`/applications/*/borrower/firstName` as the contract writes it."""
    names = [name for name in pointer.split("/") if name and name != "*" and not name.isdigit()]
    return ".".join(names)
