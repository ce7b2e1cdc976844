"""Encompass sign-in: OAuth tokens that expire when idle or old."""

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from rooftree_simulators.simulated_clock import SimulatedClock
from rooftree_simulators.vendor_base import Json, Reply, Request, json_reply

USERS = {"svc_rooftree": "svc-secret", "lofficer": "lo-secret", "processor1": "pr-secret"}
_STRICT_WINDOW = (timedelta(minutes=15), timedelta(hours=2))
_GENEROUS_WINDOW = (timedelta(minutes=30), timedelta(hours=24))


@dataclass(slots=True)
class Token:
    user: str
    issued_at: datetime
    used_at: datetime


def _error_reply(status: int, code: str, text: str) -> Reply:
    return json_reply(status, {"error": code, "error_description": text})


class OAuthTokens:
    """The clients, users and live tokens of the instance."""

    def __init__(self, clock: SimulatedClock, instance: str) -> None:
        self.clock = clock
        self.instance = instance
        self.clients = {"enc-client": "enc-secret"}
        self.users = dict(USERS)
        self.isv = False
        self.epc = False
        self.window30 = False
        self.issued = 0
        self._alive: dict[str, Token] = {}

    def user_of(self, request: Request, *, touch: bool = True) -> str:
        """Return the user of the request's bearer token, or "" if it is expired or missing."""
        kind, _, text = request.header("Authorization").partition(" ")
        return self._user_of_token(text, touch=touch) if kind == "Bearer" else ""

    def _user_of_token(self, text: str, *, touch: bool) -> str:
        token = self._alive.get(text)
        if token is None:
            return ""
        idle, total = _GENEROUS_WINDOW if self.window30 else _STRICT_WINDOW
        now = self.clock.now()
        if now - token.used_at > idle or now - token.issued_at > total:
            del self._alive[text]
            return ""
        if touch:
            token.used_at = now
        return token.user

    def expire_token(self, request: Request) -> None:
        self._alive.pop(request.header("Authorization").partition(" ")[2], None)

    def expire_all_tokens(self) -> None:
        self._alive.clear()

    def count_alive(self) -> int:
        return len(self._alive)

    def handle_token_call(self, request: Request, action: str) -> Reply:
        """Handle `token`, `token/introspection` or `token/revocation`."""
        form = dict(request.form)
        if not self._is_known_client(request, form):
            return _error_reply(401, "invalid_client", "The client is not known.")
        if action == "token/introspection":
            user = self._user_of_token(form.get("token", ""), touch=False)
            return json_reply(200, {"active": bool(user), "username": user or None})
        if action == "token/revocation":
            self._alive.pop(form.get("token", ""), None)
            return json_reply(200, {})
        return self._grant_token(form)

    def _is_known_client(self, request: Request, form: dict[str, str]) -> bool:
        kind, _, text = request.header("Authorization").partition(" ")
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        if kind == "Basic":
            try:
                client, _, secret = base64.b64decode(text).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return False
        return bool(client) and self.clients.get(client) == secret

    def _grant_token(self, form: dict[str, str]) -> Reply:
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            if not self.isv:
                return _error_reply(400, "unauthorized_client", "The client cannot use this grant.")
            return self._issue_token("svc_rooftree")
        if grant != "password":
            return _error_reply(400, "unsupported_grant_type", "The grant is not supported.")
        user, _, instance = form.get("username", "").partition("@encompass:")
        password = self.users.get(user)
        if instance != self.instance or password is None or form.get("password") != password:
            return _error_reply(400, "invalid_grant", "The user or password is wrong.")
        return self._issue_token(user)

    def _issue_token(self, user: str) -> Reply:
        text = secrets.token_urlsafe(32)
        now = self.clock.now()
        self._alive[text] = Token(user, now, now)
        self.issued += 1
        content: Json = {"access_token": text, "token_type": "Bearer"}
        if self.epc:
            content["expires_in"] = 7200
        return json_reply(200, content)
