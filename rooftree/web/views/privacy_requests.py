"""Compliance, requests: what people ask about their data, with its clock, acts and answer."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance.keeping import answer_letter, holds, purges, requests
from rooftree.compliance.keeping.models import PrivacyRequest
from rooftree.compliance.keeping.requests import CAME_BY, KINDS, Asked, CannotAnswer
from rooftree.compliance.keeping.schedule import WARN_DAYS
from rooftree.core.states import STATES
from rooftree.flow import privacy
from rooftree.leads.models import Person
from rooftree.money.company_day import company_day
from rooftree.org.models import Company, User
from rooftree.routing.visible import who_may
from rooftree.web import look_up, words
from rooftree.web.answers import done, refused
from rooftree.web.page import must_for_all, staff
from rooftree.web.staff_forms import StaffForm, choice, day, text

SHOWN = 50


class RequestForm(StaffForm):
    """A request that came in."""

    address = text("Number or e-mail", "By which they are known to us")
    kind = choice("They want us to", KINDS.items())
    state = choice("They live in", [("", "They did not say"), *STATES.items()], required=False)
    came_by = choice("It came by", [(one, one.capitalize()) for one in CAME_BY])
    received_date = day("Received on", "The 45 days run from here")
    owner = choice("Who answers it", ())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners = who_may("keep_records").order_by("name")
        self.fields["owner"].choices = [(str(one.pk), one.name) for one in owners]


@staff("GET", "POST")
def index(request: HttpRequest) -> HttpResponse:
    """Every request, the open ones first by their day; and a new one."""
    must_for_all(request.user, "keep_records")
    today = company_day(request.at)
    form = RequestForm(
        request.POST or None, initial={"received_date": today, "owner": request.user.pk}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = _received(form, request)
        except CannotAnswer as problem:
            form.refuse("", str(problem))
        else:
            back = reverse("privacy_request", args=[made.pk])
            return done(request, f"Due {made.due_date:%b} {made.due_date.day}", back_to=back)
    rows = PrivacyRequest.objects.all()
    context = {
        "form": form,
        "open": lines_of(rows.filter(answered_at=None), today=today),
        "answered": lines_of(rows.exclude(answered_at=None), today=today, order="-answered_at"),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "compliance/keeping/requests.html", context, status=status)


@staff("GET")
def show(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One request: who, by when, what was done, and the letter to hand over."""
    must_for_all(request.user, "keep_records")
    one = _one(request_id)
    context = {
        **_line(one, company_day(request.at)),
        "confirm_by": requests.confirm_by(one),
        "fields": [(key, label) for key, (label, _) in privacy.FIELDS.items()],
        "held": holds.over(privacy.whole(one.person_id)) if one.person_id else [],
        "onward": privacy.handed_to(one.person_id) if one.person_id else [],
        "stays": answer_letter.left(one.stays),
        "purge": one.purges.first(),
        "letter": _letter(one),
        "large": purges.LARGE,
    }
    return render(request, "compliance/keeping/request.html", context)


@staff("POST")
def act(request: HttpRequest, request_id: UUID, what: str) -> HttpResponse:
    """One step of a request."""
    must_for_all(request.user, "keep_records")
    if what not in ACTS:
        raise Http404
    back = reverse("privacy_request", args=[_one(request_id).pk])
    try:
        made = ACTS[what](request, request_id)
    except CannotAnswer as problem:
        return refused(request, str(problem), back_to=back, status=422)
    return made if isinstance(made, HttpResponse) else done(request, made, back_to=back)


def lines_of(
    rows: QuerySet[PrivacyRequest], *, today: date, order: str = "due_date"
) -> list[dict[str, Any]]:
    """Requests as lines of a list."""
    chosen = rows.select_related("person", "owner").order_by(order, "pk")[:SHOWN]
    return [_line(one, today) for one in chosen]


def _line(one: PrivacyRequest, today: date) -> dict[str, Any]:
    left = (one.due_date - today).days
    tone = "late" if left < 0 else "soon" if left <= WARN_DAYS else ""
    shown = one.address if "@" in one.address else words.phone(one.address) if one.address else ""
    return {
        "one": one,
        "name": (one.person.name if one.person else "") or shown or "Somebody whose data is gone",
        "shown": shown,
        "wants": KINDS[one.kind],
        "left": abs(left),
        "is_late": left < 0,
        "tone": tone,
        "icon": "warn" if left < 0 else "clock",
    }


def _one(request_id: UUID) -> PrivacyRequest:
    rows = PrivacyRequest.objects.select_related("person", "owner", "answered_by", "entered_by")
    return get_object_or_404(rows, pk=request_id)


def _received(form: RequestForm, request: HttpRequest) -> PrivacyRequest:
    typed = form.cleaned_data
    address = look_up.read(typed["address"])
    if address is None:
        raise CannotAnswer("This is no phone number and no e-mail address.")
    people = [one for one in look_up.people_of(address, request.user) if not one.merged_into_id]
    if len(people) > 1:
        raise CannotAnswer(
            f"{len(people)} people have or had it. Use another number or address of theirs."
        )
    return requests.receive(
        Asked(
            kind=typed["kind"], address=address.key, person_id=people[0].pk if people else None,
            state=typed["state"], came_by=typed["came_by"], received_date=typed["received_date"],
        ),
        owner=User.objects.get(pk=typed["owner"]), by=request.user, at=request.at,
    )  # fmt: skip


def _identity(request: HttpRequest, key: UUID) -> str:
    requests.identify(key, how=request.POST.get("how", ""), by=request.user, at=request.at)
    return "Written down"


def _extension(request: HttpRequest, key: UUID) -> str:
    requests.extend(key, because=request.POST.get("because", ""), by=request.user, at=request.at)
    return "45 days more. Tell them now, and why"


def _copy(request: HttpRequest, key: UUID) -> HttpResponse:
    body = privacy.copy_for(key, by=request.user, at=request.at)
    name = f"your data {request.at:%Y-%m-%d}.zip"
    answer = HttpResponse(body, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _correction(request: HttpRequest, key: UUID) -> str:
    privacy.correct(
        key, field=request.POST.get("field", ""), value=request.POST.get("value", ""),
        by=request.user, at=request.at,
    )  # fmt: skip
    return "Corrected"


def _deletion(request: HttpRequest, key: UUID) -> str:
    made = privacy.delete(key, by=request.user, at=request.at)
    if made is None:
        return "Nothing may go yet. They are not contacted any more"
    if made.approved_at is None:
        return "They are not contacted any more. A second person approves the removal"
    return "They are not contacted any more, and the removal begins within seconds"


def _answer(request: HttpRequest, key: UUID) -> str:
    said = {one: request.POST.get(one, "") for one in ("outcome", "because", "onward")}
    requests.answer(key, by=request.user, at=request.at, **said)
    return "Answered"


ACTS: dict[str, Callable[[HttpRequest, UUID], HttpResponse | str]] = {
    "identity": _identity,
    "extension": _extension,
    "copy": _copy,
    "correction": _correction,
    "deletion": _deletion,
    "answer": _answer,
}


def _letter(one: PrivacyRequest) -> str:
    company = Company.objects.get()
    person: Person | None = one.person
    purge = one.purges.first()
    return answer_letter.letter(
        one,
        answer_letter.Facts(
            company=company.legal_name, postal_address=company.postal_address,
            name=" ".join(filter(None, (person.first_name, person.last_name))) if person else "",
            state=STATES.get(one.state, ""),
            removed=purge.rows.exclude(removed_at=None).count() if purge else 0,
            onward=privacy.handed_to(one.person_id) if one.person_id else (),
        ),
    )  # fmt: skip
