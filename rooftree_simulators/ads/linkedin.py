"""LinkedIn Lead Sync: challenges, signed notices, responses and forms.

After learn.microsoft.com (Lead Sync API, versioned): a notice is signed over the literal
prefix and the raw body; reads require a bearer token and a version header.
"""

import hashlib
import hmac
import json
import re
from urllib.parse import quote

from rooftree_simulators.http_sender import HttpAnswer, send_request
from rooftree_simulators.vendor_base import Json, Reply, Request, SimulatorSetup, Vendor, json_reply

CLIENT_SECRET, TOKEN = "linkedin-client-secret", "AQXtoken"
ACCOUNT, FORM, CREATIVE, CAMPAIGN = "522529623", 3162, "201934", "301122"
_QUESTIONS = {1: "FIRST_NAME", 2: "LAST_NAME", 3: "EMAIL", 4: "PHONE_NUMBER"}
_OPTIONS = {1: "Buying", 2: "Refinancing"}
_FINDER_PARAMETERS = {"q", "owner", "leadType", "submittedAtTimeRange", "count", "start"}
_MAX_PAGE_SIZE = 50  # elements per page, even if more are requested
CONSENT_WORDING = (
    "By clicking Submit I agree that Lindenfield Mortgage, LLC may call and text me at the number"
    " given, including by automated means, about mortgages. Consent is not a condition of any"
    " purchase."
)


class LinkedIn(Vendor):
    key = "linkedin"
    latencies = {"*": (100, 500)}

    def __init__(self, setup: SimulatorSetup) -> None:
        super().__init__(setup)
        self.callback = ""
        self.responses: dict[str, Json] = {}
        self.expired = False

    def operation(self, request: Request) -> str:
        return f"read {request.path.strip('/').split('/')[1:2]}"

    def authenticate(self, request: Request) -> Reply | None:
        if request.header("Authorization") != f"Bearer {TOKEN}" or self.expired:
            code = "EXPIRED_ACCESS_TOKEN" if self.expired else "INVALID_ACCESS_TOKEN"
            return _error_reply(401, code, "The token used in the request is not valid", 65601)
        if not request.header("LinkedIn-Version").isdigit():
            return _error_reply(400, "VERSION_MISSING", "A version must be present")
        return None

    def expire_credentials(self, request: Request) -> None:
        self.expired = True

    def handle(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        with self.lock:
            if parts == ["rest", "leadFormResponses"]:
                return self._list_responses(request)
            if parts[:2] == ["rest", "leadFormResponses"] and parts[-1] in self.responses:
                return json_reply(200, self.responses[parts[-1]])
            if parts == ["rest", "leadForms", str(FORM)]:
                return json_reply(200, lead_form())
        return _error_reply(404, "NOT_FOUND", "Resource not found")

    def _list_responses(self, request: Request) -> Reply:
        """Find responses by owner, newest first, as strict about the query as Rest.li."""
        query = dict(part.partition("=")[::2] for part in request.query_string.split("&"))
        owner = f"(sponsoredAccount:{quote(f'urn:li:sponsoredAccount:{ACCOUNT}', safe='')})"
        since = re.fullmatch(
            r"\(start:(\d{13})(?:,end:(\d{13}))?\)", query.get("submittedAtTimeRange", "")
        )
        if query.keys() - _FINDER_PARAMETERS or query.get("q") != "owner" or since is None:
            return _error_reply(
                400, "ILLEGAL_ARGUMENT", "Invalid query parameters passed to request"
            )
        if query.get("leadType") != "(leadType:SPONSORED)":
            return _error_reply(400, "PARAM_INVALID", "Invalid leadType")
        if query.get("owner") != owner:
            return _error_reply(403, "ACCESS_DENIED", "Not enough permissions to access the owner")
        rows = [
            response
            for response in self.responses.values()
            if response["submittedAt"] >= int(since[1])
        ]
        start, size = int(query.get("start", 0)), min(int(query.get("count", 10)), _MAX_PAGE_SIZE)
        paging = {"start": start, "count": size, "total": len(rows), "links": []}
        return json_reply(200, {"paging": paging, "elements": rows[::-1][start : start + size]})

    def submit_lead(
        self,
        answers: dict[int, str],
        *,
        choice: int = 0,
        accepts: bool | None = None,
        is_test: bool = False,
    ) -> str:
        """Submit the form as a member; return the response id."""
        answer_rows: list[Json] = [
            {"questionId": number, "answerDetails": {"textQuestionAnswer": {"answer": answer}}}
            for number, answer in answers.items()
        ]
        if choice:
            chosen = {"multipleChoiceAnswer": {"options": [choice]}}
            answer_rows.append({"questionId": 5, "answerDetails": chosen})
        consents = [] if accepts is None else [{"consentId": 1, "accepted": accepts}]
        with self.lock:
            key = f"6a1b-{self.setup.first_number + len(self.responses) + 11}"
            self.responses[key] = {
                "id": key,
                "owner": {"sponsoredAccount": f"urn:li:sponsoredAccount:{ACCOUNT}"},
                "submitter": "urn:li:person:AbC",
                "leadType": "SPONSORED",
                "leadMetadata": {
                    "sponsoredLeadMetadata": {"campaign": f"urn:li:sponsoredCampaign:{CAMPAIGN}"}
                },
                "versionedLeadGenFormUrn": _form_urn(),
                "associatedEntity": {"associatedCreative": f"urn:li:sponsoredCreative:{CREATIVE}"},
                "submittedAt": int(self.clock.now().timestamp() * 1000),
                "testLead": is_test,
                "formResponse": {"answers": answer_rows, "consentResponses": consents},
            }
        return key

    def notice_body(self, key: str, action: str = "CREATED") -> bytes:
        """Build the body that LinkedIn posts for one response."""
        return json.dumps(
            {
                "type": "LEAD_ACTION",
                "leadGenFormResponse": f"urn:li:leadGenFormResponse:{key}",
                "leadGenForm": _form_urn(),
                "owner": {"sponsoredAccount": f"urn:li:sponsoredAccount:{ACCOUNT}"},
                "associatedEntity": {"associatedCreative": f"urn:li:sponsoredCreative:{CREATIVE}"},
                "leadType": "SPONSORED",
                "leadAction": action,
                "occurredAt": int(self.clock.now().timestamp() * 1000),
            },
            separators=(",", ":"),
        ).encode()

    def post_notice(
        self, key: str, action: str = "CREATED", secret: str = CLIENT_SECRET
    ) -> HttpAnswer:
        """Post the notice of a response to the callback."""
        body = self.notice_body(key, action)
        headers = {
            "Content-Type": "application/json",
            "X-LI-Signature": compute_signature(body, secret),
        }
        return send_request("POST", self.callback, body, headers)

    def verify_callback(self, code: str = "890e4665-4dfe-4ab1-b689-ed553bceeed0") -> bool:
        """Challenge the callback, as LinkedIn does on subscribing and every two hours after."""
        answer = send_request("GET", f"{self.callback}?challengeCode={quote(code)}", b"", {})
        signature = hmac.new(CLIENT_SECRET.encode(), code.encode(), hashlib.sha256).hexdigest()
        expected = {"challengeCode": code, "challengeResponse": signature}
        return answer.status == 200 and json.loads(answer.body) == expected

    def control(self, method: str, path: list[str], body: Json) -> Json:
        match method, *path:
            case "POST", "callback":
                self.callback = str(body["url"])
                return {"verified": self.verify_callback()}
            case "POST", "lead":
                answers = {int(number): answer for number, answer in body["answers"].items()}
                key = self.submit_lead(answers, choice=body.get("choice", 0), accepts=True)
                status = self.post_notice(key).status if body.get("notify", True) else None
                return {"id": key, "status": status}
        raise LookupError("/".join(path))

    def state(self) -> Json:
        return {"callback": self.callback, "responses": [*self.responses.values()]}

    def reset(self) -> None:
        super().reset()
        with self.lock:
            self.responses.clear()
            self.expired = False


def compute_signature(body: bytes, secret: str) -> str:
    """Compute the value of X-LI-Signature."""
    return hmac.new(secret.encode(), b"hmacsha256=" + body, hashlib.sha256).hexdigest()


def lead_form() -> Json:
    """Build the account's only form: four predefined questions, one custom, one consent."""
    questions: list[Json] = [
        {"questionId": number, "predefinedField": name} for number, name in _QUESTIONS.items()
    ]
    options = [{"id": number, "text": _localized_text(label)} for number, label in _OPTIONS.items()]
    questions.append(
        {
            "questionId": 5,
            "question": _localized_text("Are you buying or refinancing?"),
            "questionDetails": {"multipleChoiceQuestionDetails": {"options": options}},
        }
    )
    consents = [{"id": 1, "consent": _localized_text(CONSENT_WORDING)}]
    return {"id": FORM, "content": {"questions": questions, "legalInfo": {"consents": consents}}}


def _localized_text(text: str) -> Json:
    return {"localized": {"en_US": text}}


def _form_urn() -> str:
    return f"urn:li:versionedLeadGenForm:(urn:li:leadGenForm:{FORM},1)"


def _error_reply(status: int, code: str, message: str, service: int = 0) -> Reply:
    content: Json = {"status": status, "code": code, "message": message}
    return json_reply(status, content | ({"serviceErrorCode": service} if service else {}))
