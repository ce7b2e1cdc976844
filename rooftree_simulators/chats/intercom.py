"""Intercom: conversation events posted as webhooks, and contacts read by id.

After Intercom's developer documents: `X-Hub-Signature` is `sha1=` and the hex HMAC of the raw
body; an endpoint is checked with HEAD and with a ping; reads require a bearer token.
"""

import hashlib
import hmac
import json
from html import escape

from rooftree_simulators.http_sender import HttpAnswer, send_request
from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

CLIENT_SECRET, TOKEN = "intercom-client-secret", "dG9rOnRlc3Q="


class Intercom(Vendor):
    key = "intercom"
    latencies = {"*": (80, 400)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self.callback = ""
        self.contacts: dict[str, Json] = {}
        self.conversations = 0

    def authenticate(self, request: Request) -> Reply | None:
        if request.header("Authorization") == f"Bearer {TOKEN}":
            return None
        return _error_reply(401, "unauthorized", "Access Token Invalid")

    def handle(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        with self.lock:
            if parts[0] == "contacts" and parts[-1] in self.contacts:
                return json_reply(200, self.contacts[parts[-1]])
        return _error_reply(404, "not_found", "User Not Found")

    def add_visitor(self, *, name: str = "", email: str = "", phone: str = "") -> str:
        """Add a visitor of the site; return the contact id."""
        with self.lock:
            key = f"c-{self.setup.first_number + len(self.contacts) + 9}"
            self.contacts[key] = {
                "type": "contact",
                "id": key,
                "role": "lead",
                "name": name or None,
                "email": email or None,
                "phone": phone or None,
            }
        return key

    def open_conversation(
        self, contact: str, page: str, *, with_contact: bool = False
    ) -> tuple[str, HttpAnswer]:
        """Open a conversation of a visitor; return its id and the webhook's answer.

        Args:
            with_contact: whether the event carries the visitor's name and email, or only an id.
        """
        with self.lock:
            self.conversations += 1
            number = str(215470000 + self.setup.first_number + self.conversations)
            visitor = self.contacts.get(contact, {})
        now = int(self.clock.now().timestamp())
        author = {"type": "lead", "id": contact, "name": None, "email": None}
        if with_contact:
            author |= {"name": visitor.get("name"), "email": visitor.get("email")}
        item = {
            "type": "conversation",
            "id": number,
            "created_at": now,
            "updated_at": now,
            "source": {
                "type": "conversation",
                "delivered_as": "customer_initiated",
                "subject": "",
                "body": page,
                "author": author,
                "url": "https://www.lindenfield.example/refi",
            },
            "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": contact}]},
            "open": True,
        }
        return number, self.post_event("conversation.user.created", item)

    def post_event(self, topic: str, item: Json, *, secret: str = CLIENT_SECRET) -> HttpAnswer:
        """Post one event."""
        now = int(self.clock.now().timestamp())
        content = {
            "type": "notification_event",
            "app_id": "ab12cd34",
            "topic": topic,
            "id": f"notif_{topic}_{item.get('id', '')}",
            "data": {"type": "notification_event_data", "item": item},
            "delivery_attempts": 1,
            "first_sent_at": now,
            "created_at": now,
        }
        body = json.dumps(content, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature": compute_signature(body, secret),
        }
        return send_request("POST", self.callback, body, headers)

    def verify_callback(self) -> bool:
        """Check the webhook address, as Intercom does when it is entered."""
        ping = {"type": "ping", "message": "something something interzen"}
        answer = send_request("HEAD", self.callback, b"", {})
        return answer.status == 200 and self.post_event("ping", ping).status == 200

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, *path:
            case "POST", "callback":
                self.callback = str(body["url"])
                return {"verified": self.verify_callback()}
            case "POST", "visitor":
                attributes = {name: str(body.get(name, "")) for name in ("name", "email", "phone")}
                number, answer = self.open_conversation(
                    self.add_visitor(**attributes), f"<p>{escape(body['says'])}</p>"
                )
                return {"conversation": number, "status": answer.status}
        raise LookupError("/".join(path))

    def state(self) -> Json:
        return {"callback": self.callback, "contacts": [*self.contacts.values()]}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self.contacts.clear()


def compute_signature(body: bytes, secret: str) -> str:
    """Compute the value of X-Hub-Signature."""
    return f"sha1={hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}"


def _error_reply(status: int, code: str, message: str) -> Reply:
    return json_reply(
        status, {"type": "error.list", "errors": [{"code": code, "message": message}]}
    )
