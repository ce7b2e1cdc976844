"""A lender's own milestones, custom fields and revenue fields, as changes to the shipped table."""

from collections.abc import Mapping
from typing import Any

from rooftree.los.adapters import load_profile
from rooftree.los.loan_milestones import UnmappedStatus
from rooftree.los.los_adapter import LosProfile
from rooftree.los.los_payload import load_payload_table
from rooftree.los.models import Connection
from rooftree.los.status_mapping import (
    build_status_map,
    list_status_names,
    milestone_for_status,
)

ACTION_TAKEN = "1393="  # a status with this prefix is a value of field 1393, not a milestone
LEAD_FACTS = {  # key: (label, path in the hand-off)
    "source": ("Lead source", "canonical.source"),
    "campaign": ("Campaign", "canonical.campaign"),
    "received_at": ("Lead received", "created_at"),
    "vendor_id": ("Vendor\u2019s lead ID", "canonical.vendor_lead_id"),
}


def build_lender_mapping(connection: Connection) -> dict[str, Any]:
    """Return the lender's changes in the form `load_field_table` takes."""
    mapping: dict[str, Any] = {
        "statuses": _build_statuses(connection),
        "field": _build_fields(connection),
    }
    if connection.revenue_fields:
        mapping["reads"] = {"revenue": connection.revenue_fields}
    return mapping


def list_statuses(connection: Connection) -> list[str]:
    """Return the lender's statuses in the order of its LOS; the shipped names if none are known."""
    shipped = list_status_names(connection.los)
    return list(dict.fromkeys([*(connection.los_milestones or shipped), *connection.milestone_map]))


def list_revenue_fields(connection: Connection) -> list[str]:
    """Return the fields whose sum is our revenue: the lender's, otherwise the shipped one."""
    table = load_payload_table(connection.los, build_lender_mapping(connection))
    return list(table.reads.get("revenue", ()))


def find_meaning(connection: Connection, status: str) -> str | None:
    """Return the milestone code a status means here; "" if it means none, None if unmapped."""
    changes = _build_statuses(connection)
    try:
        milestone = milestone_for_status(
            connection.los, status, build_status_map(connection.los, changes)
        )
    except UnmappedStatus:
        return None
    return milestone.code if milestone else ""


def spell(field_id: str, profile: LosProfile) -> str:
    """Return a field id as the LOS writes it: in capitals where its ids are."""
    is_upper = bool(profile.custom_fields and profile.custom_fields.example.isupper())
    return field_id.strip().upper() if is_upper else field_id.strip()


def _build_statuses(connection: Connection) -> dict[str, Any]:
    milestone_map: Mapping[str, str | None] = connection.milestone_map
    if connection.los != "encompass":
        return dict(milestone_map)
    actions = {
        name.removeprefix(ACTION_TAKEN): code
        for name, code in milestone_map.items()
        if name.startswith(ACTION_TAKEN)
    }
    milestones = {
        name: code for name, code in milestone_map.items() if not name.startswith(ACTION_TAKEN)
    }
    return {"milestones": milestones, "action_taken_1393": actions}


def _build_fields(connection: Connection) -> list[dict[str, Any]]:
    """Return the table rows that write lead facts into custom fields, after the lead ID's own."""
    shape = load_profile(connection.los).custom_fields
    rows: list[dict[str, Any]] = []
    if shape is None or not shape.name_key:
        return rows
    for position, (key, field_id) in enumerate(connection.lead_fields.items(), start=1):
        place = f"customFields[{position}]"
        value = f"{place}.{shape.value_key}"
        rows.append(
            {"id": field_id, "to": value, "from": LEAD_FACTS[key][1], "as": shape.value_form}
        )
        rows.append(
            {"id": field_id, "to": f"{place}.{shape.name_key}", "is": field_id, "beside": value}
        )
    return rows
