"""Forms of the LOS connection's page: settings, milestones, fields and officers."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField

from rooftree.los import lender_mapping, los_connections
from rooftree.los.loan_milestones import all_milestones, milestone_label
from rooftree.los.los_connections import CREDENTIAL_FIELDS
from rooftree.los.models import Connection
from rooftree.org.models import LoanOfficer
from rooftree.web.shared.staff_forms import (
    SECRET_ON_FILE_HINT,
    LinesField,
    StaffForm,
    choice_field,
    secret_field,
    text_field,
)

NO_MILESTONE = "none"


class ConnectionForm(StaffForm):
    """One lender instance of Encompass."""

    name = text_field("Name", "Staff see this name", max_length=120)
    instance = text_field("Instance", "For example BE11200000; TEBE… for tests", max_length=60)
    base_url = text_field("API address", "For example https://api.elliemae.com")
    folder = text_field("Loan folder", "For new loans", required=False, max_length=120)
    template = text_field("Loan template", "Its path in Encompass", required=False)
    template_type = text_field("Template type", required=False, max_length=60)
    lead_id_field = text_field(
        "Field for the lead ID", "A custom field used for nothing else", max_length=60
    )
    client_id = text_field("API client ID", required=False, max_length=200)
    client_secret = secret_field("API client secret")
    user = text_field("API user", required=False, max_length=120)
    password = secret_field("Password")

    FIELDSETS = (
        ("Connection", ("name", "instance", "base_url")),
        ("New loans", ("folder", "template", "template_type", "lead_id_field")),
        ("Credentials", CREDENTIAL_FIELDS),
    )

    def __init__(
        self, *args: Any, is_on_file: dict[str, bool] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, is_stored in (is_on_file or {}).items():
            if is_stored:
                self.fields[name].help_text = SECRET_ON_FILE_HINT


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """One status of the LOS: its field, and how many loans wait for its meaning."""

    status: str
    field: BoundField
    is_mapped: bool
    paused_count: int


class MilestoneMapForm(StaffForm):
    """The meaning of each status of the LOS."""

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        paused = Counter(
            status
            for statuses in los_connections.find_loans(connection)
            .exclude(unmapped_statuses=[])
            .values_list("unmapped_statuses", flat=True)
            for status in statuses
        )
        statuses = list(dict.fromkeys([*paused, *lender_mapping.list_statuses(connection)]))
        meanings = {status: lender_mapping.find_meaning(connection, status) for status in statuses}
        statuses.sort(key=lambda status: meanings[status] is not None)
        choices = [(code, milestone_label(code)) for code in all_milestones()]
        choices += [(NO_MILESTONE, "No milestone")]
        extra_fields = {}
        for status in statuses:
            meaning = meanings[status]
            unmapped = [("", "Choose a milestone")] if meaning is None else []
            field = choice_field(
                f"Meaning of {status}", [*unmapped, *choices], required=meaning is not None
            )
            field.initial = meaning if meaning is None else meaning or NO_MILESTONE
            extra_fields[_status_key(status)] = field
        super().__init__(*args, extra_fields=extra_fields, **kwargs)
        self.rows = [
            StatusRow(
                status=status,
                field=self[_status_key(status)],
                is_mapped=meanings[status] is not None,
                paused_count=paused[status],
            )
            for status in statuses
        ]
        self.unmapped_count = sum(not row.is_mapped for row in self.rows)

    def meanings(self) -> dict[str, str | None]:
        """Return the chosen milestone code by status, None for no milestone."""
        chosen = {row.status: self.cleaned_data[row.field.name] for row in self.rows}
        return {
            status: None if code == NO_MILESTONE else code
            for status, code in chosen.items()
            if code
        }


def _status_key(status: str) -> str:
    """Return a field name that stays the same when the list of statuses changes."""
    return f"status-{hashlib.sha256(status.encode()).hexdigest()[:12]}"


class MilestoneNamesForm(StaffForm):
    """The lender's milestones, typed, for an LOS that doesn't list them."""

    names = LinesField("Milestones", "One per line, as the LOS writes them")


class LenderFieldsForm(StaffForm):
    """The lender's custom fields for lead facts, and its revenue fields."""

    revenue_fields = LinesField(
        "Revenue fields", "Field IDs, one per line. Their sum is booked when the loan funds"
    )

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        facts = {
            key: text_field(
                label, "Custom field ID, such as CX.SOURCE", required=False, max_length=64
            )
            for key, (label, _) in lender_mapping.LEAD_FACTS.items()
        }
        initial = {**connection.lead_fields, "revenue_fields": connection.revenue_fields}
        super().__init__(*args, extra_fields=facts, initial=initial, **kwargs)
        self.order_fields([*facts, "revenue_fields"])


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerRow:
    """One loan officer and the field for the user name."""

    officer: LoanOfficer
    field: BoundField
    has_login: bool


class OfficerLoginsForm(StaffForm):
    """Each loan officer's user name in the LOS."""

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        officers = list(
            LoanOfficer.objects.filter(terminated_at=None)
            .select_related("user")
            .order_by("user__name", "id")
        )
        logins = connection.officer_users
        officers.sort(key=lambda officer: officer.nmls_id in logins)  # the missing ones first
        extra_fields = {
            officer.nmls_id: text_field(
                f"User name of {officer.user.name}", required=False, max_length=120,
                initial=logins.get(officer.nmls_id, ""),
            )
            for officer in officers
        }  # fmt: skip
        super().__init__(*args, extra_fields=extra_fields, **kwargs)
        self.rows = [
            OfficerRow(
                officer=officer,
                field=self[officer.nmls_id],
                has_login=officer.nmls_id in logins,
            )
            for officer in officers
        ]
        self.missing_count = sum(not row.has_login for row in self.rows)
