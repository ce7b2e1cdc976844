"""Compliance, requests: what people ask about their data, with its clock, acts and answer."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
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
    """A request that came in."""

    address = text_field("Number or e-mail", "By which they are known to us")
    kind = choice_field("They want us to", REQUEST_KINDS.items())
    state = choice_field(
        "They live in", [("", "They did not say"), *STATES.items()], required=False
    )
    came_by = choice_field("It came by", [(one, one.capitalize()) for one in RECEIVED_VIA])
    received_date = date_field("Received on", "The 45 days run from here")
    owner = choice_field("Who answers it", ())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners = users_with_permission("keep_records").order_by("name")
        self.fields["owner"].choices = [(str(owner.pk), owner.name) for owner in owners]


@staff_view("GET", "POST")
def list_requests(request: StaffRequest) -> HttpResponse:
    """Every request, the open ones first by their day; and a new one."""
    require_company_permission(request.user, "keep_records")
    today = company_day(request.at)
    form = PrivacyRequestForm(
        request.POST or None, initial={"received_date": today, "owner": request.user.pk}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = _receive_request(form, request)
        except RequestRefused as problem:
            form.show_refusal("", str(problem))
        else:
            back = reverse("privacy_request", args=[made.pk])
            return respond_done(
                request, f"Due {made.due_date:%b} {made.due_date.day}", back_to=back
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
    """One request: who, by when, what was done, and the letter to hand over."""
    require_company_permission(request.user, "keep_records")
    one = _get_request(request_id)
    context = {
        **_request_line(one, company_day(request.at)),
        "confirm_by": privacy_requests.acknowledgment_due_date(one),
        "fields": [
            (key, label) for key, (label, _) in privacy_fulfillment.CORRECTABLE_FIELDS.items()
        ],
        "held": legal_holds.active_holds(privacy_fulfillment.merged_person_ids(one.person_id))
        if one.person_id
        else [],
        "onward": privacy_fulfillment.list_recipients(one.person_id) if one.person_id else [],
        "stays": answer_letter.kept_class_sentences(one.stays),
        "purge": one.purges.first(),
        "letter": _build_letter(one),
        "large": purges.SECOND_PERSON_ABOVE,
    }
    return render(request, "retention/privacy_request.html", context)


@staff_view("POST")
def apply_request_action(request: StaffRequest, request_id: UUID, what: str) -> HttpResponse:
    """One step of a request."""
    require_company_permission(request.user, "keep_records")
    if what not in ACTIONS:
        raise Http404
    back = reverse("privacy_request", args=[_get_request(request_id).pk])
    try:
        made = ACTIONS[what](request, request_id)
    except RequestRefused as problem:
        return respond_refused(request, str(problem), back_to=back, status=422)
    return made if isinstance(made, HttpResponse) else respond_done(request, made, back_to=back)


def request_lines(
    rows: QuerySet[PrivacyRequest], *, today: date, order: str = "due_date"
) -> list[dict[str, Any]]:
    """Requests as lines of a list."""
    chosen = rows.select_related("person", "owner").order_by(order, "pk")[:MAX_LISTED]
    return [_request_line(row, today) for row in chosen]


def _request_line(one: PrivacyRequest, today: date) -> dict[str, Any]:
    left = (one.due_date - today).days
    tone = "late" if left < 0 else "soon" if left <= REQUEST_WARN_DAYS else ""
    shown = (
        one.address
        if "@" in one.address
        else display_formats.phone(one.address)
        if one.address
        else ""
    )
    return {
        "one": one,
        "name": (one.person.name if one.person else "") or shown or "Somebody whose data is gone",
        "shown": shown,
        "wants": REQUEST_KINDS[one.kind],
        "left": abs(left),
        "is_late": left < 0,
        "tone": tone,
        "icon": "warn" if left < 0 else "clock",
    }


def _get_request(request_id: UUID) -> PrivacyRequest:
    rows = PrivacyRequest.objects.select_related("person", "owner", "answered_by", "entered_by")
    return get_object_or_404(rows, pk=request_id)


def _receive_request(form: PrivacyRequestForm, request: StaffRequest) -> PrivacyRequest:
    typed = form.cleaned_data
    address = contact_lookup.parse_address(typed["address"])
    if address is None:
        raise RequestRefused("This is no phone number and no e-mail address.")
    people = [
        person
        for person in contact_lookup.find_people(address, request.user)
        if not person.merged_into_id
    ]
    if len(people) > 1:
        raise RequestRefused(
            f"{len(people)} people have or had it. Use another number or address of theirs."
        )
    return privacy_requests.receive_request(
        NewRequest(
            kind=typed["kind"], address=address.key, person_id=people[0].pk if people else None,
            state=typed["state"], received_via=typed["came_by"], received_date=typed["received_date"],
        ),
        owner=User.objects.get(pk=typed["owner"]), by=request.user, at=request.at,
    )  # fmt: skip


def _confirm_identity(request: StaffRequest, key: UUID) -> str:
    privacy_requests.confirm_identity(
        key, how=request.POST.get("how", ""), by=request.user, at=request.at
    )
    return "Written down"


def _extend_deadline(request: StaffRequest, key: UUID) -> str:
    privacy_requests.extend_deadline(
        key, because=request.POST.get("because", ""), by=request.user, at=request.at
    )
    return "45 days more. Tell them now, and why"


def _download_copy(request: StaffRequest, key: UUID) -> HttpResponse:
    body = privacy_fulfillment.build_copy(key, by=request.user, at=request.at)
    name = f"your data {request.at:%Y-%m-%d}.zip"
    answer = HttpResponse(body, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _correct_record(request: StaffRequest, key: UUID) -> str:
    privacy_fulfillment.correct_person(
        key, field=request.POST.get("field", ""), value=request.POST.get("value", ""),
        by=request.user, at=request.at,
    )  # fmt: skip
    return "Corrected"


def _delete_records(request: StaffRequest, key: UUID) -> str:
    made = privacy_fulfillment.delete_person_data(key, by=request.user, at=request.at)
    if made is None:
        return "Nothing may go yet. They are not contacted any more"
    if made.approved_at is None:
        return "They are not contacted any more. A second person approves the removal"
    return "They are not contacted any more, and the removal begins within seconds"


def _answer_request(request: StaffRequest, key: UUID) -> str:
    said = {one: request.POST.get(one, "") for one in ("outcome", "because", "onward")}
    privacy_requests.answer_request(key, by=request.user, at=request.at, **said)
    return "Answered"


ACTIONS: dict[str, Callable[[StaffRequest, UUID], HttpResponse | str]] = {
    "identity": _confirm_identity,
    "extension": _extend_deadline,
    "copy": _download_copy,
    "correction": _correct_record,
    "deletion": _delete_records,
    "answer": _answer_request,
}


def _build_letter(one: PrivacyRequest) -> str:
    company = Company.objects.get()
    person: Person | None = one.person
    purge = one.purges.first()
    return answer_letter.compose_letter(
        one,
        answer_letter.LetterFacts(
            company=company.legal_name, postal_address=company.postal_address,
            name=" ".join(filter(None, (person.first_name, person.last_name))) if person else "",
            state=STATES.get(one.state, ""),
            removed=purge.rows.exclude(removed_at=None).count() if purge else 0,
            recipients=privacy_fulfillment.list_recipients(one.person_id) if one.person_id else (),
        ),
    )  # fmt: skip
