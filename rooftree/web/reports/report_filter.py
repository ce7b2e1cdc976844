"""What the URL of a report says: its dimensions, period, basis, columns and filters."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse

from rooftree.org.models import Branch, User
from rooftree.reporting.reports.dimensions import DIMENSIONS, NOT_ATTRIBUTABLE, NOT_STATED
from rooftree.reporting.reports.report_table import TABLE_DIMENSIONS, list_values, value_label
from rooftree.reporting.reports.value_labels import LABELS
from rooftree.routing.permissions import officers_visible_to
from rooftree.web.lists.url_filter import FilterForm, UrlFilter
from rooftree.web.reports.report_columns import COLUMN_SETS
from rooftree.web.shared.staff_forms import choice_field, text_field

DIMENSION_CHOICES = [(key, dimension.label) for key, dimension in DIMENSIONS.items()]
ARRIVAL, EVENT = "arrival", "event"


class ValueField(forms.ChoiceField):
    """The value of a dimension. A figure can name a value that is no longer a choice."""

    def valid_value(self, value: Any) -> bool:
        return "\0" not in str(value) and len(str(value)) <= 200


class ReportForm(FilterForm):
    """The shape of a report, which other controls set, and its filters."""

    HIDDEN = ("by", "by2", "period", "basis", "show", "sort")

    by = choice_field("By", [("", "Source"), *DIMENSION_CHOICES], required=False)
    by2 = choice_field("And by", [("", "Nothing else"), *DIMENSION_CHOICES], required=False)
    period = text_field("Period", required=False, max_length=12)
    basis = choice_field("Count", [("", ""), (ARRIVAL, ""), (EVENT, "")], required=False)
    show = choice_field("Columns", [("", ""), *((key, key) for key in COLUMN_SETS)], required=False)
    sort = text_field("Sort", required=False, max_length=24)

    def __init__(self, user: User, data: Any) -> None:
        super().__init__(data)
        for key, dimension in DIMENSIONS.items():
            if key in ("sub_source", "ad"):
                self.fields[key] = text_field(dimension.label, required=False, max_length=200)
                continue
            field = ValueField(label=dimension.label, required=False)
            field.widget = choice_field("", (), required=False).widget
            field.widget.is_required = False
            self.fields[key] = field
            self.offer(key, lambda key=key: self._choices(user, key))  # type: ignore[misc]

    @staticmethod
    def _choices(user: User, key: str) -> list[tuple[str, str]]:
        missing = [(NOT_STATED, DIMENSIONS[key].missing)] if key != "source" else []
        if key not in TABLE_DIMENSIONS:
            known = [*LABELS[key].items()]
        elif key == "officer":
            officers = officers_visible_to(user).order_by("user__name", "id")
            known = [(str(pk), name) for pk, name in officers.values_list("pk", "user__name")]
        elif key == "branch" and user.branch is not None:
            below = Branch.objects.filter(path__startswith=user.branch.path).order_by("name")
            known = [(str(pk), name) for pk, name in below.values_list("pk", "name")]
        else:
            known = list_values(key)
        return [*known, *missing]


class ReportFilter(UrlFilter):
    """The parameters of a report's URL, and their form, chips and links."""

    KEPT = ReportForm.HIDDEN
    page = "reports"

    def __init__(self, user: User, data: QueryDict) -> None:
        super().__init__(ReportForm(user, data))

    @property
    def dimensions(self) -> tuple[str, ...]:
        first, second = self.values.get("by", "source"), self.values.get("by2", "")
        return (first, second) if second and second != first else (first,)

    @property
    def filters(self) -> dict[str, str]:
        return {key: value for key, value in self.values.items() if key in DIMENSIONS}

    @property
    def is_by_event(self) -> bool:
        return self.values.get("basis") == EVENT

    @property
    def column_set(self) -> str:
        return self.values.get("show", "money")

    @property
    def sort(self) -> tuple[str, bool]:
        """The column that the rows are sorted by, and True for largest first; "" by name."""
        sort = self.values.get("sort", "")
        return sort.removeprefix("-"), sort.startswith("-")

    @property
    def address(self) -> str:
        """The URL of the report as it is shown."""
        return f"{reverse('reports')}?{self.query}" if self.query else reverse("reports")

    @property
    def saved_query(self) -> str:
        """What a saved view keeps: everything, or "" for the report that opens first."""
        return self.query

    def value_label(self, name: str) -> str:
        """Return what the chip of a set filter says."""
        value = self.values[name]
        if value in (NOT_STATED, NOT_ATTRIBUTABLE):
            return f"{DIMENSIONS[name].label}: {value_label(name, value, {}).lower()}"
        if name in TABLE_DIMENSIONS:
            return super().value_label(name)
        return value_label(name, value, {})
