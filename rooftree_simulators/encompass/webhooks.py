"""Webhook subscriptions, and the signed delivery of events with retries."""

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

from rooftree_simulators.encompass.encompass_errors import (
    bad_request_error,
    conflict_error,
    not_found_error,
)
from rooftree_simulators.encompass.loan_schema import LEAF_KINDS
from rooftree_simulators.http_sender import send_request
from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.vendor_base import Json, Switches

EVENT_TYPES = {
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
_MAX_SUBSCRIPTIONS = 25
_MAX_ATTRIBUTES = 50
_LINEAR_DELAYS = (20.0,) * 3
# 30 s, 60 s, 2 min ... then even steps, so the fifteenth attempt is 8 h after the first.
_EXPONENTIAL_DELAYS = tuple(min(30.0 * 2**step, 3570.0) for step in range(14))
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


def compute_signature(signing_key: str, body: bytes) -> str:
    """Compute base64 of the HMAC-SHA256 of the raw body."""
    digest = hmac.new(signing_key.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@dataclass(slots=True, kw_only=True)
class Subscription:
    """One webhook subscription."""

    id: str
    resource: str
    events: list[str]
    endpoint: str
    signing_key: str
    backoff: str
    enabled: bool
    attributes: list[str] = field(default_factory=list)

    def as_json(self) -> Json:
        """Return the subscription as GET does, without its key."""
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
        watched = {_dotted_path(name) for name in self.attributes}
        return any(
            path == name or path.startswith(f"{name}.") for path in paths for name in watched
        )


class Webhooks:
    """All subscriptions of the instance and the history of deliveries to them."""

    def __init__(
        self, clock: SimulatedClock, rng: random.Random, switches: Switches, instance: str
    ) -> None:
        self.clock = clock
        self.rng = rng
        self.switches = switches
        self.instance = instance
        self.subscriptions: dict[str, Subscription] = {}
        self.history: list[Json] = []
        self._ids = itertools.count(1)
        self._lock = threading.RLock()

    def create_subscription(self, body: Json) -> Subscription:
        with self._lock:
            if len(self.subscriptions) >= _MAX_SUBSCRIPTIONS:
                raise bad_request_error(f"No more than {_MAX_SUBSCRIPTIONS} subscriptions.")
            subscription = self._parse_subscription(body, str(uuid.uuid4()))
            self.subscriptions[subscription.id] = subscription
        return subscription

    def update_subscription(self, subscription_id: str, body: Json, *, whole: bool) -> Subscription:
        with self._lock:
            current = self.get_subscription(subscription_id)
            base = {} if whole else {**current.as_json(), "signingkey": current.signing_key}
            base.pop("subscriptionId", None)
            subscription = self._parse_subscription({**base, **body}, subscription_id)
            self.subscriptions[subscription_id] = subscription
        return subscription

    def get_subscription(self, subscription_id: str) -> Subscription:
        subscription = self.subscriptions.get(subscription_id)
        if subscription is None:
            raise not_found_error("No such subscription.")
        return subscription

    def delete_subscription(self, subscription_id: str) -> None:
        self.get_subscription(subscription_id)
        with self._lock:
            del self.subscriptions[subscription_id]

    def _parse_subscription(self, body: Json, subscription_id: str) -> Subscription:
        unknown = body.keys() - _KNOWN_KEYS
        if unknown:
            raise bad_request_error(f"Unknown property: {', '.join(sorted(unknown))}")
        events = [str(event) for event in body.get("events") or []]
        if body.get("resource") != "Loan" or not events or set(events) - EVENT_TYPES:
            raise bad_request_error("Unknown resource or event.")
        endpoint = self._check_endpoint(str(body.get("endpoint", "")))
        key = body.get("signingkey")
        if not isinstance(key, str) or not 32 <= len(key) <= 64:
            raise bad_request_error("signingkey must have 32 to 64 characters.")
        backoff = str((body.get("deliveryPolicy") or {}).get("backoff", "linear"))
        if backoff not in {"linear", "exponential"}:
            raise bad_request_error("backoff must be linear or exponential.")
        subscription = Subscription(
            id=subscription_id,
            resource="Loan",
            events=events,
            endpoint=endpoint,
            signing_key=key,
            backoff=backoff,
            enabled=bool(body.get("enableSubscription", True)),
            attributes=_parse_attributes(body),
        )
        for other in self.subscriptions.values():
            has_same_target = other.endpoint == subscription.endpoint
            if other.id != subscription.id and has_same_target and set(other.events) & set(events):
                raise conflict_error("A subscription for this resource, event and endpoint exists.")
        return subscription

    def _check_endpoint(self, url: str) -> str:
        parts = urlsplit(url)
        local = parts.scheme == "http" and parts.hostname == "127.0.0.1"
        if parts.scheme == "https" or (local and self.switches.values["insecure_ok"]):
            return url
        raise bad_request_error("endpoint must be https.")

    def raise_event(
        self, event: str, loan_id: str, *, user: str, payload: Json, paths: list[str]
    ) -> None:
        """Queue an event for every subscription that matches it."""
        body = self._envelope(event, loan_id, user, payload)
        self._record_history("EventReceived", body)
        with self._lock:
            matching = [row for row in self.subscriptions.values() if row.wants(event, paths)]
        for subscription in matching:
            self._record_history("SubscriptionMatch", body, subscription)
            if self.rng.random() < float(self.switches.values["loss_rate"]):
                continue
            times = 2 if self.rng.random() < float(self.switches.values["dup_rate"]) else 1
            for _ in range(times):
                delay = self.rng.uniform(0, _REORDER_S) if self.switches.values["reorder"] else 0.0
                self.clock.run_process(self._deliver_with_retries(subscription, body), after=delay)

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

    def _deliver_with_retries(self, subscription: Subscription, body: Json) -> Iterator[float]:
        """Retry until delivered or out of attempts; yield the waits between attempts."""
        raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        delays = _LINEAR_DELAYS if subscription.backoff == "linear" else _EXPONENTIAL_DELAYS
        for wait in (*delays, None):
            status = self._deliver_once(subscription, raw)
            self._record_history("DeliveryAttempted", body, subscription, status)
            if 200 <= status <= 499:
                self._record_history("NotificationDelivered", body, subscription, status)
                return
            self._record_history("NotificationFailed", body, subscription, status)
            if wait is not None:
                yield wait
        self._record_history("DeliveryFailedExhaustedRetries", body, subscription)

    def _deliver_once(self, subscription: Subscription, raw: bytes) -> int:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Elli-Signature": compute_signature(subscription.signing_key, raw),
            "Elli-Environment": "prod",
            "Elli-SubscriptionId": subscription.id,
        }
        return send_request(
            "POST", subscription.endpoint, raw, headers, timeout_s=_TIMEOUT_S
        ).status

    def _record_history(
        self, event: str, body: Json, to: Subscription | None = None, status: int | None = None
    ) -> None:
        row = {
            "id": next(self._ids),
            "event": event,
            "time": self.clock.now().isoformat(),
            "eventId": body["eventId"],
            "eventType": body["eventType"],
            "resourceId": body["meta"]["resourceId"],
            "subscriptionId": to.id if to else None,
            "responseStatus": status,
        }
        with self._lock:
            self.history.append(row)


def _parse_attributes(body: Json) -> list[str]:
    """Return the pointers that exist in the contract; drop the others silently."""
    pointers = (body.get("filters") or {}).get("attributes") or []
    if len(pointers) > _MAX_ATTRIBUTES:
        raise bad_request_error(f"No more than {_MAX_ATTRIBUTES} attributes.")
    known_paths = {path.split(".")[0] for path in LEAF_KINDS} | set(LEAF_KINDS)
    return [
        name for name in pointers if str(name).startswith("/") and _dotted_path(name) in known_paths
    ]


def _dotted_path(pointer: str) -> str:
    """Convert a pointer such as `/applications/*/borrower/firstName` to the contract's path."""
    names = [name for name in pointer.split("/") if name and name != "*" and not name.isdigit()]
    return ".".join(names)
