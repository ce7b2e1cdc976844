"""The filters of the queue, the pipeline and the people list: one form, read from the URL."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse

from rooftree.core.us_states import STATES
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.leads import lead_tags
from rooftree.leads.models import Source
from rooftree.org.models import User
from rooftree.routing.lead_filter import LeadFilter
from rooftree.routing.permissions import officers_visible_to
from rooftree.web.shared import display_formats
from rooftree.web.shared.staff_forms import StaffForm, choice_field, text_field

UNASSIGNED = "none"
PURPOSES = {
    "purchase": "Purchase",
    "refinance": "Any refinance",
    "refinance_rate_term": "Rate-term refi",
    "refinance_cash_out": "Cash-out refi",
}
TABS = {"now": "Now", "today": "Today", "waiting": "Waiting on borrower"}
STAGES = {  # of loans, by key: heading, lowest rank of its milestones
    "los": ("In the LOS", 0),
    "application": ("Application", 40),
    "processing": ("Processing", 50),
    "underwriting": ("Underwriting", 60),
    "clear": ("Clear to close", 90),
    "closing": ("Closing", 100),
    "funded": ("Funded, last 30 days", 130),
}
SOURCES_QUERY = PreparedQuery(lambda: Source.objects.only("name").order_by("name", "id"))
# Fields that choose how a list is shown; they are no filters and have no chip.
LAYOUT_FIELDS = ("tab", "view", "order")
COMMON_FIELDS = ("q", "purpose", "state", "source", "tag")
FIELDS_BY_PAGE = {
    "queue": ("tab", *COMMON_FIELDS, "score", "idle"),
    "pipeline": ("view", *COMMON_FIELDS, "stage", "officer", "days", "loan_order"),
    "people": (*COMMON_FIELDS, "status", "officer", "score", "idle", "order"),
}


class LeadFilterForm(StaffForm):
    """The filters of one list. An unknown value filters nothing and is named beside its field."""

    q = text_field("Name", required=False, max_length=80)
    purpose = choice_field("Loan", [("", "Any"), *PURPOSES.items()], required=False)
    state = choice_field("State", [("", "Any"), *STATES.items()], required=False)
    source = choice_field("Source", (), required=False)
    tag = choice_field("Tag", (), required=False)
    status = choice_field(
        "Status", [("", "Any"), *display_formats.LEAD_STATE_LABELS.items()], required=False
    )
    stage = choice_field(
        "Stage", [("", "Any"), *((key, label) for key, (label, _) in STAGES.items())],
        required=False,
    )  # fmt: skip
    officer = choice_field("Loan officer", (), required=False)
    score = choice_field(
        "Score", [("", "Any"), *((str(low), f"Score {low}+") for low in (80, 60, 40))],
        required=False,
    )  # fmt: skip
    idle = choice_field(
        "Last contact",
        [("", "Any"), *((str(days), f"{days}+ days ago") for days in (3, 7, 14, 30, 90))],
        required=False,
    )
    days = choice_field(
        "In its milestone",
        [("", "Any"), *((str(days), f"{days}+ days") for days in (3, 7, 14, 30))],
        required=False,
    )
    order = choice_field(
        "Sort by",
        [
            ("", "Newest inquiry"), ("oldest", "Oldest inquiry"), ("score", "Highest score"),
            ("name", "Name"), ("amount", "Largest loan"),
        ],
        required=False,
    )  # fmt: skip
    loan_order = choice_field(
        "Sort by",
        [
            ("", "Longest in milestone"), ("newest", "Newest in milestone"), ("stage", "Stage"),
            ("name", "Name"), ("amount", "Largest loan"),
        ],
        required=False,
    )  # fmt: skip
    tab = choice_field("Tab", [("", "Now"), *TABS.items()], required=False)
    view = choice_field("View", [("", "Board"), ("list", "List")], required=False)

    def __init__(self, page: str, user: User, data: Any) -> None:
        super().__init__(data, auto_id="filter-%s")
        self.fields = {name: self.fields[name] for name in FIELDS_BY_PAGE[page]}
        self._offer("source", _source_choices)
        self._offer("tag", lambda: [(name, name) for name in lead_tags.list_known_tags()])
        if user.role in ("officer", "assistant"):
            self.fields.pop("officer", None)
        self._offer("officer", lambda: _officer_choices(user))
        self.is_valid()

    def _offer(self, name: str, choices: Callable[[], Iterable[tuple[str, str]]]) -> None:
        """Set choices that are read once, and only when they are shown or checked."""
        if name in self.fields:
            read = cache(lambda: [("", "Any"), *choices()])
            self.fields[name].choices = read  # type: ignore[attr-defined]

    @property
    def shown_fields(self) -> list[Any]:
        return [field for field in self if field.name not in ("tab", "view")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterChip:
    """One filter that is set, and the URL without it."""

    label: str
    href: str


class ListFilter:
    """The filters that a URL sets on one page, and their form, chips and links."""

    def __init__(self, page: str, user: User, data: QueryDict) -> None:
        self.page = page
        self.form = LeadFilterForm(page, user, data)
        self.values: dict[str, str] = {
            name: value for name, value in self.form.cleaned_data.items() if value
        }

    @property
    def lead_filter(self) -> LeadFilter:
        """The filter for a query."""
        values = self.values
        officer = values.get("officer", "")
        return LeadFilter(
            purpose=values.get("purpose", ""),
            state=values.get("state", ""),
            source_id=UUID(values["source"]) if "source" in values else None,
            tag=values.get("tag", ""),
            stage=values.get("status", ""),
            officer_id=UUID(officer) if officer and officer != UNASSIGNED else None,
            is_unassigned=officer == UNASSIGNED,
            min_score=int(values["score"]) if "score" in values else None,
            idle_days=int(values["idle"]) if "idle" in values else None,
            name=values.get("q", ""),
        )

    @property
    def query(self) -> str:
        """Everything set, as a query string."""
        return self._encode(self.values)

    @property
    def address(self) -> str:
        """The URL of the list as it is shown."""
        return f"{reverse(self.page)}?{self.query}" if self.query else reverse(self.page)

    @property
    def saved_query(self) -> str:
        """The filters that a saved view keeps, without the searched name; "" if none is set."""
        if not set(self.values) - {"q", "tab", "view"}:
            return ""
        return self._encode({name: value for name, value in self.values.items() if name != "q"})

    @property
    def is_set(self) -> bool:
        return bool(self.chips)

    @property
    def chips(self) -> list[FilterChip]:
        """The filters that are set, in the order of the form."""
        names = [name for name in self.values if name not in (*LAYOUT_FIELDS, "loan_order")]
        return [FilterChip(label=self._label(name), href=self.href(**{name: ""})) for name in names]

    @property
    def clear_href(self) -> str:
        kept = {name: value for name, value in self.values.items() if name in ("tab", "view")}
        return f"?{self._encode(kept)}"

    @property
    def hidden_values(self) -> list[tuple[str, str]]:
        """Parameters that the filter form passes on."""
        return [(name, self.values[name]) for name in ("tab", "view") if name in self.values]

    def href(self, **changes: Any) -> str:
        """Return the URL of the list with some values changed."""
        return f"?{self._encode({**self.values, **changes})}"

    def _label(self, name: str) -> str:
        value = self.values[name]
        if name == "q":
            return f"“{value}”"
        label = dict(self.form.fields[name].choices).get(value, value)  # type: ignore[attr-defined]
        if name == "idle":
            return f"Last contact {label}"
        return f"{label} in milestone" if name == "days" else str(label)

    def _encode(self, values: dict[str, Any]) -> str:
        query = QueryDict(mutable=True)
        query.update({name: str(value) for name, value in values.items() if value})
        return query.urlencode()


def _source_choices() -> list[tuple[str, str]]:
    return [(str(source.pk), source.name) for source in SOURCES_QUERY.all()]


def _officer_choices(user: User) -> list[tuple[str, str]]:
    officers = officers_visible_to(user).filter(terminated_at=None).order_by("user__name", "id")
    rows = officers.values_list("pk", "user__name")
    return [(UNASSIGNED, "Unassigned"), *((str(key), name) for key, name in rows)]
