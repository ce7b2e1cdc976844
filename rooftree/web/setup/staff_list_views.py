"""Import of users from a pasted list or a file: preview in place, add, invite by email."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from rooftree.flow import account_security, staff_list_import
from rooftree.flow.staff_list_import import StaffList, UnreadableStaffList
from rooftree.los.los_connections import InvalidConnection
from rooftree.org.models import ROLES, Branch, User
from rooftree.org.staff_accounts import StaffChangeError
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_forms import StaffForm, textarea_field
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view

MAX_LIST_CHARS = 200_000
EXAMPLE = """name,email,role,branch,phone,nmls,los name
Elena Ruiz,elena@lender.example,loan officer,Boise,208-555-0131,1307755,eruiz
Joanna Park,joanna@lender.example,branch manager / loan officer,Boise,208-555-0118,1307756,jpark"""


class StaffListForm(StaffForm):
    """A list of staff, pasted or as a file; the file wins."""

    CONDITIONALLY_REQUIRED = frozenset({"people", "file"})  # one of the two

    people = textarea_field(
        "Pasted list",
        "Paste from a spreadsheet or CSV. The first line names the columns, in any order: name, "
        "email and role, then branch, phone and NMLS ID. Loan officers need all six. LOS name is "
        "the officer’s user name in the LOS.",
        rows=10,
    )
    file = forms.FileField(
        label="Or a file",
        required=False,
        help_text="CSV or Excel",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,.xls,.ods"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["people"].max_length = MAX_LIST_CHARS  # type: ignore[attr-defined]
        self.fields["people"].widget.attrs |= {"placeholder": EXAMPLE, "spellcheck": "false"}

    def read_list(self) -> StaffList:
        """Read and check the list. Raises `UnreadableStaffList`."""
        upload = self.cleaned_data["file"]
        body = upload.read() if upload else self.cleaned_data["people"].encode()
        return staff_list_import.read_staff_list(body)


@staff_view("GET", "POST")
def check_staff_list(request: StaffRequest) -> HttpResponse:
    """Show the list; a POST checks each row and changes nothing."""
    require_permission(request.user, "edit_people")
    if request.method == "GET":
        return _render_list(request, StaffListForm())
    form, staff = _read_posted_list(request)
    if staff is None:
        return _render_list(request, form, status=422)
    typed = staff_list_import.write_staff_list(staff.rows)
    return _render_list(request, StaffListForm(initial={"people": typed}), staff)


@staff_view("POST")
def add_staff(request: StaffRequest) -> HttpResponse:
    """Add the users of the rows without a problem, and send them nothing."""
    return _add_ready_rows(request, is_invited=False)


@staff_view("POST")
def invite_staff(request: StaffRequest) -> HttpResponse:
    """Add the users of the rows without a problem, and mail each a link."""
    return _add_ready_rows(request, is_invited=True)


@staff_view("POST")
def resend_invitation(request: StaffRequest, user_id: UUID) -> HttpResponse:
    """Mail a new link to a user who has no password yet."""
    require_permission(request.user, "edit_people")
    users = User.objects.staff()
    user = get_object_or_404(users, pk=user_id)
    page_url = reverse("setup_person", args=[user.pk])
    if not user.is_active or user.has_usable_password():
        problem = f"{user.name} has signed in or no longer works here. Nothing was sent."
        return respond_refused(request, problem, back_to=page_url)
    account_security.enqueue_invitation(user, by=request.user)
    return respond_done(request, f"Invitation sent to {user.email}", back_to=page_url)


def _add_ready_rows(request: StaffRequest, *, is_invited: bool) -> HttpResponse:
    """Add the ready rows; rows with a problem stay in the list to be corrected."""
    require_permission(request.user, "edit_people")
    form, staff = _read_posted_list(request)
    if staff is None:
        return _render_list(request, form, status=422)
    try:
        added = staff_list_import.add_staff(
            staff.ready, is_invited=is_invited, by=request.user, at=request.at
        )
    except (
        StaffChangeError,
        InvalidConnection,
    ) as problem:  # somebody else added one of them meanwhile
        form.show_refusal("people", str(problem))
        return _render_list(request, form, status=422)
    done = f"{count_noun(len(added), 'user')} {'invited' if is_invited else 'added'}"
    if not staff.to_fix:
        messages.success(request, done)
        return HttpResponseRedirect(reverse("setup_people"), status=303)
    typed = staff_list_import.write_staff_list(staff.to_fix)
    staff.rows = staff.to_fix
    return _render_list(request, StaffListForm(initial={"people": typed}), staff, done=done)


def _read_posted_list(request: StaffRequest) -> tuple[StaffListForm, StaffList | None]:
    """Read the posted list; None, with the error in the form, if it can't be read."""
    form = StaffListForm(request.POST, request.FILES)
    if not form.is_valid():
        return form, None
    try:
        return form, form.read_list()
    except UnreadableStaffList as problem:
        form.show_refusal("people", str(problem))
        return form, None


def _render_list(
    request: StaffRequest,
    form: StaffListForm,
    staff: StaffList | None = None,
    *,
    done: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "staff": staff,
        "done": done,
        "roles": ROLES.values(),
        "branches": Branch.objects.order_by("name").values_list("name", flat=True),
    }
    return render(request, "setup/staff_list.html", context, status=status)
