"""Compliance, legal holds: placing one, lifting one, and every one there was."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.compliance.keeping import holds
from rooftree.compliance.keeping.models import LegalHold
from rooftree.leads.models import Person, Source
from rooftree.routing.visible import leads_visible_to
from rooftree.web import look_up, words
from rooftree.web.answers import done, refused
from rooftree.web.page import must_for_all, staff
from rooftree.web.staff_forms import StaffForm, area, choice, day, text

ONE_DAY = timedelta(days=1)


class HoldForm(StaffForm):
    """What a hold is for, and whose records it keeps."""

    matter = text("Matter", "As counsel calls it: a case, a complaint, an examination", longest=120)
    why = area("Why", "The letter or order that asks for it", required=True, rows=2)
    address = text("Number or e-mail", "All that is theirs stays", required=False)
    person = choice("Or a person on file", (), required=False)
    source = choice("Or what came from", (), required=False)
    from_date = day("Arrived from", required=False)
    last_date = day("To", "Both days count", required=False)

    def __init__(self, *args: Any, person: Person | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = Source.objects.order_by("name").values_list("pk", "name")
        self.fields["source"].choices = [("", "Any source"), *((str(k), n) for k, n in sources)]
        if person is None:
            del self.fields["person"]
        else:
            self.fields["person"].choices = [(str(person.pk), person.name), ("", "Nobody")]

    def scope(self) -> holds.Scope:
        """Whose records; raises `CannotHold` for a number that is none."""
        typed = self.cleaned_data
        address = look_up.read(typed["address"]) if typed["address"] else None
        if typed["address"] and address is None:
            raise holds.CannotHold("This is no phone number and no e-mail address.")
        last = typed["last_date"]
        return holds.Scope(
            person_id=UUID(typed["person"]) if typed.get("person") else None,
            address=address.key if address else "",
            source_id=UUID(typed["source"]) if typed["source"] else None,
            from_date=typed["from_date"], until_date=last + ONE_DAY if last else None,
        )  # fmt: skip


@staff("GET", "POST")
def index(request: HttpRequest) -> HttpResponse:
    """Every hold, those in force first, and a new one."""
    must_for_all(request.user, "keep_records")
    form = HoldForm(request.POST or None, person=_meant(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = holds.place(
                form.scope(), matter=form.cleaned_data["matter"], why=form.cleaned_data["why"],
                by=request.user, at=request.at,
            )  # fmt: skip
        except holds.CannotHold as problem:
            form.refuse("", str(problem))
        else:
            said = f"{made.matter}: nothing of it is removed any more"
            return done(request, said, back_to=reverse("legal_holds"))
    rows = LegalHold.objects.select_related("person", "source", "placed_by", "lifted_by")
    context = {
        "form": form,
        "live": [_line(one) for one in rows.filter(lifted_at=None).order_by("-placed_at")],
        "over": [_line(one) for one in rows.exclude(lifted_at=None).order_by("-lifted_at")],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "compliance/keeping/holds.html", context, status=status)


@staff("POST")
def lifting(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """The matter is over: what the hold kept goes by its clocks again."""
    must_for_all(request.user, "keep_records")
    hold = get_object_or_404(LegalHold, pk=hold_id)
    back = reverse("legal_holds")
    try:
        holds.lift(
            hold_id=hold.pk, because=request.POST.get("because", ""), by=request.user,
            at=request.at,
        )  # fmt: skip
    except holds.CannotHold as problem:
        return refused(request, str(problem), back_to=back, status=422)
    return done(request, f"{hold.matter} is lifted", back_to=back)


def _meant(request: HttpRequest) -> Person | None:
    """The person of the lead that this page was opened from."""
    asked = request.GET.get("lead", "")
    lead = leads_visible_to(request.user).filter(pk=asked).first() if _is_key(asked) else None
    return lead.person if lead else None


def _is_key(typed: str) -> bool:
    try:
        UUID(typed)
    except ValueError:
        return False
    return True


def _line(one: LegalHold) -> dict[str, Any]:
    """A hold, with what it is of in words."""
    said = [one.person.name] if one.person else []
    if one.address:
        said.append(one.address if "@" in one.address else words.phone(one.address))
    if one.source:
        said.append(f"all that came from {one.source.name}")
    if one.from_date:
        said.append(f"from {one.from_date:%b} {one.from_date.day}, {one.from_date.year}")
    if one.until_date:
        last = one.until_date - ONE_DAY
        said.append(f"to {last:%b} {last.day}, {last.year}")
    return {"one": one, "of": ", ".join(said)}
