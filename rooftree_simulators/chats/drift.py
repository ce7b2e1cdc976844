"""Drift: messages posted with a token in the body, and contacts read by id.

Shapes as they were documented (the product is being retired).
"""

import json

from rooftree_simulators.http_sender import HttpAnswer, send_request
from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

VERIFICATION_TOKEN, TOKEN = "drift-verification-token", "drift-access-token"


class Drift(Vendor):
    key = "drift"
    latencies = {"*": (80, 400)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self.callback = ""
        self.contacts: dict[str, Json] = {}
        self.last_message_id = setup.first_number + 50

    def authenticate(self, request: Request) -> Reply | None:
        if request.header("Authorization") == f"Bearer {TOKEN}":
            return None
        return json_reply(401, {"error": {"type": "authentication_error"}})

    def handle(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        with self.lock:
            if parts[0] == "contacts" and parts[-1] in self.contacts:
                return json_reply(200, {"data": self.contacts[parts[-1]]})
        return json_reply(404, {"error": {"type": "not_found"}})

    def add_visitor(self, **attributes: str) -> int:
        """Add a visitor of the site; return the contact id."""
        with self.lock:
            key = 9911 + self.setup.first_number + len(self.contacts)
            self.contacts[str(key)] = {"id": key, "attributes": attributes}
        return key

    def post_message(
        self, author: int, text: str, *, conversation: int, kind: str = "contact"
    ) -> HttpAnswer:
        """Post a message that `author` writes in a conversation."""
        with self.lock:
            self.last_message_id += 1
            number = self.last_message_id
        content = {
            "orgId": 1234,
            "type": "new_message",
            "token": VERIFICATION_TOKEN,
            "data": {
                "id": number,
                "conversationId": conversation,
                "body": text,
                "type": "chat",
                "author": {"id": author, "type": kind, "bot": kind != "contact"},
                "createdAt": int(self.clock.now().timestamp() * 1000),
            },
        }
        body = json.dumps(content).encode()
        return send_request("POST", self.callback, body, {"Content-Type": "application/json"})

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, *path:
            case "POST", "callback":
                self.callback = str(body["url"])
                return {"url": self.callback}
            case "POST", "visitor":
                attributes = {name: str(body.get(name, "")) for name in ("name", "email", "phone")}
                contact = self.add_visitor(**attributes)
                answer = self.post_message(contact, str(body["says"]), conversation=contact)
                return {"contact": contact, "status": answer.status}
        raise LookupError("/".join(path))

    def state(self) -> Json:
        return {"callback": self.callback, "contacts": [*self.contacts.values()]}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self.contacts.clear()
