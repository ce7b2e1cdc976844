"""Adoption of the default templates: somebody reads them and puts them into use by name."""

from itertools import groupby
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from rooftree.core.user_errors import UserError
from rooftree.nurture.models import Sequence
from rooftree.outreach.models import Template
from rooftree.outreach.wording import template_approval, version_approval
from rooftree.outreach.wording.occasions import LANGUAGE_NAMES, get_occasion
from rooftree.web.shared.display_formats import count_noun
from rooftree.web.shared.htmx_responses import respond_done
from rooftree.web.shared.staff_forms import StaffForm
from rooftree.web.shared.staff_request import StaffRequest
from rooftree.web.shared.staff_view import require_permission, staff_view
from rooftree.web.wording.wording_editor import version_place


class AdoptionForm(StaffForm):
    """The occasions whose default templates the user has read."""

    keys = forms.MultipleChoiceField(
        label="templates",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, groups: list[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["keys"].error_messages["required"] = "Check the templates that you have read."
        self.set_choices("keys", [(group["key"], group["key"]) for group in groups])


@staff_view("GET", "POST")
def adopt_defaults(request: StaffRequest) -> HttpResponse:
    """Show the default templates that nobody adopted, in full; a POST approves the ticked ones."""
    require_permission(request.user, version_approval.APPROVE_PERMISSION)
    groups = group_waiting_defaults()
    form = AdoptionForm(request.POST if request.method == "POST" else None, groups=groups)

    def adopt(typed: dict[str, Any]) -> int:
        versions = [
            line["version"]
            for group in groups
            if group["key"] in typed["keys"]
            for line in group["lines"]
        ]
        try:
            return template_approval.adopt_defaults(versions, by=request.user, at=request.at)
        except version_approval.CannotDecideVersion as problem:
            raise UserError(str(problem)) from problem

    if request.method == "POST" and form.submit(adopt):
        toast = f"{count_noun(form.result, 'template')} approved for 12 months"
        return respond_done(request, toast, back_to=reverse("wording_adoption"))
    context = {
        "groups": groups,
        "form": form,
        "count": sum(len(group["lines"]) for group in groups),
        "sequences": version_approval.waiting_defaults(Sequence),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "wording/adoption.html", context, status=status)


def group_waiting_defaults() -> list[dict[str, Any]]:
    """Return the waiting default templates by occasion, with place and language of each."""
    versions = version_approval.waiting_defaults(Template).order_by(
        "key", "medium", "loan_kind", "hours", "language"
    )
    return [
        {
            "key": key,
            "occasion": get_occasion(key),
            "lines": [
                {
                    "version": version,
                    "place": version_place(version),
                    "language": LANGUAGE_NAMES[version.language],
                }
                for version in group
            ],
        }
        for key, group in groupby(versions, key=lambda version: version.key)
    ]
