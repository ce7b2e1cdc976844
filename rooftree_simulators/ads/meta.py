"""Meta's Graph API as far as lead ads go: notices of leads, and the leads themselves.

After developers.facebook.com (Webhooks for lead ads; Retrieving leads) and the official
SDK's fields: a notice carries ids; answers come only to who has the page's token and the
proof of the app's secret; an unknown field is not given, one that is not asked for neither.
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

    # The frame

    def operation(self, request: Request) -> str:
        last = request.path.rpartition("/")[2]
        return f"list {last}" if last in ("leads", "leadgen_forms", "accounts") else "read lead"

    def authenticate(self, request: Request) -> Reply | None:
        token = request.parameter("access_token")
        if not token:
            return _error_reply(400, 104, "An access token is required to request this resource.")
        if token != TOKEN or self.expired:
            said = "Error validating access token: The session has been invalidated"
            return _error_reply(400, 190, said, subcode=460)
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
                case [one] if one in self.leads:
                    return json_reply(200, _select_fields(self.leads[one], request))
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

    # What tests and the demo make happen

    def submit_lead(
        self,
        answers: dict[str, str],
        *,
        boxes: dict[str, bool] | None = None,
        form: str = FORM,
        at: datetime | None = None,
    ) -> str:
        """Somebody fills in the form; the id of the lead. Nobody is told yet."""
        with self.lock:
            self._made += 1
            lead_id = str(1203344556600000 + self._made)
            when = (at or self.clock.now()).astimezone(UTC)
            lead: Json = {
                "id": lead_id,
                "created_time": when.strftime("%Y-%m-%dT%H:%M:%S+0000"),
                "ad_id": "23850001112223",
                "ad_name": "VA refi – carousel B",
                "adset_id": "23850001112200",
                "adset_name": "TX vets 30-55",
                "campaign_id": "23850001110000",
                "campaign_name": "VA Refi Q4",
                "form_id": form,
                "is_organic": False,
                "platform": "fb",
                "field_data": [{"name": name, "values": [said]} for name, said in answers.items()],
            }
            if boxes is not None:
                lead["custom_disclaimer_responses"] = [
                    {"checkbox_key": key, "is_checked": "1" if on else ""}
                    for key, on in boxes.items()
                ]
            self.leads[lead_id] = lead
        return lead_id

    def delete_lead(self, lead_id: str) -> None:
        """The person, or Meta, deleted it: it cannot be read any more."""
        with self.lock:
            del self.leads[lead_id]

    def notice_body(self, *lead_ids: str) -> bytes:
        """The bytes Meta posts of some leads; what is outside ASCII is escaped."""
        changes = [
            {
                "field": "leadgen",
                "value": {
                    "created_time": _unix_time(self.leads[one]["created_time"]),
                    "leadgen_id": one,
                    "page_id": PAGE,
                    "form_id": self.leads[one]["form_id"],
                    "adgroup_id": self.leads[one]["adset_id"],
                    "ad_id": self.leads[one]["ad_id"],
                },
            }
            for one in lead_ids
        ]
        entry = {"id": PAGE, "time": int(self.clock.now().timestamp()), "changes": changes}
        return json.dumps({"object": "page", "entry": [entry]}, separators=(",", ":")).encode()

    def post_notice(self, *lead_ids: str, secret: str = APP_SECRET) -> HttpAnswer:
        """Post the notice of some leads to the callback."""
        body = self.notice_body(*lead_ids)
        mark = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "facebookexternalua",
            "X-Hub-Signature-256": f"sha256={mark}",
        }
        return send_request("POST", self.callback, body, headers)

    def verify_callback(self, words: str = VERIFY_TOKEN) -> bool:
        """Ask the callback whether it is ours, as on subscribing."""
        asked = f"hub.mode=subscribe&hub.verify_token={words}&hub.challenge=1158201444"
        answer = send_request("GET", f"{self.callback}?{asked}", b"", {})
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
                told = self.post_notice(lead_id).status if body.get("notify", True) else None
                return {"id": lead_id, "status": told}
        raise LookupError("/".join(path))

    def state(self) -> Json:
        return {"callback": self.callback, "leads": [*self.leads.values()]}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self.leads.clear()
            self.expired = False


def _select_fields(lead: Json, request: Request) -> Json:
    wanted = request.parameter("fields", "id,created_time,field_data").split(",")
    return {name: lead[name] for name in (*wanted, "id") if name in lead}


def _list_page(rows: list[Json], request: Request) -> Reply:
    """One page of a list, with the cursor of the next while there is one."""
    size = min(int(request.parameter("limit") or _PAGE_SIZE), 100)
    begin = int(request.parameter("after") or 0)
    end = begin + size
    found: dict[str, Any] = {"data": rows[begin:end]}
    if rows:
        found["paging"] = {"cursors": {"before": str(begin), "after": str(end)}}
    if end < len(rows):
        found["paging"]["next"] = f"https://graph.facebook.com{request.path}?after={end}"
    return json_reply(200, found)


def _unix_time(written: str) -> int:
    return int(datetime.strptime(written, "%Y-%m-%dT%H:%M:%S%z").timestamp())


def _unsupported_reply(name: str) -> Reply:
    said = (
        f"Unsupported get request. Object with ID '{name}' does not exist, cannot be loaded due"
        " to missing permissions, or does not support this operation"
    )
    return _error_reply(400, 100, said, kind="GraphMethodException", subcode=33)


def _error_reply(
    status: int, code: int, said: str, *, kind: str = "OAuthException", subcode: int = 0
) -> Reply:
    error: Json = {"message": said, "type": kind, "code": code, "fbtrace_id": "AxYz"}
    if subcode:
        error["error_subcode"] = subcode
    return json_reply(status, {"error": error})
