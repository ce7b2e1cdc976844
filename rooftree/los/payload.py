"""The first request an LOS gets for a lead, built from the hand-off object alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rooftree.core.failures import Misconfigured
from rooftree.los import loxml, mismo
from rooftree.los.fields import FieldTable, build, mapping_of
from rooftree.los.handoff import Handoff, Los, Malformed, to_json
from rooftree.los.values import Need

DEFAULTS: dict[str, dict[str, Any]] = {
    "connection": {"rate_term_value": "NoCashOut", "mismo_in_create": True},
    "answers": {"language_refused": False},
}
# What the connection and the officer must hold before a request can be made at all.
REQUIRED = {
    Los.ENCOMPASS: (
        ("loanFolder", "connection.folder"),
        ("instance", "connection.instance"),
        ("loId", "officer.los_user"),
    ),
    Los.LQB: (("TemplateNm", "connection.template"), ("Login", "officer.los_user")),
    Los.CALYX: (("data folder", "connection.folder"),),
    Los.LENDINGPAD: (),
    Los.BYTE: (),
    Los.MISMO: (),
}


TAKES_MISMO = {Los.MISMO, Los.CALYX, Los.LQB}  # a MISMO document is the request, or goes with it


class NeedsData(Misconfigured):
    """Facts that the LOS insists on are not there; an officer must supply `needs`."""

    def __init__(self, needs: tuple[Need, ...]) -> None:
        super().__init__("; ".join(map(str, needs)))
        self.needs = needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What would be sent, and what is lacking."""

    los: Los
    query: Mapping[str, str]  # beside the body, in the address
    body: Any  # JSON, or the text of an XML document
    needs: tuple[Need, ...]

    @property
    def missing(self) -> tuple[Need, ...]:
        """What the LOS insists on; while this holds anything, nothing may be sent."""
        return tuple(need for need in self.needs if need.required)


def payload(handoff: Handoff, los: str, changes: Mapping[str, Any] | None = None) -> Payload:
    """The first request for `handoff` in `los`.

    Args:
        changes: the lender's own mapping, laid over the shipped one.

    Pure: the same hand-off gives the same request, byte for byte. Raises
    `Malformed` when the hand-off is for another LOS or holds a foreign word.
    """
    kind = Los(los)
    if kind is not Los.MISMO and kind != handoff.connection.los:
        raise Malformed(f"connection.los is {handoff.connection.los}, not {los}")
    data = _with_defaults(handoff)
    needs, body = _body(data, handoff, kind, changes)
    needs = (*_lacking(data, kind), *needs)
    return Payload(los=kind, query=_query(handoff, kind), body=body, needs=needs)


def table_of(los: str, changes: Mapping[str, Any] | None = None) -> FieldTable:
    """The table that fills the requests of one LOS, with the lender's changes laid over it."""
    return mapping_of(Los.MISMO if los in TAKES_MISMO else los, changes)


def _body(
    data: Mapping[str, Any], handoff: Handoff, kind: Los, changes: Mapping[str, Any] | None
) -> tuple[tuple[Need, ...], Any]:
    if kind is Los.LQB:
        needs: tuple[Need, ...] = ()
        inner: str | None = None
        if data["connection"]["mismo_in_create"]:
            needs, inner = _body(data, handoff, Los.MISMO, changes)
        return needs, loxml.create_request(handoff, inner)
    built = build(data, table_of(kind, changes))
    return built.needs, mismo.document(built.tree) if kind in TAKES_MISMO else dict(built.tree)


def _lacking(data: Mapping[str, Any], kind: Los) -> list[Need]:
    found = []
    for name, path in REQUIRED[kind]:
        part, key = path.split(".")
        if data[part].get(key) is None:
            found.append(Need(field=name, path=path, required=True))
    return found


def _query(handoff: Handoff, kind: Los) -> dict[str, str]:
    if kind is not Los.ENCOMPASS:
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


def _with_defaults(handoff: Handoff) -> dict[str, Any]:
    data = to_json(handoff)
    for part, defaults in DEFAULTS.items():
        for name, value in defaults.items():
            if data[part].get(name) is None:
                data[part][name] = value
    return data
