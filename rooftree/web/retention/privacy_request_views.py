"""Compliance > Retention > Privacy requests: receive, carry out and answer them in time."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.core.us_states import STATES
from rooftree.flow import privacy_fulfillment
from rooftree.leads.models import Person
from rooftree.money.company_day import company_day
from rooftree.org.models import Company, User
from rooftree.retention import answer_letter, legal_holds, privacy_requests, purges
from rooftree.retention.models import PrivacyRequest
from rooftree.retention.privacy_requests import (
    RECEIVED_VIA,
    REQUEST_KINDS,
    NewRequest,
    RequestRefused,
)
from rooftree.retention.retention_schedule import REQUEST_WARN_DAYS
from rooftree.routing.permissions import users_with_permission
from rooftree.web.compliance import contact_lookup
from rooftree.web.shared import display_formats
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import StaffForm, choice_field, date_field, text_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_company_permission, staff_view

MAX_LISTED = 50


class PrivacyRequestForm(StaffForm):
    """A new privacy request."""

    address = text_field("Phone number or email", "As we have it on file")
    kind = choice_field("Request", REQUEST_KINDS.items())
    state = choice_field(
        "State of residence", [("", "Not stated"), *STATES.items()], required=False
    )
    came_by = choice_field("Received by", [(via, via.capitalize()) for via in RECEIVED_VIA])
    received_date = date_field("Received on", "The 45 days start here")
    owner = choice_field("Assigned to", ())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners = users_with_permission("keep_records").order_by("name")
        self.set_choices("owner", [(str(owner.pk), owner.name) for owner in owners])


@staff_view("GET", "POST")
def list_requests(request: StaffRequest) -> HttpResponse:
    """List open requests by due date and answered ones; a POST adds one."""
    require_company_permission(request.user, "keep_records")
    today = company_day(request.at)
    form = PrivacyRequestForm(
        request.POST or None, initial={"received_date": today, "owner": request.user.pk}
    )
    if request.method == "POST" and form.is_valid():
        try:
            privacy_request = _receive_request(form, request)
        except RequestRefused as problem:
            form.show_refusal("", str(problem))
        else:
            due_date = privacy_request.due_date
            return respond_done(
                request,
                f"Request added, due {due_date:%b} {due_date.day}",
                back_to=reverse("privacy_request", args=[privacy_request.pk]),
            )
    rows = PrivacyRequest.objects.all()
    context = {
        "form": form,
        "open": request_lines(rows.filter(answered_at=None), today=today),
        "answered": request_lines(
            rows.exclude(answered_at=None), today=today, order="-answered_at"
        ),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "retention/privacy_requests.html", context, status=status)


@staff_view("GET")
def show_request(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """Show one request with its status, the possible actions and the response letter."""
    require_company_permission(request.user, "keep_records")
    privacy_request = _get_request(request_id)
    person_id = privacy_request.person_id
    context = {
        **_request_line(privacy_request, company_day(request.at)),
        "confirm_by": privacy_requests.acknowledgment_due_date(privacy_request),
        "fields": [
            (key, label) for key, (label, _) in privacy_fulfillment.CORRECTABLE_FIELDS.items()
        ],
        "holds": legal_holds.active_holds(privacy_fulfillment.find_merged_person_ids(person_id))
        if person_id
        else [],
        "recipients": privacy_fulfillment.list_recipients(person_id) if person_id else [],
        "kept_records": answer_letter.kept_class_sentences(privacy_request.kept_classes),
        "purge": privacy_request.purges.first(),
        "letter": _build_letter(privacy_request),
        "large": purges.SECOND_PERSON_ABOVE,
    }
    return render(request, "retention/privacy_request.html", context)


@staff_view("POST")
def confirm_identity(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """Record how the person's identity was confirmed."""

    def confirm() -> str:
        how = request.POST.get("how", "")
        privacy_requests.confirm_identity(request_id, how=how, by=request.user, at=request.at)
        return "Identity confirmed"

    return _change_request(request, request_id, confirm)


@staff_view("POST")
def extend_deadline(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """Extend the deadline once, for a reason."""

    def extend() -> str:
        because = request.POST.get("because", "")
        privacy_requests.extend_deadline(
            request_id, because=because, by=request.user, at=request.at
        )
        return "Deadline extended by 45 days. Notify the person now"

    return _change_request(request, request_id, extend)


@staff_view("POST")
def download_personal_data(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """Download the copy of a person's data."""
    require_company_permission(request.user, "keep_records")
    back = reverse("privacy_request", args=[_get_request(request_id).pk])
    try:
        body = privacy_fulfillment.build_copy(request_id, by=request.user, at=request.at)
    except RequestRefused as problem:
        return respond_refused(request, str(problem), back_to=back, status=422)
    name = f"your data {request.at:%Y-%m-%d}.zip"
    response = HttpResponse(body, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@staff_view("POST")
def correct_record(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """Correct one field of the person."""

    def correct() -> str:
        privacy_fulfillment.correct_person(
            request_id, field=request.POST.get("field", ""), value=request.POST.get("value", ""),
            by=request.user, at=request.at,
        )  # fmt: skip
        return "Correction saved"

    return _change_request(request, request_id, correct)


@staff_view("POST")
def delete_personal_data(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """Stop all contact and delete what no law keeps."""

    def delete() -> str:
        purge = privacy_fulfillment.delete_person_data(request_id, by=request.user, at=request.at)
        if purge is None:
            return "Contact stopped. No records can be deleted yet"
        if purge.approved_at is None:
            return "Contact stopped. A second person must approve the deletion"
        return "Contact stopped. Deletion starts within seconds"

    return _change_request(request, request_id, delete)


@staff_view("POST")
def close_request(request: StaffRequest, request_id: UUID) -> HttpResponse:
    """Close a request with its outcome."""

    def close() -> str:
        privacy_requests.answer_request(
            request_id, outcome=request.POST.get("outcome", ""),
            because=request.POST.get("because", ""),
            notified_recipients=request.POST.get("onward", ""), by=request.user, at=request.at,
        )  # fmt: skip
        return "Request closed"

    return _change_request(request, request_id, close)


def request_lines(
    rows: QuerySet[PrivacyRequest], *, today: date, order: str = "due_date"
) -> list[dict[str, Any]]:
    """Build the list lines of requests."""
    rows = rows.select_related("person", "owner").order_by(order, "pk")[:MAX_LISTED]
    return [_request_line(row, today) for row in rows]


def _request_line(privacy_request: PrivacyRequest, today: date) -> dict[str, Any]:
    days_left = (privacy_request.due_date - today).days
    tone = "late" if days_left < 0 else "soon" if days_left <= REQUEST_WARN_DAYS else ""
    address, person = privacy_request.address, privacy_request.person
    if address and "@" not in address:
        address = display_formats.phone(address)
    return {
        "privacy_request": privacy_request,
        "name": (person.name if person else "") or address or "Deleted person",
        "address": address,
        "kind_label": REQUEST_KINDS[privacy_request.kind],
        "days": abs(days_left),
        "is_late": days_left < 0,
        "tone": tone,
        "icon": "warn" if days_left < 0 else "clock",
    }


def _get_request(request_id: UUID) -> PrivacyRequest:
    rows = PrivacyRequest.objects.select_related("person", "owner", "answered_by", "entered_by")
    return get_object_or_404(rows, pk=request_id)


def _receive_request(form: PrivacyRequestForm, request: StaffRequest) -> PrivacyRequest:
    typed = form.cleaned_data
    address = contact_lookup.parse_address(typed["address"])
    if address is None:
        raise RequestRefused(contact_lookup.INVALID_ADDRESS)
    people = [
        person
        for person in contact_lookup.find_people(address, request.user)
        if not person.merged_into_id
    ]
    if len(people) > 1:
        raise RequestRefused(
            f"{len(people)} people have this contact. Enter another one of the person’s."
        )
    return privacy_requests.receive_request(
        NewRequest(
            kind=typed["kind"], address=address.key, person_id=people[0].pk if people else None,
            state=typed["state"], received_via=typed["came_by"],
            received_date=typed["received_date"],
        ),
        owner=User.objects.get(pk=typed["owner"]), by=request.user, at=request.at,
    )  # fmt: skip


def _change_request(
    request: StaffRequest, request_id: UUID, change: Callable[[], str]
) -> HttpResponse:
    """Change a request and confirm it; `change` returns the toast."""
    require_company_permission(request.user, "keep_records")
    back = reverse("privacy_request", args=[_get_request(request_id).pk])
    try:
        words = change()
    except RequestRefused as problem:
        return respond_refused(request, str(problem), back_to=back, status=422)
    return respond_done(request, words, back_to=back)


def _build_letter(privacy_request: PrivacyRequest) -> str:
    """Build the letter that answers a request; return "" before the company is set up."""
    company = Company.objects.first()
    if company is None:
        return ""
    person: Person | None = privacy_request.person
    purge = privacy_request.purges.first()
    return answer_letter.compose_letter(
        privacy_request,
        answer_letter.LetterFacts(
            company=company.legal_name, postal_address=company.postal_address,
            name=" ".join(filter(None, (person.first_name, person.last_name))) if person else "",
            state=STATES.get(privacy_request.state, ""),
            removed=purge.rows.exclude(removed_at=None).count() if purge else 0,
            recipients=privacy_fulfillment.list_recipients(person.pk) if person else (),
        ),
    )  # fmt: skip
