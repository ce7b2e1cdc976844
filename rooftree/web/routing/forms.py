"""The form of one routing rule: stored rules to form fields, and back."""

from collections.abc import Mapping
from typing import Any

from django import forms

from rooftree.leads.models import Source
from rooftree.org import branches
from rooftree.org.models import LoanOfficer, User
from rooftree.org.working_hours import WEEKDAYS
from rooftree.routing.permissions import COMPANY_OR_BRANCH_ROLES
from rooftree.routing.routing_rules import TAKE_SECONDS, BackupKind, WhenNobody
from rooftree.routing.rule_check import CREDIT_BANDS, MAX_TAKE_SECONDS, MAX_WEIGHT, MIN_TAKE_SECONDS
from rooftree.routing.rule_sentences import DAY_NAMES, PURPOSE_NAMES, SPOKEN_LANGUAGES
from rooftree.web.shared.staff_forms import (
    ClockField,
    DollarsField,
    StaffForm,
    StatesField,
    checkbox_field,
    checkboxes_field,
    choice_field,
    integer_field,
    text_field,
)

MAX_CHAIN_STEPS = 4  # chain steps in the form; a longer chain keeps its further steps


class PublishForm(StaffForm):
    """The publication of a draft."""

    summary = text_field("What changed and why", "Shown in the version history", max_length=300)


class RestoreForm(StaffForm):
    """The return to earlier rules."""

    reason = text_field("Why you go back", "Shown in the version history", max_length=250)


class RuleForm(StaffForm):
    """One rule. `rule_to_initial` makes `initial`; `build_rule` returns the typed rule."""

    name = text_field("Rule name", "Shown with each decision", max_length=120)
    sources = checkboxes_field("Sources", ())
    purposes = checkboxes_field("Loan purpose", PURPOSE_NAMES.items())
    states = StatesField("Property states", "Two-letter codes, for example TX, FL. Empty: all")
    without_state = checkbox_field("Include leads without a property state")
    languages = checkboxes_field("Languages", SPOKEN_LANGUAGES.items())
    amount_from_cents = DollarsField("Loan amount from, $")
    amount_below_cents = DollarsField("Loan amount below, $")
    credit_bands = checkboxes_field(
        "Stated credit",
        [(credit_band, credit_band.replace("_", " ")) for credit_band in CREDIT_BANDS],
    )
    score_at_least = integer_field("Minimum score", min_value=0, max_value=100, required=False)
    inquiry = choice_field(
        "Inquiry",
        [("", "New or repeat"), ("new", "New"), ("repeat", "Repeat")],
        required=False,
    )
    days = checkboxes_field("Arrival days", DAY_NAMES.items())
    from_time = ClockField("From", "For example 8 AM, in the company’s time zone")
    until_time = ClockField("Until", "For example 6 PM")
    pool_branches = checkboxes_field("Teams", ())
    take_seconds = integer_field(
        "Seconds to accept", min_value=MIN_TAKE_SECONDS, max_value=MAX_TAKE_SECONDS
    )
    nobody = choice_field("If no one in the pool is available", ())
    alarm_user_id = choice_field("Finally call", (), required=False)

    FIELDSETS = (
        ("", ("name",)),
        ("Leads", (
            "sources", "purposes", "states", "without_state", "amount_from_cents",
            "amount_below_cents",
        )),
        ("More conditions", (
            "languages", "credit_bands", "score_at_least", "inquiry", "days", "from_time",
            "until_time",
        )),
    )  # fmt: skip

    def __init__(self, *args: Any, choices: "RuleChoices", **kwargs: Any) -> None:
        stored = kwargs.get("initial") or {}
        super().__init__(*args, **kwargs)
        self.choices = choices
        self.set_choices("sources", choices.sources)
        self.set_choices("pool_branches", choices.branches)
        nobody = _include_stored_choice(choices.nobody_choices(), stored.get("nobody"))
        self.set_choices("nobody", nobody)
        alarm = _include_stored_choice(choices.alarm_choices, stored.get("alarm_user_id"))
        self.set_choices("alarm_user_id", alarm)
        for nth in range(1, MAX_CHAIN_STEPS + 1):
            options = _include_stored_choice(choices.step_choices(), stored.get(f"step_{nth}"))
            whom = choice_field("Then" if nth > 1 else "First", options, required=False)
            whom.widget.attrs["class"] = "input"
            seconds = integer_field(
                "Seconds", min_value=MIN_TAKE_SECONDS, max_value=MAX_TAKE_SECONDS, required=False
            )
            seconds.widget.attrs |= {"class": "input", "placeholder": TAKE_SECONDS}
            self.fields[f"step_{nth}"], self.fields[f"step_{nth}_seconds"] = whom, seconds
        for key, _, _ in choices.officers:
            self.fields[f"in_{key}"] = forms.BooleanField(required=False)
            share = integer_field("Share", min_value=1, max_value=MAX_WEIGHT, required=False)
            share.widget.attrs |= {"class": "input input--share", "placeholder": "1"}
            self.fields[f"share_{key}"] = share

    @property
    def officer_rows(self) -> list[dict[str, Any]]:
        """Each officer with their checkbox and their share."""
        return [
            {"name": name, "where": where, "box": self[f"in_{key}"], "share": self[f"share_{key}"]}
            for key, name, where in self.choices.officers
        ]

    @property
    def step_rows(self) -> list[dict[str, Any]]:
        """The steps of the chain."""
        return [
            {"nth": nth, "whom": self[f"step_{nth}"], "seconds": self[f"step_{nth}_seconds"]}
            for nth in range(1, MAX_CHAIN_STEPS + 1)
        ]

    def build_rule(self, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the typed rule as it is stored, with the parts of `before` the form can't show."""
        typed, before = self.cleaned_data, before or {}
        nobody, _, pool = typed["nobody"].partition(":")
        chain = [
            self._build_step(nth) for nth in range(1, MAX_CHAIN_STEPS + 1) if typed[f"step_{nth}"]
        ]
        return {
            "name": typed["name"],
            "criteria": self._build_criteria(),
            "pool": self._build_pool(),
            "take_seconds": typed["take_seconds"],
            "chain": chain + list(before.get("chain", ()))[MAX_CHAIN_STEPS:],
            "nobody": nobody,
            "nobody_pool": _parse_pool(pool) if nobody == WhenNobody.POOL else None,
            "alarm_user_id": typed["alarm_user_id"],
        }

    def _build_criteria(self) -> dict[str, Any]:
        typed = self.cleaned_data
        span = typed["days"] or typed["from_time"] or typed["until_time"]
        hours = {
            "days": [day for day in WEEKDAYS if day in typed["days"]],
            "from_time": typed["from_time"] or "00:00",
            "until_time": typed["until_time"] or "24:00",
        }
        return {
            **{name: list(typed[name]) for name in LIST_CRITERIA},
            **{name: typed[name] for name in SINGLE_CRITERIA},
            "hours": hours if span else None,
        }

    def _build_pool(self) -> dict[str, Any]:
        typed = self.cleaned_data
        keys = [key for key, _, _ in self.choices.officers]
        weights = {key: typed[f"share_{key}"] for key in keys}
        return {
            "branches": list(typed["pool_branches"]),
            "officers": [key for key in keys if typed[f"in_{key}"]],
            "weights": {key: share for key, share in weights.items() if share and share != 1},
        }

    def _build_step(self, nth: int) -> dict[str, Any]:
        kind, _, keys = self.cleaned_data[f"step_{nth}"].partition(":")
        return {
            "kind": kind,
            "officers": keys.split(",") if kind == BackupKind.OFFICERS else [],
            "branch": keys if kind == BackupKind.BRANCH else "",
            "take_seconds": self.cleaned_data[f"step_{nth}_seconds"] or TAKE_SECONDS,
        }


LIST_CRITERIA = ("sources", "purposes", "states", "languages", "credit_bands")
SINGLE_CRITERIA = (
    "without_state",
    "amount_from_cents",
    "amount_below_cents",
    "score_at_least",
    "inquiry",
)


class RuleChoices:
    """The choices of a rule: sources, teams, officers, and users to call."""

    def __init__(self) -> None:
        self.sources = list(Source.objects.order_by("name").values_list("slug", "name"))
        self.branches = [(str(b.pk), b.name) for _, b in branches.list_branch_tree()]
        officers = LoanOfficer.objects.filter(terminated_at=None).order_by("user__name", "id")
        self.officers = [
            (str(officer.pk), officer.user.name, officer.branch.name)
            for officer in officers.select_related("user", "branch")
        ]
        managers = User.objects.with_role(*COMPANY_OR_BRANCH_ROLES)
        self.alarm_choices: list[tuple[str, Any]] = [
            ("", "The company’s contact"),
            *(
                (str(user.pk), f"{user.name}, {user.role_label}")
                for user in managers.order_by("name")
            ),
        ]

    def step_choices(self) -> list[tuple[str, Any]]:
        """Return the choices of a chain step."""
        return [
            ("", "No one"),
            (BackupKind.POOL.value, "Next officer in the same pool"),
            *self._team_and_officer_choices("branch:", "officers:"),
        ]

    def nobody_choices(self) -> list[tuple[str, Any]]:
        """Return the choices for a pool without an available officer."""
        return [
            (WhenNobody.ALARM.value, "Continue with the chain, then call"),
            (WhenNobody.HOLD.value, "Hold until the first officer starts work"),
            *self._team_and_officer_choices("pool:branch:", "pool:officers:"),
        ]

    def _team_and_officer_choices(
        self, branch_prefix: str, officer_prefix: str
    ) -> list[tuple[str, Any]]:
        teams = [(f"{branch_prefix}{key}", f"{name} team") for key, name in self.branches]
        officers = [(f"{officer_prefix}{key}", name) for key, name, _ in self.officers]
        return [group for group in (("Teams", teams), ("Loan officers", officers)) if group[1]]


def rule_to_initial(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored rule as initial values of the form."""
    criteria, pool = rule.get("criteria", {}), rule.get("pool", {})
    hours = criteria.get("hours") or {}
    initial = {
        "name": rule.get("name", ""),
        **{name: criteria.get(name) for name in (*LIST_CRITERIA, *SINGLE_CRITERIA)},
        **{key: hours.get(key) for key in ("days", "from_time", "until_time")},
        "pool_branches": pool.get("branches", ()),
        "take_seconds": rule.get("take_seconds", TAKE_SECONDS),
        "nobody": _nobody_value(rule),
        "alarm_user_id": rule.get("alarm_user_id", ""),
    }
    for key in pool.get("officers", ()):
        initial[f"in_{key}"] = True
    for key, share in pool.get("weights", {}).items():
        initial[f"share_{key}"] = share
    for nth, step in enumerate(rule.get("chain", ())[:MAX_CHAIN_STEPS], start=1):
        initial[f"step_{nth}"] = _step_value(step)
        initial[f"step_{nth}_seconds"] = step.get("take_seconds", TAKE_SECONDS)
    return initial


def _step_value(step: Mapping[str, Any]) -> str:
    kind = str(step["kind"])
    if kind == BackupKind.POOL:
        return kind
    return f"{kind}:{step['branch'] if kind == BackupKind.BRANCH else ','.join(step['officers'])}"


def _nobody_value(rule: Mapping[str, Any]) -> str:
    nobody, pool = str(rule.get("nobody", WhenNobody.ALARM)), rule.get("nobody_pool")
    if nobody != WhenNobody.POOL or not pool:
        return nobody
    officers, teams = pool.get("officers", ()), pool.get("branches", ())
    return f"pool:officers:{','.join(officers)}" if officers else f"pool:branch:{','.join(teams)}"


def _parse_pool(typed: str) -> dict[str, Any]:
    kind, _, keys = typed.partition(":")
    ids = keys.split(",") if keys else []
    return {
        "branches": ids if kind == "branch" else [],
        "officers": ids if kind == "officers" else [],
        "weights": {},
    }


def _include_stored_choice(
    choices: list[tuple[str, Any]], stored: str | None
) -> list[tuple[str, Any]]:
    """Add the stored choice if it isn't offered: several officers, or a deactivated user."""
    keys = {key for key, value in choices if isinstance(value, str)}
    keys |= {key for _, value in choices if not isinstance(value, str) for key, _ in value}
    if not stored or stored in keys:
        return choices
    return [*choices, (stored, "Keep current")]
