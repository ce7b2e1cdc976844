"""The loan endpoints: create, read, change, fields by id, milestones, locks."""

import uuid
from datetime import timedelta
from typing import Any

from rooftree_simulators.encompass.encompass_errors import (
    bad_request_error,
    check_parameters,
    conflict_error,
    error_reply,
    not_found_error,
    read_json_body,
)
from rooftree_simulators.encompass.encompass_instance import EncompassInstance
from rooftree_simulators.encompass.loan_files import Loan, merge_document, read_field, write_field
from rooftree_simulators.encompass.loan_schema import FIELDS, READ_ONLY_FIELDS, find_document_errors
from rooftree_simulators.vendor_base import Json, Reply, ReplyError, Request, json_reply

_TEMPLATE_TYPES = {
    "AffiliatedBusinessArrangement",
    "ClosingCost",
    "Funding",
    "Investor",
    "LoanProgram",
    "SettlementServiceProvider",
    "TemplateSet",
    "TemplateType",
}
_VIEWS = {"", "id", "entity", "full", "logs"}
_MAX_FIELDS = 500


def create_loan(instance: EncompassInstance, request: Request, user: str) -> Reply:
    """Handle POST /encompass/v3/loans."""
    check_parameters(
        request, "loanFolder", "view", "templateType", "templatePath", "loId", "action"
    )
    _check_create(instance, request)
    document = read_json_body(request, dict, empty={})
    instance.record_ssn_violation(document, "create")
    _check_document(instance, document, with_ids=False)
    with instance.lock:
        loan = instance.open_loan(
            request.parameter("loanFolder"),
            template=request.parameter("templatePath"),
            lo_id=request.parameter("loId"),
        )
        paths = _write_document(loan, document)
        instance.save_change(loan, [("create", {})], user=user, paths=paths)
    place = ("Location", f"/encompass/v3/loans/{loan.guid}")
    view = request.parameter("view")
    if not view:
        return Reply(status=204, headers=(place,))
    content = {"id": loan.guid} if view == "id" else _loan_view(loan, view=view)
    return json_reply(201, content, place)


def _check_create(instance: EncompassInstance, request: Request) -> None:
    folder = request.parameter("loanFolder")
    if not folder:
        raise bad_request_error("loanFolder is required.")
    if folder not in instance.folders:
        raise not_found_error(f"No loan folder named {folder}.")
    if request.parameter("view") not in _VIEWS:
        raise bad_request_error("Unknown view.")
    template_type = request.parameter("templateType")
    if template_type and template_type not in _TEMPLATE_TYPES:
        raise bad_request_error(f"Unknown templateType {template_type}.")
    template = request.parameter("templatePath")
    if template and template not in instance.templates:
        raise bad_request_error(f"No template at {template}.")
    officer = request.parameter("loId")
    if officer and officer not in instance.tokens.users:
        raise bad_request_error(f"No user {officer}.")


def _check_document(instance: EncompassInstance, document: Json, *, with_ids: bool) -> None:
    faults = find_document_errors(document, custom_fields=instance.custom_fields, with_ids=with_ids)
    if faults:
        raise bad_request_error("The loan is not valid.", faults)


def _write_document(loan: Loan, document: Json) -> list[str]:
    rest = {name: value for name, value in document.items() if name != "customFields"}
    paths = merge_document(loan.document, rest)
    for item in document.get("customFields") or []:
        if write_field(loan, item["fieldName"], item.get("stringValue", "")):
            paths.append("customFields")
    return paths


def read_loan(instance: EncompassInstance, request: Request, loan: Loan) -> Reply:
    """Handle GET /encompass/v3/loans/{id}."""
    check_parameters(request, "view", "entities", "includeEmpty")
    shown = _loan_view(
        loan,
        view=request.parameter("view", "entity"),
        with_empty=request.parameter("includeEmpty").lower() == "true",
    )
    entities = {name.strip() for name in request.parameter("entities").split(",") if name.strip()}
    if entities:
        always = {"id", "encompassId", "loanNumber"}
        shown = {name: value for name, value in shown.items() if name in entities | always}
    return json_reply(200, shown)


def _loan_view(loan: Loan, *, view: str, with_empty: bool = False) -> Json:
    if view not in _VIEWS:
        raise bad_request_error("Unknown view.")
    if view == "id":
        return {"id": loan.guid}
    entity = loan.entity(with_logs=view in {"full", "logs"})
    return entity if with_empty else _without_nulls(entity)


def _without_nulls(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _without_nulls(value) for name, value in node.items() if value is not None}
    if isinstance(node, list):
        return [_without_nulls(item) for item in node]
    return node


def update_loan(instance: EncompassInstance, request: Request, loan: Loan, user: str) -> Reply:
    """Handle PATCH /encompass/v3/loans/{id}."""
    check_parameters(request, "view")
    document = read_json_body(request, dict)
    instance.record_ssn_violation(document, "patch")
    _check_document(instance, document, with_ids=True)
    with instance.lock:
        instance.check_not_locked(loan, user)
        paths = _write_document(loan, document)
        instance.save_change(loan, [("update", {}), ("change", {})], user=user, paths=paths)
    view = request.parameter("view")
    return json_reply(200, _loan_view(loan, view=view)) if view else Reply(status=204)


def knows_field(instance: EncompassInstance, field_id: str) -> bool:
    if field_id.startswith("CX."):
        return field_id in instance.custom_fields
    return field_id in FIELDS or field_id.startswith("Log.MS.")


def read_fields(instance: EncompassInstance, request: Request, loan: Loan) -> Reply:
    """Handle POST /encompass/v3/loans/{id}/fieldReader."""
    check_parameters(request, "invalidFieldBehavior")
    behavior = request.parameter("invalidFieldBehavior", "Fail")
    if behavior not in {"Fail", "Exclude", "Include"}:
        raise bad_request_error("Unknown invalidFieldBehavior.")
    field_ids = read_json_body(request, list)
    if len(field_ids) > _MAX_FIELDS or not all(isinstance(name, str) for name in field_ids):
        raise bad_request_error(f"A list of at most {_MAX_FIELDS} field ids is required.")
    rows = []
    for field_id in field_ids:
        value = read_field(loan, field_id) if knows_field(instance, field_id) else None
        if value is None and behavior == "Fail":
            raise bad_request_error("Unknown field.", [(field_id, "Not a field of this instance.")])
        if value is not None or behavior == "Include":
            rows.append({"fieldId": field_id, "value": value or ""})
    return json_reply(200, rows)


def write_fields(instance: EncompassInstance, request: Request, loan: Loan, user: str) -> Reply:
    """Handle POST /encompass/v3/loans/{id}/fieldWriter."""
    items = read_json_body(request, list)
    instance.record_ssn_violation(items, "fieldWriter")
    faults = [
        (str(item), "fieldId and value are required.")
        if not isinstance(item, dict) or item.keys() != {"fieldId", "value"}
        else (str(item["fieldId"]), "Not a field that can be written.")
        for item in items
        if not _is_writable(instance, item)
    ]
    if faults:
        raise bad_request_error("Some fields cannot be written.", faults)
    with instance.lock:
        instance.check_not_locked(loan, user)
        try:
            paths = [
                FIELDS[item["fieldId"]].path if item["fieldId"] in FIELDS else "customFields"
                for item in items
                if write_field(loan, item["fieldId"], item["value"])
            ]
        except (TypeError, ValueError) as problem:
            raise bad_request_error(f"A value cannot be read: {problem}") from problem
        instance.save_change(loan, [("update", {}), ("change", {})], user=user, paths=paths)
    return Reply(status=204)


def _is_writable(instance: EncompassInstance, item: Any) -> bool:
    if not isinstance(item, dict) or item.keys() != {"fieldId", "value"}:
        return False
    field_id = str(item["fieldId"])
    if field_id in READ_ONLY_FIELDS or field_id.startswith("Log."):
        return False
    return knows_field(instance, field_id)


def handle_milestones(request: Request, loan: Loan, rest: list[str], user: str) -> Reply:
    """Handle GET and PATCH …/milestones[/{id}]; only the assigned user can finish a milestone."""
    if request.method == "GET":
        rows = [step.as_json() for step in loan.milestones]
        if not rest:
            return json_reply(200, rows)
        row = next((row for row in rows if row["id"] == rest[0]), None)
        if row is None:
            raise not_found_error("No such milestone.")
        return json_reply(200, row)
    if user != "processor1":
        raise ReplyError(error_reply(403, "Forbidden", "Only the assigned user can do this."))
    raise ReplyError(error_reply(501, "Not Implemented", "Use the control call to move a loan."))


def lock_loan(instance: EncompassInstance, request: Request, user: str) -> Reply:
    """Handle POST /encompass/v3/resourceLocks."""
    body = read_json_body(request, dict)
    resource = body.get("resource") or {}
    kind = body.get("lockType")
    if resource.get("entityType") != "Loan" or kind not in {"Exclusive", "NGSharedLock"}:
        raise bad_request_error("Unknown entityType or lockType.")
    loan = instance.get_loan(str(resource.get("entityId", "")))
    with instance.lock:
        instance.check_not_locked(loan, user)
        if loan.lock is not None and kind == "Exclusive":
            raise conflict_error(f"Loan is already locked by {loan.lock['userId']}")
        loan.lock = new_lock(instance, user, str(kind), minutes=None)
    shown = {name: value for name, value in loan.lock.items() if name not in {"until", "type"}}
    return json_reply(201, shown)


def new_lock(instance: EncompassInstance, user: str, kind: str, *, minutes: float | None) -> Json:
    """Build a lock; with `minutes` None it lasts until released."""
    now = instance.clock.now()
    return {
        "id": str(uuid.uuid4()),
        "userId": user,
        "lockTime": now.isoformat(),
        "fullName": user,
        "userType": "Internal",
        "type": kind,
        "until": now + timedelta(minutes=minutes) if minutes else None,
    }


def unlock_loan(instance: EncompassInstance, lock_id: str) -> Reply:
    """Handle DELETE /encompass/v3/resourceLocks/{id}."""
    with instance.lock:
        for loan in instance.loans.values():
            if loan.lock is not None and loan.lock["id"] == lock_id:
                loan.lock = None
                return Reply(status=204)
    raise not_found_error("No such lock.")
