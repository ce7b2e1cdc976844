"""Compliance > Retention > Legal holds: place, lift and list holds."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.leads.models import Person, Source
from rooftree.retention import legal_holds
from rooftree.retention.models import LegalHold
from rooftree.routing.permissions import leads_visible_to
from rooftree.web.compliance import contact_lookup
from rooftree.web.shared import display_formats
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import (
    StaffForm,
    choice_field,
    date_field,
    text_field,
    textarea_field,
)
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_company_permission, staff_view

ONE_DAY = timedelta(days=1)


class LegalHoldForm(StaffForm):
    """A new hold: its matter, and whose records it keeps."""

    matter = text_field(
        "Matter", "Counsel’s name for the case, complaint or examination", max_length=120
    )
    why = textarea_field("Reason", "The letter or order that requires it", required=True, rows=2)
    address = text_field(
        "Phone number or email", "Keeps all records of this contact", required=False
    )
    person = choice_field("Person", (), required=False)
    source = choice_field("Source", (), required=False)
    from_date = date_field("Received from", required=False)
    last_date = date_field("Received through", required=False)

    def __init__(self, *args: Any, person: Person | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = Source.objects.order_by("name").values_list("pk", "name")
        self.set_choices(
            "source", [("", "Any source"), *((str(key), name) for key, name in sources)]
        )
        if person is None:
            del self.fields["person"]
        else:
            self.set_choices("person", [(str(person.pk), person.name), ("", "No one")])

    def build_scope(self) -> legal_holds.HoldScope:
        """Build the scope of the hold. Raises `BadHold` for an invalid phone number or email."""
        typed = self.cleaned_data
        address = contact_lookup.parse_address(typed["address"]) if typed["address"] else None
        if typed["address"] and address is None:
            raise legal_holds.BadHold(contact_lookup.INVALID_ADDRESS)
        last = typed["last_date"]
        return legal_holds.HoldScope(
            person_id=UUID(typed["person"]) if typed.get("person") else None,
            address=address.key if address else "",
            source_id=UUID(typed["source"]) if typed["source"] else None,
            from_date=typed["from_date"], until_date=last + ONE_DAY if last else None,
        )  # fmt: skip


@staff_view("GET", "POST")
def list_legal_holds(request: StaffRequest) -> HttpResponse:
    """List holds, those in force first; a POST places one."""
    require_company_permission(request.user, "keep_records")
    form = LegalHoldForm(request.POST or None, person=_linked_person(request))
    if request.method == "POST" and form.is_valid():
        try:
            hold = legal_holds.place_hold(
                form.build_scope(), matter=form.cleaned_data["matter"],
                why=form.cleaned_data["why"], by=request.user, at=request.at,
            )  # fmt: skip
        except legal_holds.BadHold as problem:
            form.show_refusal("", str(problem))
        else:
            return respond_done(
                request, f"Hold placed on {hold.matter}", back_to=reverse("legal_holds")
            )
    rows = LegalHold.objects.select_related("person", "source", "placed_by", "lifted_by")
    context = {
        "form": form,
        "live": [_hold_line(row) for row in rows.filter(lifted_at=None).order_by("-placed_at")],
        "lifted": [_hold_line(row) for row in rows.exclude(lifted_at=None).order_by("-lifted_at")],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "retention/legal_holds.html", context, status=status)


@staff_view("POST")
def lift_hold(request: StaffRequest, hold_id: UUID) -> HttpResponse:
    """Lift a hold: the retention schedule applies to its records again."""
    require_company_permission(request.user, "keep_records")
    hold = get_object_or_404(LegalHold, pk=hold_id)
    back = reverse("legal_holds")
    try:
        legal_holds.lift_hold(
            hold_id=hold.pk, because=request.POST.get("because", ""), by=request.user,
            at=request.at,
        )  # fmt: skip
    except legal_holds.BadHold as problem:
        return respond_refused(request, str(problem), back_to=back, status=422)
    return respond_done(request, f"Hold on {hold.matter} lifted", back_to=back)


def _linked_person(request: StaffRequest) -> Person | None:
    """Return the person of the lead that this page was opened from, if the user can see it."""
    try:
        lead_id = UUID(request.GET.get("lead", ""))
    except ValueError:
        return None
    lead = leads_visible_to(request.user).filter(pk=lead_id).first()
    return lead.person if lead else None


def _hold_line(hold: LegalHold) -> dict[str, Any]:
    """Build the list line of a hold, with its scope as a phrase."""
    scope = [hold.person.name] if hold.person else []
    if hold.address:
        scope.append(hold.address if "@" in hold.address else display_formats.phone(hold.address))
    if hold.source:
        scope.append(f"everything from {hold.source.name}")
    if hold.from_date:
        scope.append(f"from {hold.from_date:%b} {hold.from_date.day}, {hold.from_date.year}")
    if hold.until_date:
        last = hold.until_date - ONE_DAY
        scope.append(f"through {last:%b} {last.day}, {last.year}")
    return {"hold": hold, "scope": ", ".join(scope)}
