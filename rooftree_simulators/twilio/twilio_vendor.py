"""Twilio on one port: routes of the 2010 API, and its control calls."""

import base64
import binascii
import time
from dataclasses import asdict
from typing import Any

from rooftree_simulators.twilio import (
    account_api,
    call_api,
    message_api,
    message_changes,
    messaging_services,
    number_purchase,
    recording_api,
)
from rooftree_simulators.twilio.twilio_account import CalleeBehavior, TwilioAccount
from rooftree_simulators.twilio.twilio_errors import API_VERSION, error_reply, reply_error
from rooftree_simulators.vendor_base import (
    Json,
    Reply,
    ReplyError,
    Request,
    SimulatorSetup,
    Vendor,
)

OPERATION_VERBS = {"POST": "create", "DELETE": "delete"}


class Twilio(Vendor):
    key = "twilio"
    latencies = {"*": (40, 250)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self.account = TwilioAccount(self.clock, self.rng)
        self._second = 0
        self._this_second = 0

    # Authentication and limits

    def operation(self, request: Request) -> str:
        parts = request.path.rsplit("/Accounts/", 1)[-1].split("/")[1:2]
        name = parts[0].removesuffix(".json") if parts else request.path
        if "/Recordings" in request.path:
            name = "Recordings"
        return f"{OPERATION_VERBS.get(request.method, 'read')} {name}"

    def authenticate(self, request: Request) -> Reply | None:
        kind, _, text = request.header("Authorization").partition(" ")
        try:
            user, _, secret = base64.b64decode(text).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return error_reply(20003)
        account = self.account
        right = kind == "Basic" and user == account.sid and secret == account.auth_token
        return None if right else error_reply(20003)

    def admit(self, request: Request) -> Reply | None:
        most = int(self.account.switches.values["max_per_second"])
        if not most:
            return None
        with self.account.lock:
            second = int(time.monotonic())
            self._this_second = 1 if second != self._second else self._this_second + 1
            self._second = second
            return error_reply(20429) if self._this_second > most else None

    # The routes

    def handle(self, request: Request) -> Reply:
        account, parts = self.account, request.path.strip("/").split("/")
        if parts[:2] == ["v1", "Services"]:
            return messaging_services.answer_services(account, request, parts[2:])
        if parts == [API_VERSION, "Accounts.json"] and request.method == "GET":
            return account_api.list_accounts(account, request)
        is_resource = parts[:2] == [API_VERSION, "Accounts"] and parts[-1].endswith(".json")
        if not is_resource or len(parts) < 3:
            raise _not_found(request)
        if parts[2].removesuffix(".json") != account.sid:
            return error_reply(20003)
        if len(parts) == 3:
            if request.method == "POST":
                return account_api.update_account(account, request)
            return account_api.read_account(account)
        return (
            self._route_resource(request, parts)
            if account.status == "active"
            else error_reply(20005)
        )

    def _route_resource(self, request: Request, parts: list[str]) -> Reply:
        kind, *sid = [*parts[3:-1], parts[-1].removesuffix(".json")]
        if "Recordings" in (kind, *sid):
            return self._route_recording(request, [kind, *sid])
        if kind in ("IncomingPhoneNumbers", "AvailablePhoneNumbers", "Balance"):
            return self._route_number(request, kind, sid)
        if kind == "Messages":
            return self._route_message(request, sid)
        if kind == "Calls":
            return self._route_call(request, sid)
        raise _not_found(request)

    def _route_recording(self, request: Request, path: list[str]) -> Reply:
        account = self.account
        match request.method, *path:
            case "POST", "Calls", call, "Recordings":
                return recording_api.create_recording(
                    account, request, call_api.get_call(account, call)
                )
            case "POST", "Calls", call, "Recordings", recording:
                return recording_api.stop_recording(
                    account, request, call_api.get_call(account, call), recording
                )
            case "GET", "Calls", call, "Recordings":
                return recording_api.list_recordings(
                    account, request, call_api.get_call(account, call).sid
                )
            case "GET", "Calls", call, "Recordings", recording:
                return recording_api.read_recording(account, recording, call)
            case "GET", "Recordings":
                return recording_api.list_recordings(account, request)
            case "GET", "Recordings", recording:
                return recording_api.read_recording(account, recording)
            case ("DELETE", "Recordings", recording) | (
                "DELETE",
                "Calls",
                _,
                "Recordings",
                recording,
            ):
                return recording_api.delete_recording(account, recording)
        raise _not_found(request)

    def _route_number(self, request: Request, kind: str, path: list[str]) -> Reply:
        account = self.account
        match request.method, kind, *path:
            case "GET", "Balance":
                return account_api.read_balance(account)
            case "GET", "AvailablePhoneNumbers", country, number_kind:
                return number_purchase.list_available(account, request, country, number_kind)
            case "GET", "IncomingPhoneNumbers":
                return account_api.list_numbers(account, request)
            case "POST", "IncomingPhoneNumbers":
                return number_purchase.buy_number(account, request)
            case "GET", "IncomingPhoneNumbers", number_sid:
                return account_api.read_number(account, number_sid)
            case "POST", "IncomingPhoneNumbers", number_sid:
                return account_api.update_number(account, request, number_sid)
            case "DELETE", "IncomingPhoneNumbers", number_sid:
                return number_purchase.release_number(account, number_sid)
        raise _not_found(request)

    def _route_message(self, request: Request, path: list[str]) -> Reply:
        account = self.account
        match request.method, *path:
            case ("GET",):
                return message_api.list_messages(account, request)
            case ("POST",):
                return message_api.create_message(account, request)
            case "GET", sid:
                return message_api.read_message(account, sid)
            case "POST", sid:
                return message_changes.update_message(account, request, sid)
            case "DELETE", sid:
                return message_changes.delete_message(account, sid)
            case "GET", sid, "Media":
                return message_changes.list_media(account, request, sid)
            case "POST", sid, "Feedback":
                return message_changes.create_feedback(account, request, sid)
        raise _not_found(request)

    def _route_call(self, request: Request, path: list[str]) -> Reply:
        account = self.account
        match request.method, *path:
            case ("GET",):
                return call_api.list_calls(account, request)
            case ("POST",):
                return call_api.create_call(account, request)
            case "GET", sid:
                return call_api.read_call(account, sid)
            case "POST", sid:
                return call_api.update_call(account, request, sid)
            case "DELETE", sid:
                return call_api.delete_call(account, sid)
        raise _not_found(request)

    # The control calls

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, *path:
            case "POST", "inbound":
                return message_api.receive_message(
                    self.account,
                    sender=str(body["from"]),
                    to=str(body["to"]),
                    body=str(body["body"]),
                )
            case "POST", "call":
                call = call_api.receive_call(
                    self.account, sender=str(body["from"]), to=str(body["to"])
                )
                return call.as_state_json(self.account.sid)
            case "POST", "callees":
                return self._set_behavior(body)
            case "POST", "switches":
                return self.account.switches.update(body)
        raise LookupError("/".join(path))

    def _set_behavior(self, body: Json) -> Json:
        """Set the behavior of the person at `number`; without a number, set the default."""
        changes: dict[str, Any] = {name: value for name, value in body.items() if name != "number"}
        unknown = changes.keys() - set(CalleeBehavior.__slots__)
        if unknown:
            raise ValueError(f"unknown behavior: {', '.join(sorted(unknown))}")
        behavior = CalleeBehavior(**changes)
        with self.account.lock:
            if body.get("number"):
                self.account.callees[str(body["number"])] = behavior
            else:
                self.account.usual = behavior
        return asdict(behavior)

    def state(self) -> Json:
        account = self.account
        with account.lock:
            return {
                "account_sid": account.sid,
                "messages": [row.as_json() for row in account.messages.values()],
                "calls": [row.as_state_json(account.sid) for row in account.calls.values()],
                "recordings": [row.as_json(account.sid) for row in account.recordings.values()],
                "callbacks": list(account.callbacks),
                "warnings": list(account.warnings),
                "opted_out": sorted(account.opted_out),
                "numbers": {name: asdict(line) for name, line in account.lines.items()},
                "switches": dict(account.switches.values),
            }

    def load_seed(self, body: Json) -> Json:
        """Load credentials, numbers with their webhook URLs, and messaging services."""
        account = self.account
        with account.lock:
            account.sid = str(body.get("account_sid", account.sid))
            account.auth_token = str(body.get("auth_token", account.auth_token))
            account.friendly_name = str(body.get("friendly_name", account.friendly_name))
            account.kind = str(body.get("type", account.kind))
            account.status = str(body.get("status", account.status))
            for row in body.get("numbers") or []:
                line = account.line(str(row["number"]))
                for name, value in row.items():
                    setattr(line, name, type(getattr(line, name))(value))
            for row in body.get("services") or []:
                account.services[str(row["sid"])] = [str(name) for name in row["numbers"]]
        return {"account_sid": account.sid, "numbers": sorted(account.lines)}

    def reset(self) -> None:
        super().reset()
        with self.account.lock:
            self.account.reset_state()


def _not_found(request: Request) -> ReplyError:
    """Refuse by name what this account doesn't simulate, in Twilio's words for no resource."""
    return reply_error(20404, f"The requested resource {request.path} was not found")
