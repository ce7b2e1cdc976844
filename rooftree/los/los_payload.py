"""The first request an LOS gets for a lead, built from the hand-off object alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rooftree.core.vendor_errors import Misconfigured
from rooftree.leads.vocabulary import PhoneType
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
# Facts that the connection and the officer must have before a request can be built.
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


PLACES_OF_UNTYPED = (PhoneType.HOME, PhoneType.MOBILE, PhoneType.WORK)

# The request is a MISMO document, or carries one.
MISMO_FORMATS = {LosFormat.MISMO, LosFormat.CALYX, LosFormat.LQB}


class MissingData(Misconfigured):
    """Facts that the LOS requires are missing; a loan officer must supply `needs`."""

    def __init__(self, needs: tuple[MissingFact, ...]) -> None:
        super().__init__("; ".join(map(str, needs)))
        self.needs = needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One request to an LOS, and the facts still missing from it."""

    los: LosFormat
    query: Mapping[str, str]  # query parameters of the URL
    body: Any  # JSON, or the text of an XML document
    needs: tuple[MissingFact, ...]

    @property
    def missing(self) -> tuple[MissingFact, ...]:
        """Facts the LOS requires; the request can't be sent while there are any."""
        return tuple(need for need in self.needs if need.required)


def build_payload(
    handoff: HandoffRecord, los: str, changes: Mapping[str, Any] | None = None
) -> Payload:
    """Build the first request for `handoff` in `los`.

    Args:
        changes: the lender's own mapping, applied over the shipped one.

    Pure: the same hand-off gives the same request, byte for byte. Raises
    `MalformedHandoff` when the hand-off is for another LOS or holds an unknown word.
    """
    los_format = LosFormat(los)
    if los_format is not LosFormat.MISMO and los_format != handoff.connection.los:
        raise MalformedHandoff(f"connection.los is {handoff.connection.los}, not {los}")
    data = _apply_defaults(handoff)
    needs, body = _build_body(data, handoff, los_format, changes)
    needs = (*_find_missing(data, los_format), *needs)
    return Payload(los=los_format, query=_build_query(handoff, los_format), body=body, needs=needs)


def load_payload_table(los: str, changes: Mapping[str, Any] | None = None) -> FieldTable:
    """Load the table that fills requests to one LOS, with the lender's changes applied."""
    return load_field_table(LosFormat.MISMO if los in MISMO_FORMATS else los, changes)


def _build_body(
    data: Mapping[str, Any],
    handoff: HandoffRecord,
    los_format: LosFormat,
    changes: Mapping[str, Any] | None,
) -> tuple[tuple[MissingFact, ...], Any]:
    if los_format is LosFormat.LQB:
        needs: tuple[MissingFact, ...] = ()
        mismo: str | None = None
        if data["connection"]["mismo_in_create"]:
            needs, mismo = _build_body(data, handoff, LosFormat.MISMO, changes)
        return needs, meridianlink_request.build_create_request(handoff, mismo)
    request = build_request(data, load_payload_table(los_format, changes))
    if los_format in MISMO_FORMATS:
        return request.needs, mismo_document.render_document(request.tree)
    return request.needs, dict(request.tree)


def _find_missing(data: Mapping[str, Any], los_format: LosFormat) -> list[MissingFact]:
    missing = []
    for name, path in REQUIRED_PATHS[los_format]:
        part, key = path.split(".")
        if data[part].get(key) is None:
            missing.append(MissingFact(field=name, path=path, required=True))
    return missing


def _build_query(handoff: HandoffRecord, los_format: LosFormat) -> dict[str, str]:
    if los_format is not LosFormat.ENCOMPASS:
        return {}
    connection = handoff.connection
    parameters = {
        "loanFolder": connection.folder,
        "view": "id",
        "loId": handoff.officer.los_user,
        "templateType": connection.template_type if connection.template else None,
        "templatePath": connection.template,
    }
    return {name: value for name, value in parameters.items() if value}


def _apply_defaults(handoff: HandoffRecord) -> dict[str, Any]:
    data = serialize_handoff(handoff)
    for part, defaults in DEFAULTS.items():
        for name, value in defaults.items():
            if data[part].get(name) is None:
                data[part][name] = value
    phones = data["canonical"].get("phones")
    if isinstance(phones, list) and all(isinstance(phone, Mapping) for phone in phones):
        data["canonical"]["phones"] = _place_untyped_phones(phones)
    return data


def _place_untyped_phones(phones: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the phones with each one of unknown type placed in a free field of the loan.

    Home comes first: a number in the mobile field would read as fit for texts, and nobody said so.
    """
    free = [
        place
        for place in PLACES_OF_UNTYPED
        if not any(phone.get("type") == place for phone in phones)
    ]
    placed: list[Mapping[str, Any]] = []
    for phone in phones:
        is_untyped = phone.get("type") in (None, PhoneType.UNKNOWN)
        if is_untyped and phone.get("e164") and free:
            placed.append({**phone, "type": str(free.pop(0))})
        else:
            placed.append(phone)
    return placed
