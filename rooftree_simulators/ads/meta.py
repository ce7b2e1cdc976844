"""Meta's Graph API for lead ads: lead notices, and the leads themselves.

After developers.facebook.com (Webhooks for lead ads; Retrieving leads) and the official
SDK's fields: a notice carries ids; a read requires the page's token and the proof of the
app's secret; only requested fields that exist are returned.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from rooftree_simulators.http_sender import HttpAnswer, send_request
from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

APP_SECRET, TOKEN, VERIFY_TOKEN = "meta-app-secret", "EAAtoken", "meta-verify-words"
PAGE, FORM = "153125381133", "991122334455667"
_PAGE_SIZE = 25


class Meta(Vendor):
    key = "meta"
    latencies = {"*": (120, 600)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self.callback = ""
        self.leads: dict[str, Json] = {}
        self.expired = False
        self._made = setup.first_number

    # Authentication

    def operation(self, request: Request) -> str:
        last = request.path.rpartition("/")[2]
        return f"list {last}" if last in ("leads", "leadgen_forms", "accounts") else "read lead"

    def authenticate(self, request: Request) -> Reply | None:
        token = request.parameter("access_token")
        if not token:
            return _error_reply(400, 104, "An access token is required to request this resource.")
        if token != TOKEN or self.expired:
            message = "Error validating access token: The session has been invalidated"
            return _error_reply(400, 190, message, subcode=460)
        proof = hmac.new(APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
        if request.parameter("appsecret_proof") != proof:
            return _error_reply(400, 100, "Invalid appsecret_proof provided in the API argument")
        return None

    def expire_credentials(self, request: Request) -> None:
        self.expired = True

    # The routes

    def handle(self, request: Request) -> Reply:
        version, *path = request.path.strip("/").split("/")
        if request.method != "GET" or not version.startswith("v"):
            return _unsupported_reply(request.path)
        with self.lock:
            match path:
                case ["me", "accounts"]:
                    return _list_page([{"id": PAGE, "name": "Harbor Light Lending"}], request)
                case [page, "leadgen_forms"] if page == PAGE:
                    forms = sorted({lead["form_id"] for lead in self.leads.values()} | {FORM})
                    return _list_page([{"id": form, "status": "ACTIVE"} for form in forms], request)
                case [form, "leads"]:
                    return self._list_form_leads(form, request)
                case [lead_id] if lead_id in self.leads:
                    return json_reply(200, _select_fields(self.leads[lead_id], request))
        return _unsupported_reply(path[0] if path else "")

    def _list_form_leads(self, form: str, request: Request) -> Reply:
        since = 0
        for part in json.loads(request.parameter("filtering") or "[]"):
            if (part["field"], part["operator"]) == ("time_created", "GREATER_THAN"):
                since = int(part["value"])
        rows = [
            lead
            for lead in self.leads.values()
            if lead["form_id"] == form and _unix_time(lead["created_time"]) > since
        ]
        return _list_page([_select_fields(row, request) for row in rows[::-1]], request)

    # Actions of tests and the demo

    def submit_lead(
        self,
        answers: dict[str, str],
        *,
        boxes: dict[str, bool] | None = None,
        form: str = FORM,
        at: datetime | None = None,
    ) -> str:
        """Submit the form as a visitor; return the lead id. No notice is posted yet."""
        with self.lock:
            self._made += 1
            lead_id = str(1203344556600000 + self._made)
            created_at = (at or self.clock.now()).astimezone(UTC)
            lead: Json = {
                "id": lead_id,
                "created_time": created_at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
                "ad_id": "23850001112223",
                "ad_name": "VA refi – carousel B",
                "adset_id": "23850001112200",
                "adset_name": "TX vets 30-55",
                "campaign_id": "23850001110000",
                "campaign_name": "VA Refi Q4",
                "form_id": form,
                "is_organic": False,
                "platform": "fb",
                "field_data": [
                    {"name": name, "values": [answer]} for name, answer in answers.items()
                ],
            }
            if boxes is not None:
                lead["custom_disclaimer_responses"] = [
                    {"checkbox_key": key, "is_checked": "1" if on else ""}
                    for key, on in boxes.items()
                ]
            self.leads[lead_id] = lead
        return lead_id

    def delete_lead(self, lead_id: str) -> None:
        """Delete a lead, as the person or Meta does; it can no longer be read."""
        with self.lock:
            del self.leads[lead_id]

    def notice_body(self, *lead_ids: str) -> bytes:
        """Build the body Meta posts for leads; characters outside ASCII are escaped."""
        changes = [
            {
                "field": "leadgen",
                "value": {
                    "created_time": _unix_time(self.leads[lead_id]["created_time"]),
                    "leadgen_id": lead_id,
                    "page_id": PAGE,
                    "form_id": self.leads[lead_id]["form_id"],
                    "adgroup_id": self.leads[lead_id]["adset_id"],
                    "ad_id": self.leads[lead_id]["ad_id"],
                },
            }
            for lead_id in lead_ids
        ]
        entry = {"id": PAGE, "time": int(self.clock.now().timestamp()), "changes": changes}
        return json.dumps({"object": "page", "entry": [entry]}, separators=(",", ":")).encode()

    def post_notice(self, *lead_ids: str, secret: str = APP_SECRET) -> HttpAnswer:
        """Post the notice of leads to the callback."""
        body = self.notice_body(*lead_ids)
        mark = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": f"sha256={mark}",
        }
        return send_request("POST", self.callback, body, headers)

    def verify_callback(self, verify_token: str = VERIFY_TOKEN) -> bool:
        """Verify the callback, as Meta does on subscribing."""
        query = f"hub.mode=subscribe&hub.verify_token={verify_token}&hub.challenge=1158201444"
        answer = send_request("GET", f"{self.callback}?{query}", b"", {})
        return answer.status == 200 and answer.body == b"1158201444"

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, *path:
            case "POST", "callback":
                self.callback = str(body["url"])
                return {
                    "verified": self.verify_callback(str(body.get("verify_token", VERIFY_TOKEN)))
                }
            case "POST", "lead":
                lead_id = self.submit_lead(dict(body["answers"]), boxes=body.get("boxes"))
                status = self.post_notice(lead_id).status if body.get("notify", True) else None
                return {"id": lead_id, "status": status}
        raise LookupError("/".join(path))

    def state(self) -> Json:
        return {"callback": self.callback, "leads": [*self.leads.values()]}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self.leads.clear()
            self.expired = False


def _select_fields(lead: Json, request: Request) -> Json:
    names = request.parameter("fields", "id,created_time,field_data").split(",")
    return {name: lead[name] for name in (*names, "id") if name in lead}


def _list_page(rows: list[Json], request: Request) -> Reply:
    """Return one page of a list, with the cursor of the next page if there is one."""
    size = min(int(request.parameter("limit") or _PAGE_SIZE), 100)
    begin = int(request.parameter("after") or 0)
    end = begin + size
    content: dict[str, Any] = {"data": rows[begin:end]}
    if rows:
        content["paging"] = {"cursors": {"before": str(begin), "after": str(end)}}
    if end < len(rows):
        content["paging"]["next"] = f"https://graph.facebook.com{request.path}?after={end}"
    return json_reply(200, content)


def _unix_time(written: str) -> int:
    return int(datetime.strptime(written, "%Y-%m-%dT%H:%M:%S%z").timestamp())


def _unsupported_reply(name: str) -> Reply:
    message = (
        f"Unsupported get request. Object with ID '{name}' does not exist, cannot be loaded due"
        " to missing permissions, or does not support this operation"
    )
    return _error_reply(400, 100, message, kind="GraphMethodException", subcode=33)


def _error_reply(
    status: int, code: int, message: str, *, kind: str = "OAuthException", subcode: int = 0
) -> Reply:
    error: Json = {"message": message, "type": kind, "code": code, "fbtrace_id": "AxYz"}
    if subcode:
        error["error_subcode"] = subcode
    return json_reply(status, {"error": error})
