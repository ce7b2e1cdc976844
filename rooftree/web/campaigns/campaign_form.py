"""The form of a new campaign: its audience, and wording that is true for everyone in it."""

from datetime import datetime
from typing import Any

from rooftree.core.us_states import STATES
from rooftree.leads.models import Source
from rooftree.org.models import User
from rooftree.outreach.releases import fitting_wording
from rooftree.outreach.releases.audience import STAGES, Audience
from rooftree.outreach.wording.occasions import LOAN_KIND_NAMES, MEDIUM_NAMES, get_occasion
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.staff_forms import (
    StaffForm,
    checkboxes_field,
    choice_field,
    integer_field,
    text_field,
)


class CampaignForm(StaffForm):
    """A new campaign: its template and its audience."""

    FIELDSETS = (
        ("Audience", ("stages", "source", "state", "loan", "silent_days")),
        ("Message", ("title", "wording")),
    )
    title = text_field("Campaign name", "Only your team sees it. For example “Spring check-in”")
    wording = choice_field(
        "Approved template", [], "Only templates whose words are true for everyone in the audience"
    )
    stages = checkboxes_field("Leads in", STAGES.items())
    source = choice_field("Source", [], required=False)
    state = choice_field("Property state", [("", "Any state"), *STATES.items()], required=False)
    loan = choice_field("Loan type", LOAN_KIND_NAMES.items(), required=False)
    silent_days = integer_field(
        "Days since last message or call", min_value=0, max_value=3650, required=False
    )

    def __init__(self, *args: Any, by: User, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by, self.at = by, at
        sources = Source.objects.filter(is_test=False).order_by("name").values_list("pk", "name")
        self.source_names = {str(key): name for key, name in sources}
        self.set_choices("source", [("", "Any source"), *self.source_names.items()])
        self.has_templates = bool(fitting_wording.approved_wordings("", at=at))
        if self.is_bound:  # any approved one parses; `clean` says why one doesn't fit
            loan = self.data.get("loan", "")
            self._offer_wordings(fitting_wording.approved_wordings(loan, at=at))
        else:
            self._offer_fitting_wordings(self._initial_audience())

    def clean(self) -> dict[str, Any]:
        """Refuse a wording that is untrue for someone in the audience."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        key = cleaned["wording"].split("/")[0]
        leads = self.audience.select_leads(self.by, at=self.at)
        if misfits := fitting_wording.count_misfits(key, leads):
            people = count_noun(misfits, "lead")
            because = fitting_wording.UNTRUE_BECAUSE[key][misfits > 1]
            self.add_error(
                "wording", f"These words don’t fit: {people} in this audience {because}."
            )
            self._offer_fitting_wordings(self.audience)
        return cleaned

    @property
    def audience(self) -> Audience:
        """The audience chosen in a valid form; no stages means all."""
        chosen = self.cleaned_data
        return Audience(
            stages=tuple(chosen["stages"] or STAGES),
            source=chosen["source"],
            state=chosen["state"],
            loan=chosen["loan"],
            silent_days=chosen["silent_days"] or 0,
        )

    def _initial_audience(self) -> Audience:
        """Return the audience that an unbound form shows; values that don't parse are ignored."""
        shown = self.initial
        days, source = str(shown.get("silent_days", "")), shown.get("source", "")
        return Audience(
            stages=tuple(shown.get("stages") or STAGES),
            source=source if source in self.source_names else "",
            state=shown.get("state", ""),
            loan=shown.get("loan", ""),
            silent_days=min(int(days), 3650) if days.isdecimal() else 0,
        )

    def _offer_fitting_wordings(self, audience: Audience) -> None:
        leads = audience.select_leads(self.by, at=self.at)
        self._offer_wordings(fitting_wording.fitting_wordings(leads, audience.loan, at=self.at))

    def _offer_wordings(self, places: list[tuple[str, str]]) -> None:
        self.set_choices(
            "wording",
            [
                (f"{key}/{medium}", f"{get_occasion(key).title}, {MEDIUM_NAMES[medium].lower()}")
                for key, medium in places
            ],
        )
