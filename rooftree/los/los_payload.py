"""The first request an LOS gets for a lead, built from the hand-off object alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rooftree.core.vendor_errors import Misconfigured
from rooftree.los import meridianlink_request, mismo_document
from rooftree.los.field_mapping import FieldTable, build_request, load_field_table
from rooftree.los.handoff_record import (
    HandoffRecord,
    LosFormat,
    MalformedHandoff,
    serialize_handoff,
)
from rooftree.los.los_codes import MissingFact

DEFAULTS: dict[str, dict[str, Any]] = {
    "connection": {"rate_term_value": "NoCashOut", "mismo_in_create": True},
    "answers": {"language_refused": False},
}
# What the connection and the officer must hold before a request can be made at all.
REQUIRED_PATHS = {
    LosFormat.ENCOMPASS: (
        ("loanFolder", "connection.folder"),
        ("instance", "connection.instance"),
        ("loId", "officer.los_user"),
    ),
    LosFormat.LQB: (("TemplateNm", "connection.template"), ("Login", "officer.los_user")),
    LosFormat.CALYX: (("data folder", "connection.folder"),),
    LosFormat.LENDINGPAD: (),
    LosFormat.BYTE: (),
    LosFormat.MISMO: (),
}


MISMO_FORMATS = {
    LosFormat.MISMO,
    LosFormat.CALYX,
    LosFormat.LQB,
}  # a MISMO document is the request, or goes with it


class MissingData(Misconfigured):
    """Facts that the LOS insists on are not there; an officer must supply `needs`."""

    def __init__(self, needs: tuple[MissingFact, ...]) -> None:
        super().__init__("; ".join(map(str, needs)))
        self.needs = needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What would be sent, and what is lacking."""

    los: LosFormat
    query: Mapping[str, str]  # beside the body, in the address
    body: Any  # JSON, or the text of an XML document
    needs: tuple[MissingFact, ...]

    @property
    def missing(self) -> tuple[MissingFact, ...]:
        """What the LOS insists on; while this holds anything, nothing may be sent."""
        return tuple(need for need in self.needs if need.required)


def build_payload(
    handoff: HandoffRecord, los: str, changes: Mapping[str, Any] | None = None
) -> Payload:
    """The first request for `handoff` in `los`.

    Args:
        changes: the lender's own mapping, laid over the shipped one.

    Pure: the same hand-off gives the same request, byte for byte. Raises
    `Malformed` when the hand-off is for another LOS or holds a foreign word.
    """
    kind = LosFormat(los)
    if kind is not LosFormat.MISMO and kind != handoff.connection.los:
        raise MalformedHandoff(f"connection.los is {handoff.connection.los}, not {los}")
    data = _apply_defaults(handoff)
    needs, body = _build_body(data, handoff, kind, changes)
    needs = (*_find_missing(data, kind), *needs)
    return Payload(los=kind, query=_build_query(handoff, kind), body=body, needs=needs)


def load_payload_table(los: str, changes: Mapping[str, Any] | None = None) -> FieldTable:
    """The table that fills the requests of one LOS, with the lender's changes laid over it."""
    return load_field_table(LosFormat.MISMO if los in MISMO_FORMATS else los, changes)


def _build_body(
    data: Mapping[str, Any],
    handoff: HandoffRecord,
    kind: LosFormat,
    changes: Mapping[str, Any] | None,
) -> tuple[tuple[MissingFact, ...], Any]:
    if kind is LosFormat.LQB:
        needs: tuple[MissingFact, ...] = ()
        inner: str | None = None
        if data["connection"]["mismo_in_create"]:
            needs, inner = _build_body(data, handoff, LosFormat.MISMO, changes)
        return needs, meridianlink_request.build_create_request(handoff, inner)
    built = build_request(data, load_payload_table(kind, changes))
    return built.needs, mismo_document.render_document(
        built.tree
    ) if kind in MISMO_FORMATS else dict(built.tree)


def _find_missing(data: Mapping[str, Any], kind: LosFormat) -> list[MissingFact]:
    found = []
    for name, path in REQUIRED_PATHS[kind]:
        part, key = path.split(".")
        if data[part].get(key) is None:
            found.append(MissingFact(field=name, path=path, required=True))
    return found


def _build_query(handoff: HandoffRecord, kind: LosFormat) -> dict[str, str]:
    if kind is not LosFormat.ENCOMPASS:
        return {}
    connection = handoff.connection
    asked = {
        "loanFolder": connection.folder,
        "view": "id",
        "loId": handoff.officer.los_user,
        "templateType": connection.template_type if connection.template else None,
        "templatePath": connection.template,
    }
    return {name: value for name, value in asked.items() if value}


def _apply_defaults(handoff: HandoffRecord) -> dict[str, Any]:
    data = serialize_handoff(handoff)
    for part, defaults in DEFAULTS.items():
        for name, value in defaults.items():
            if data[part].get(name) is None:
                data[part][name] = value
    return data
