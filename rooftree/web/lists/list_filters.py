"""The filters of the queue, the pipeline and the people list: one form, read from the URL."""

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
from rooftree.web.lists.url_filter import FilterForm, UrlFilter, list_officer_choices
from rooftree.web.shared import display_formats
from rooftree.web.shared.staff_forms import choice_field, text_field

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
COMMON_FIELDS = ("q", "purpose", "state", "source", "tag")
FIELDS_BY_PAGE = {
    "queue": ("tab", *COMMON_FIELDS, "score", "idle"),
    "pipeline": ("view", *COMMON_FIELDS, "stage", "officer", "days", "loan_order"),
    "people": (*COMMON_FIELDS, "kind", "status", "officer", "score", "idle", "order"),
}


class LeadFilterForm(FilterForm):
    """The filters of one list of leads."""

    HIDDEN = ("tab", "view")

    q = text_field("Name", required=False, max_length=80)
    purpose = choice_field("Loan", [("", "Any"), *PURPOSES.items()], required=False)
    state = choice_field("State", [("", "Any"), *STATES.items()], required=False)
    source = choice_field("Source", (), required=False)
    tag = choice_field("Tag", (), required=False)
    kind = choice_field(
        "Who", [("", "Anyone"), ("clients", "Past clients"), ("leads", "Leads")], required=False
    )
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
        super().__init__(data)
        self.fields = {name: self.fields[name] for name in FIELDS_BY_PAGE[page]}
        self.offer("source", _source_choices)
        self.offer("tag", lambda: [(name, name) for name in lead_tags.list_known_tags()])
        if user.is_desk_only:
            self.fields.pop("officer", None)
        self.offer("officer", lambda: [(UNASSIGNED, "Unassigned"), *list_officer_choices(user)])


class ListFilter(UrlFilter):
    """The filters that a URL sets on one page, and their form, chips and links."""

    KEPT = ("tab", "view")
    PLAIN = ("order", "loan_order")

    def __init__(self, page: str, user: User, data: QueryDict) -> None:
        self.page = page
        super().__init__(LeadFilterForm(page, user, data))

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
            people=values.get("kind", ""),
            officer_id=UUID(officer) if officer and officer != UNASSIGNED else None,
            is_unassigned=officer == UNASSIGNED,
            min_score=int(values["score"]) if "score" in values else None,
            idle_days=int(values["idle"]) if "idle" in values else None,
            name=values.get("q", ""),
        )

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

    def value_label(self, name: str) -> str:
        """Return what the chip of a set filter says, with what a bare number means."""
        label = super().value_label(name)
        if name == "idle":
            return f"Last contact {label}"
        return f"{label} in milestone" if name == "days" else label


def _source_choices() -> list[tuple[str, str]]:
    return [(str(source.pk), source.name) for source in SOURCES_QUERY.all()]
