"""TrustedForm's Certificate API, version 4: certificates of sessions, retained on request.

After the public integration code and support article: a certificate expires after three days
unless it is retained; fingerprints of the session decide whether it matches the lead.
"""

import base64
import binascii
import json
import re
from datetime import datetime, timedelta

from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

API_KEY = "tf-api-key"
_ID = re.compile(r"/(0\.[-_.A-Za-z0-9]{1,198}|[-_A-Za-z0-9]{40}|[-_A-Za-z0-9]{80})")
_LIFETIME = timedelta(hours=72)


class TrustedForm(Vendor):
    key = "trustedform"
    latencies = {"*": (150, 700)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self.sessions: dict[str, Json] = {}

    def authenticate(self, request: Request) -> Reply | None:
        kind, _, text = request.header("Authorization").partition(" ")
        try:
            _, _, key = base64.b64decode(text).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            key = ""
        if kind != "Basic" or key != API_KEY:
            return json_reply(403, {"outcome": "error", "reason": "Invalid API key"})
        return None

    def operation(self, request: Request) -> str:
        return "retain"

    def handle(self, request: Request) -> Reply:
        if request.method != "POST":
            return json_reply(405, {"outcome": "error", "reason": "Method not allowed"})
        if request.header("api-version") != "4.0":
            return json_reply(406, {"outcome": "error", "reason": "Unknown api-version"})
        match = _ID.fullmatch(request.path)
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if match is None or not isinstance(body, dict) or "retain" not in body:
            return json_reply(400, {"outcome": "error", "reason": "Malformed request"})
        with self.lock:
            return self._retain_certificate(match[1], body)

    def _retain_certificate(self, name: str, body: Json) -> Reply:
        session = self.sessions.get(name)
        if session is None:
            return json_reply(404, {"outcome": "error", "reason": "Certificate not found"})
        now = self.clock.now()
        if not session["retained"] and now - session["created"] > _LIFETIME:
            return json_reply(410, {"outcome": "error", "reason": "Certificate has expired"})
        lead = body.get("match_lead") or {}
        mail = _match_result(str(lead.get("email", "")).lower(), session["email"].lower())
        phone = _match_result(_digits(str(lead.get("phone", ""))), _digits(session["phone"]))
        is_match = True in (mail, phone)
        earlier, session["retained"] = session["retained"], True
        results = {
            "previously_retained": earlier,
            "masked_cert_url": f"https://cert.trustedform.com/masked-{name[:6]}",
            "share_url": f"https://cert.trustedform.com/share-{name[:6]}",
            "expires_at": (now + timedelta(days=5 * 365)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        matched = {"success": is_match, "email_match": mail, "phone_match": phone}
        answer: Json = {
            "outcome": "success" if is_match else "failure",
            "match_lead": {**lead, "result": matched},
            "retain": {**body["retain"], "results": results},
        }
        if not is_match:
            answer["reason"] = "None of the provided fingerprints match"
        return json_reply(200, answer)

    def issue_certificate(
        self, *, phone: str, email: str, name: str = "", created: datetime | None = None
    ) -> str:
        """Record a session on a page with the script; return the certificate's URL."""
        with self.lock:
            name = name or f"{len(self.sessions) + 1:040x}"
            self.sessions[name] = {
                "phone": phone,
                "email": email,
                "created": created or self.clock.now(),
                "retained": False,
            }
        return f"https://cert.trustedform.com/{name}"

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, *path:
            case "POST", "session":
                return {
                    "url": self.issue_certificate(
                        phone=str(body["phone"]), email=str(body["email"])
                    )
                }
        raise LookupError("/".join(path))

    def state(self) -> Json:
        sessions = {
            name: {**session, "created": str(session["created"])}
            for name, session in self.sessions.items()
        }
        return {"sessions": sessions}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self.sessions.clear()


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)[-10:]


def _match_result(value: str, typed: str) -> bool | None:
    return value == typed if value else None
