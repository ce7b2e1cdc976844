"""Acts on an LOS connection: its milestones, fields, officers and go-live check."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse

from rooftree.core.vendor_errors import VendorError
from rooftree.flow import loan_milestones
from rooftree.los import connection_check, connection_choice, los_connections
from rooftree.los.connection_choice import LeadsTaken
from rooftree.los.models import Connection
from rooftree.web.setup.los_connection_views import get_editable_connection, render_connection
from rooftree.web.setup.los_forms import (
    LeadsTakenForm,
    LenderFieldsForm,
    MilestoneMapForm,
    MilestoneNamesForm,
    OfficerLoginsForm,
)
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.htmx_responses import respond_done, respond_refused
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import staff_view


@staff_view("POST")
def map_milestones(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Save the meaning of the LOS's statuses; its paused loans are read again."""
    connection, page_url = get_editable_connection(request, connection_id)
    form = MilestoneMapForm(request.POST, connection=connection)

    def save(_: dict[str, Any]) -> int:
        return loan_milestones.save_milestone_map(
            connection_id=connection.pk, meanings=form.meanings(), by=request.user, at=request.at
        )

    if not form.submit(save):
        return render_connection(request, connection, status=422, milestones=form)
    toast = "Milestones saved"
    if form.result:
        toast += f". Reading {count_noun(form.result, 'paused loan')} again"
    return respond_done(request, toast, back_to=f"{page_url}#milestones")


@staff_view("POST")
def store_milestone_names(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Save the milestones that a user typed."""
    connection, page_url = get_editable_connection(request, connection_id)
    form = MilestoneNamesForm(request.POST)

    def save(typed: dict[str, Any]) -> int:
        return los_connections.store_milestone_names(
            connection_id=connection.pk, names=typed["names"], by=request.user, at=request.at
        )

    if not form.submit(save):
        return render_connection(request, connection, status=422, names=form)
    toast = f"{count_noun(form.result, 'milestone')} saved"
    return respond_done(request, toast, back_to=f"{page_url}#milestones")


@staff_view("POST")
def read_milestone_names(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Read the lender's milestones from the LOS."""
    connection, page_url = get_editable_connection(request, connection_id)
    try:
        count = los_connections.read_milestone_names(
            connection_id=connection.pk, by=request.user, at=request.at
        )
    except VendorError as problem:
        reason = f"The milestones couldn’t be read. {problem} You can type them below."
        return respond_refused(request, reason, back_to=f"{page_url}#milestones", status=422)
    toast = f"{count_noun(count, 'milestone')} read from {connection.name}"
    return respond_done(request, toast, back_to=f"{page_url}#milestones")


@staff_view("POST")
def set_lender_fields(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Save the lender's custom fields and revenue fields."""
    connection, page_url = get_editable_connection(request, connection_id)
    form = LenderFieldsForm(request.POST, connection=connection)

    def save(typed: dict[str, Any]) -> int:
        revenue_fields = typed.pop("revenue_fields", [])
        return loan_milestones.save_lender_fields(
            connection_id=connection.pk, lead_fields=typed, revenue_fields=revenue_fields,
            by=request.user, at=request.at,
        )  # fmt: skip

    if not form.submit(save):
        return render_connection(request, connection, status=422, fields=form)
    toast = "Fields saved"
    if form.result:
        toast += f". Reading {count_noun(form.result, 'funded loan')} again"
    return respond_done(request, toast, back_to=f"{page_url}#fields")


@staff_view("POST")
def set_leads_taken(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Save which leads are handed off through a connection."""
    connection, page_url = get_editable_connection(request, connection_id)
    form = LeadsTakenForm(request.POST, connection=connection)

    def save(typed: dict[str, Any]) -> Connection:
        return connection_choice.set_leads_taken(
            connection_id=connection.pk, taken=LeadsTaken(**typed), by=request.user, at=request.at
        )

    if not form.submit(save):
        return render_connection(request, connection, status=422, leads=form)
    return respond_done(request, "Leads saved", back_to=f"{page_url}#leads")


@staff_view("POST")
def set_officer_logins(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Save the loan officers' user names in the LOS."""
    connection, page_url = get_editable_connection(request, connection_id)
    form = OfficerLoginsForm(request.POST, connection=connection)

    def save(typed: dict[str, Any]) -> Connection:
        return los_connections.set_officer_logins(
            connection_id=connection.pk, logins=typed, by=request.user, at=request.at
        )

    if not form.submit(save):
        return render_connection(request, connection, status=422, officers=form)
    return respond_done(request, "User names saved", back_to=f"{page_url}#officers")


@staff_view("POST")
def run_go_live_check(request: StaffRequest, connection_id: UUID) -> HttpResponse:
    """Run the go-live check against the LOS; its result stays on the page."""
    connection, page_url = get_editable_connection(request, connection_id)
    lines = connection_check.run_go_live_check(
        connection_id=connection.pk, site=settings.PUBLIC_URL, by=request.user, at=request.at
    )
    problem_count = sum(line.level == connection_check.BLOCK for line in lines)
    back_to = f"{page_url}#check"
    if problem_count:
        reason = f"The check found {count_noun(problem_count, 'problem')}. See the list."
        return respond_refused(request, reason, back_to=back_to, status=422)
    return respond_done(request, "The go-live check passed", back_to=back_to)
