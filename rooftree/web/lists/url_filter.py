"""The filters that a URL sets on a list, with their chips and links."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import QueryDict

from rooftree.org.models import User
from rooftree.routing.permissions import officers_visible_to
from rooftree.web.shared.staff_forms import StaffForm, text_field

MAX_WORDS = 3  # of a searched name


class FilterForm(StaffForm):
    """The base of the filter forms. An unknown value filters nothing and is named at its field."""

    HIDDEN: ClassVar[tuple[str, ...]] = ()  # fields that choose how the list is shown

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="filter-%s")

    def offer(self, name: str, choices: Callable[[], Iterable[tuple[str, str]]]) -> None:
        """Set choices that are read once, and only when they are shown or checked."""
        if name in self.fields:
            read = cache(lambda: [("", "Any"), *choices()])
            self.fields[name].choices = read  # type: ignore[attr-defined]

    @property
    def shown_fields(self) -> list[Any]:
        return [field for field in self if field.name not in self.HIDDEN]


class SearchForm(FilterForm):
    """The search by name of a list that has no other filter."""

    q = text_field("Name", required=False, max_length=80)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterChip:
    """One filter that is set, and the URL without it."""

    label: str
    href: str


class UrlFilter:
    """The filters that a URL sets on one list, and their form, chips and links."""

    KEPT: ClassVar[tuple[str, ...]] = ()  # fields that stay when the filters are cleared
    PLAIN: ClassVar[tuple[str, ...]] = ()  # fields without a chip

    def __init__(self, form: FilterForm) -> None:
        self.form = form
        form.is_valid()
        self.values: dict[str, str] = {
            name: value for name, value in form.cleaned_data.items() if value
        }

    @property
    def query(self) -> str:
        """Everything set, as a query string."""
        return self._encode(self.values)

    @property
    def is_set(self) -> bool:
        return bool(self.chips)

    @property
    def chips(self) -> list[FilterChip]:
        """The filters that are set, in the order of the form."""
        names = [name for name in self.values if name not in (*self.KEPT, *self.PLAIN)]
        return [
            FilterChip(label=self.value_label(name), href=self.href(**{name: ""})) for name in names
        ]

    @property
    def clear_href(self) -> str:
        return f"?{self._encode(dict(self.hidden_values))}"

    @property
    def hidden_values(self) -> list[tuple[str, str]]:
        """Parameters that the filter form passes on."""
        return [(name, self.values[name]) for name in self.KEPT if name in self.values]

    def href(self, **changes: Any) -> str:
        """Return the URL of the list with some values changed."""
        return f"?{self._encode({**self.values, **changes})}"

    def value_label(self, name: str) -> str:
        """Return what the chip of a set filter says."""
        value = self.values[name]
        if name == "q":
            return f"“{value}”"
        return str(dict(self.form.fields[name].choices).get(value, value))  # type: ignore[attr-defined]

    def _encode(self, values: dict[str, Any]) -> str:
        query = QueryDict(mutable=True)
        query.update({name: str(value) for name, value in values.items() if value})
        return query.urlencode()


def list_officer_choices(user: User) -> list[tuple[str, str]]:
    """Return the active officers that a user can see, by name."""
    officers = officers_visible_to(user).filter(terminated_at=None).order_by("user__name", "id")
    return [(str(key), name) for key, name in officers.values_list("pk", "user__name")]


def narrow_by_name(rows: QuerySet[Any], typed: str, *people: str) -> QuerySet[Any]:
    """Return the rows where each typed word begins a first or last name of one of `people`.

    Args:
        people: relations to a person, such as `lead__person`.
    """
    for word in typed.split()[:MAX_WORDS]:
        begins = Q()
        for person in people:
            begins |= Q(**{f"{person}__first_name__istartswith": word})
            begins |= Q(**{f"{person}__last_name__istartswith": word})
        rows = rows.filter(begins)
    return rows
