"""Forms of the actions on several leads, one for each action."""

from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.utils.timezone import get_current_timezone, localtime

from rooftree.flow.bulk_lead_actions import BulkKind, BulkOrder
from rooftree.leads import lead_tags
from rooftree.nurture import sequence_enrollment
from rooftree.org.models import User
from rooftree.rates import record_rates
from rooftree.routing.permissions import officers_visible_to
from rooftree.web.shared import display_formats
from rooftree.web.shared.staff_forms import StaffForm, choice_field, text_field

MORNING = time(9)
SNOOZE_DAYS = {"1": "Tomorrow, 9 AM", "3": "In 3 days", "7": "In a week", "30": "In 30 days"}


class BulkForm(StaffForm):
    """The base of the forms: what the action needs besides its leads."""

    KIND: ClassVar[BulkKind]
    TITLE: ClassVar[str]
    BUTTON: ClassVar[str]  # with the number of leads after it

    def __init__(self, data: Any, *, by: User, at: datetime) -> None:
        super().__init__(data)
        self.by, self.at = by, at
        self.offer_choices()

    def offer_choices(self) -> None:
        """Set the choices that depend on the user."""

    def order(self, lead_ids: Collection[UUID]) -> BulkOrder:
        """Return the valid form as an order."""
        return BulkOrder(
            kind=self.KIND, lead_ids=lead_ids, target=self.target, summary=self.summary,
            reason=self.cleaned_data.get("reason", ""),
        )  # fmt: skip

    @property
    def target(self) -> str:
        raise NotImplementedError

    @property
    def summary(self) -> str:
        """The result in words, for the page that shows it."""
        raise NotImplementedError

    @property
    def prospect(self) -> str:
        """The effect on each lead: "go to Dana Whitfield"; the number stands before it."""
        raise NotImplementedError

    def _label(self, name: str) -> str:
        choices = dict(self.fields[name].choices)  # type: ignore[attr-defined]
        return str(choices[self.cleaned_data[name]])


class BulkReassignForm(BulkForm):
    """The loan officer who gets the leads."""

    KIND, TITLE, BUTTON = BulkKind.REASSIGN, "Reassign leads", "Reassign"
    officer = choice_field(
        "Loan officer", (), "Leads in a state without a license stay where they are"
    )

    def offer_choices(self) -> None:
        officers = officers_visible_to(self.by, "reassign").filter(terminated_at=None)
        rows = officers.order_by("user__name", "id").values_list("pk", "user__name")
        self.set_choices("officer", [("", "Choose"), *((str(key), name) for key, name in rows)])

    @property
    def target(self) -> str:
        return str(self.cleaned_data["officer"])

    @property
    def summary(self) -> str:
        return f"Reassigned to {self._label('officer')}"

    @property
    def prospect(self) -> str:
        return f"to {self._label('officer')}"


class BulkSnoozeForm(BulkForm):
    """How long the leads leave the queue, and why."""

    KIND, TITLE, BUTTON = BulkKind.SNOOZE, "Snooze leads", "Snooze"
    days = choice_field("Until", [*SNOOZE_DAYS.items(), ("date", "The date below")])
    on_date = forms.DateField(
        label="Date", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    reason = text_field("Reason", "Shown on each lead until the snooze ends")

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        if typed.get("days") == "date" and not typed.get("on_date"):
            self.add_error("on_date", "Choose a date.")
        return typed

    @property
    def until(self) -> datetime:
        """Nine in the morning of the day, in the user's zone."""
        zone = get_current_timezone()
        days = self.cleaned_data["days"]
        if days == "date":
            day = self.cleaned_data["on_date"]
        else:
            day = self.at.astimezone(zone).date() + timedelta(days=int(days))
        return datetime.combine(day, MORNING, zone)

    @property
    def target(self) -> str:
        return self.until.isoformat()

    @property
    def summary(self) -> str:
        return f"Snoozed until {self._when()}"

    @property
    def prospect(self) -> str:
        return f"until {self._when()}"

    def _when(self) -> str:
        return display_formats.date_and_time(localtime(self.until), localtime(self.at))


class BulkTagForm(BulkForm):
    """The tag to put on the leads."""

    KIND, TITLE, BUTTON = BulkKind.TAG, "Tag leads", "Tag"
    tag = text_field(
        "Tag",
        "A word or two, for example: past client",
        max_length=lead_tags.MAX_LENGTH,
        attrs={"list": "known-tags"},
    )

    @property
    def known_tags(self) -> list[str]:
        return lead_tags.list_known_tags()

    @property
    def target(self) -> str:
        return lead_tags.normalize_tag(self.cleaned_data["tag"])

    @property
    def summary(self) -> str:
        return f"Tagged “{self.target}”"

    @property
    def prospect(self) -> str:
        return f"as “{self.target}”"


class BulkWatchForm(BulkForm):
    """The product and the rate at which the borrowers get an alert."""

    KIND, TITLE, BUTTON = BulkKind.WATCH, "Set a rate watch", "Watch"
    product = choice_field("Loan product", record_rates.PRODUCTS.items())
    rate_pct = forms.DecimalField(
        label="Target rate, %",
        max_digits=6,
        decimal_places=3,
        min_value=record_rates.MIN_PCT,
        max_value=record_rates.MAX_PCT,
        help_text="Each alert is still checked for consent and hours before it goes out",
    )

    @property
    def target(self) -> str:
        return f"{self.cleaned_data['product']}:{self.cleaned_data['rate_pct']}"

    @property
    def summary(self) -> str:
        return f"Rate watch set: {self._label('product')} at {self.cleaned_data['rate_pct']}%"

    @property
    def prospect(self) -> str:
        return f"for {self._label('product')} at {self.cleaned_data['rate_pct']}%"


class BulkEnrollForm(BulkForm):
    """The sequence that the leads start."""

    KIND, TITLE, BUTTON = BulkKind.ENROLL, "Add to a sequence", "Add"
    sequence = choice_field(
        "Sequence", (), "Each message is still checked for consent and hours before it goes out"
    )

    def offer_choices(self) -> None:
        rows = sequence_enrollment.sequences_to_start(self.at).values_list("key", "name")
        self.set_choices("sequence", [("", "Choose"), *rows])

    @property
    def target(self) -> str:
        return str(self.cleaned_data["sequence"])

    @property
    def summary(self) -> str:
        return f"Added to the sequence “{self._label('sequence')}”"

    @property
    def prospect(self) -> str:
        return f"to “{self._label('sequence')}”"
