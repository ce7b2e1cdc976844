"""Forms of the LOS connection's page: settings, milestones, fields and officers."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField

from rooftree.leads.scenario_text import PURPOSE_LABELS
from rooftree.los import lender_mapping, los_connections
from rooftree.los.adapters import load_profile
from rooftree.los.connection_choice import MAX_POSITION
from rooftree.los.loan_milestones import all_milestones, milestone_label
from rooftree.los.los_adapter import LosProfile, Section, SettingField
from rooftree.los.models import Connection
from rooftree.org.models import Branch, LoanOfficer
from rooftree.web.shared.staff_forms import (
    SECRET_ON_FILE_HINT,
    LinesField,
    StaffForm,
    checkbox_field,
    checkboxes_field,
    choice_field,
    integer_field,
    row_choices,
    secret_field,
    text_field,
)

NO_MILESTONE = "none"


class ConnectionForm(StaffForm):
    """One connection: the settings that the profile of its LOS names."""

    def __init__(
        self,
        *args: Any,
        profile: LosProfile,
        is_on_file: dict[str, bool] | None = None,
        **kwargs: Any,
    ) -> None:
        self.profile = profile
        super().__init__(
            *args,
            extra_fields={field.key: _setting_field(field) for field in profile.fields},
            **kwargs,
        )
        credentials = profile.credential_keys
        needed = (field.key for field in profile.fields if field.is_required)
        self.CONDITIONALLY_REQUIRED = frozenset(
            {*profile.exactly_one_of, *(key for key in needed if key in credentials)}
        )
        self.FIELDSETS = tuple(
            (str(section), tuple(f.key for f in profile.fields if f.section == section))
            for section in Section
        )
        for name, is_stored in (is_on_file or {}).items():
            if is_stored:
                self.fields[name].help_text = SECRET_ON_FILE_HINT

    def split_typed(self, typed: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the plain settings and the credentials."""
        keys = self.profile.credential_keys
        plain = {name: value for name, value in typed.items() if name not in keys}
        return plain, {name: typed[name] for name in keys}


def _setting_field(field: SettingField) -> Any:
    is_credential = field.section is Section.CREDENTIALS
    is_required = field.is_required and not is_credential
    if field.is_secret:
        return secret_field(field.label, field.hint)
    if field.choices:
        return choice_field(field.label, field.choices, field.hint, required=is_required)
    return text_field(
        field.label, field.hint, required=is_required, max_length=field.max_length,
        initial=field.initial,
    )  # fmt: skip


class LeadsTakenForm(StaffForm):
    """Which leads a connection takes."""

    position = integer_field(
        "Order", "Connections are tried from 0 up", min_value=0, max_value=MAX_POSITION
    )
    branch_ids = checkboxes_field("Branches", (), "None checked: every branch")
    purposes = checkboxes_field(
        "Loan purposes",
        list(PURPOSE_LABELS.items()),
        "None checked: every purpose",
    )
    is_for_tests = checkbox_field("Test leads only", "No real lead is handed off through it")

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        names = ("position", "branch_ids", "purposes", "is_for_tests")
        initial = {name: getattr(connection, name) for name in names}
        super().__init__(*args, initial=initial, **kwargs)
        self.set_choices("branch_ids", row_choices(Branch.objects.order_by("path")))


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
        profile = load_profile(connection.los)
        shape, facts = profile.custom_fields, {}
        if shape is not None:
            hint = f"Custom field ID, such as {shape.example}"
            facts = {
                key: text_field(label, hint, required=False, max_length=64)
                for key, (label, _) in lender_mapping.LEAD_FACTS.items()
            }
        initial = {**connection.lead_fields, "revenue_fields": connection.revenue_fields}
        super().__init__(*args, extra_fields=facts, initial=initial, **kwargs)
        self.order_fields([*facts, "revenue_fields"])
        if not profile.revenue_pattern:
            del self.fields["revenue_fields"]


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
        label = load_profile(connection.los).officer_login or "User name"
        officers.sort(key=lambda officer: officer.nmls_id in logins)  # the missing ones first
        extra_fields = {
            officer.nmls_id: text_field(
                f"{label} of {officer.user.name}", required=False, max_length=120,
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
