"""Compliance, legal holds: placing one, lifting one, and every one there was."""

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
    """What a hold is for, and whose records it keeps."""

    matter = text_field(
        "Matter", "As counsel calls it: a case, a complaint, an examination", max_length=120
    )
    why = textarea_field("Why", "The letter or order that asks for it", required=True, rows=2)
    address = text_field("Number or e-mail", "All that is theirs stays", required=False)
    person = choice_field("Or a person on file", (), required=False)
    source = choice_field("Or what came from", (), required=False)
    from_date = date_field("Arrived from", required=False)
    last_date = date_field("To", "Both days count", required=False)

    def __init__(self, *args: Any, person: Person | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = Source.objects.order_by("name").values_list("pk", "name")
        self.fields["source"].choices = [("", "Any source"), *((str(k), n) for k, n in sources)]
        if person is None:
            del self.fields["person"]
        else:
            self.fields["person"].choices = [(str(person.pk), person.name), ("", "Nobody")]

    def build_scope(self) -> legal_holds.HoldScope:
        """Whose records; raises `CannotHold` for a number that is none."""
        typed = self.cleaned_data
        address = contact_lookup.parse_address(typed["address"]) if typed["address"] else None
        if typed["address"] and address is None:
            raise legal_holds.BadHold("This is no phone number and no e-mail address.")
        last = typed["last_date"]
        return legal_holds.HoldScope(
            person_id=UUID(typed["person"]) if typed.get("person") else None,
            address=address.key if address else "",
            source_id=UUID(typed["source"]) if typed["source"] else None,
            from_date=typed["from_date"], until_date=last + ONE_DAY if last else None,
        )  # fmt: skip


@staff_view("GET", "POST")
def list_legal_holds(request: StaffRequest) -> HttpResponse:
    """Every hold, those in force first, and a new one."""
    require_company_permission(request.user, "keep_records")
    form = LegalHoldForm(request.POST or None, person=_linked_person(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = legal_holds.place_hold(
                form.build_scope(), matter=form.cleaned_data["matter"], why=form.cleaned_data["why"],
                by=request.user, at=request.at,
            )  # fmt: skip
        except legal_holds.BadHold as problem:
            form.show_refusal("", str(problem))
        else:
            said = f"{made.matter}: nothing of it is removed any more"
            return respond_done(request, said, back_to=reverse("legal_holds"))
    rows = LegalHold.objects.select_related("person", "source", "placed_by", "lifted_by")
    context = {
        "form": form,
        "live": [_hold_line(row) for row in rows.filter(lifted_at=None).order_by("-placed_at")],
        "over": [_hold_line(row) for row in rows.exclude(lifted_at=None).order_by("-lifted_at")],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "retention/legal_holds.html", context, status=status)


@staff_view("POST")
def lift_hold(request: StaffRequest, hold_id: UUID) -> HttpResponse:
    """The matter is over: what the hold kept goes by its clocks again."""
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
    return respond_done(request, f"{hold.matter} is lifted", back_to=back)


def _linked_person(request: StaffRequest) -> Person | None:
    """The person of the lead that this page was opened from."""
    asked = request.GET.get("lead", "")
    lead = leads_visible_to(request.user).filter(pk=asked).first() if _is_uuid(asked) else None
    return lead.person if lead else None


def _is_uuid(typed: str) -> bool:
    try:
        UUID(typed)
    except ValueError:
        return False
    return True


def _hold_line(one: LegalHold) -> dict[str, Any]:
    """A hold, with what it is of in words."""
    said = [one.person.name] if one.person else []
    if one.address:
        said.append(one.address if "@" in one.address else display_formats.phone(one.address))
    if one.source:
        said.append(f"all that came from {one.source.name}")
    if one.from_date:
        said.append(f"from {one.from_date:%b} {one.from_date.day}, {one.from_date.year}")
    if one.until_date:
        last = one.until_date - ONE_DAY
        said.append(f"to {last:%b} {last.day}, {last.year}")
    return {"one": one, "of": ", ".join(said)}
