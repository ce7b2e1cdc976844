"""Where a person can do what a verdict asks for."""

from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from rooftree.org.models import ROLES, User
from rooftree.routing.permissions import ROLES_BY_PERMISSION, has_permission


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvingPage:
    """A page that holds the act which a verdict's reason asks for."""

    label: str
    url_name: str
    permission: str
    is_of_lead: bool = False  # its address takes the lead


RESOLVING_PAGES = {  # by reason code
    "property_state_needed": ResolvingPage(
        label="Enter the property state", url_name="lead", permission="change_lead",
        is_of_lead=True,
    ),
    "location_evidence_missing": ResolvingPage(
        label="Enter the property state", url_name="lead", permission="change_lead",
        is_of_lead=True,
    ),
    "no_common_window": ResolvingPage(
        label="Enter where the borrower is", url_name="lead", permission="change_lead",
        is_of_lead=True,
    ),
    "hold_for_human_review": ResolvingPage(
        label="Read the reply", url_name="compliance", permission="release_hold"
    ),
    "consent_evidence_incomplete": ResolvingPage(
        label="Decide the message", url_name="reviews", permission="decide_message"
    ),
    "privacy_and_udaap_review": ResolvingPage(
        label="Review the source’s terms", url_name="all_source_terms", permission="review_terms"
    ),
    "emergency_data_stale": ResolvingPage(
        label="Update the emergencies", url_name="compliance", permission="record_emergencies"
    ),
    "registration_or_exemption": ResolvingPage(
        label="Enter the registration", url_name="setup_company", permission="edit_setup"
    ),
    "rnd_required_maine": ResolvingPage(
        label="Set up number checks", url_name="setup_numbers", permission="edit_setup"
    ),
    "rnd_check_stale": ResolvingPage(
        label="Set up number checks", url_name="setup_numbers", permission="edit_setup"
    ),
    "rnd_no_data_reverify": ResolvingPage(
        label="Decide the message", url_name="reviews", permission="decide_message"
    ),
    "add_nmls_ids": ResolvingPage(
        label="Fix the template", url_name="wording", permission="see_sequences"
    ),
    "add_license_words": ResolvingPage(
        label="Fix the template", url_name="wording", permission="see_sequences"
    ),
    "add_optout_text": ResolvingPage(
        label="Fix the template", url_name="wording", permission="see_sequences"
    ),
    "license_words_not_on_file": ResolvingPage(
        label="Enter the license", url_name="setup_licenses", permission="edit_licenses"
    ),
    "loan_status_unmapped": ResolvingPage(
        label="Map the status", url_name="setup_los", permission="edit_setup"
    ),
    "supervisor_approval_state_silent": ResolvingPage(
        label="Approve the hour", url_name="team", permission="see_team"
    ),
    # Blocks that end once somebody has acted.
    "scrub_stale": ResolvingPage(
        label="Load the do-not-call list", url_name="dnc_lists", permission="load_lists"
    ),
    "state_scrub_stale": ResolvingPage(
        label="Load the state’s do-not-call list", url_name="dnc_lists", permission="load_lists"
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WayForward:
    """The next step for a user after a verdict: a link, or who takes it."""

    label: str
    href: str = ""  # "" if the user can't open the page
    roles: str = ""  # who can, as a phrase


def find_way_forward(reason: str, lead_id: UUID, user: User) -> WayForward | None:
    """Return where what a reason asks for can be done; None for a reason without a page."""
    page = RESOLVING_PAGES.get(reason)
    if page is None:
        return None
    if has_permission(user, page.permission):
        href = reverse(page.url_name, args=[lead_id] if page.is_of_lead else [])
        return WayForward(label=page.label, href=href)
    names = [str(ROLES[role]).lower() for role in ROLES_BY_PERMISSION[page.permission][:2]]
    return WayForward(label=page.label, roles=" or ".join(names))
