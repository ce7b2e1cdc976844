"""The form of a snippet."""

from typing import Any

from django import forms

from rooftree.outreach.wording import snippets
from rooftree.outreach.wording.message_templates import LANGUAGES
from rooftree.web.shared.display_formats import LANGUAGE_LABELS
from rooftree.web.shared.staff_forms import StaffForm, choice_field, text_field

AUDIENCES = {"mine": "Only me", "everyone": "Everyone"}


class SnippetForm(StaffForm):
    """One snippet: its name, text and language, and for a new one who can use it."""

    title = text_field(
        "Name", "What you look for when you write", max_length=snippets.MAX_TITLE_LENGTH
    )
    body = forms.CharField(
        label="Text",
        max_length=snippets.MAX_BODY_LENGTH,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    language = choice_field("Language", [(code, LANGUAGE_LABELS[code]) for code in LANGUAGES])
    audience = choice_field("Who can use it", AUDIENCES.items())

    def __init__(self, *args: Any, audiences: list[str], **kwargs: Any) -> None:
        """Create the form.

        Args:
            audiences: the keys of `AUDIENCES` that the user can choose; with one or none the
                field is left out.
        """
        super().__init__(*args, **kwargs)
        if len(audiences) > 1:
            self.set_choices("audience", [(key, AUDIENCES[key]) for key in audiences])
        else:
            del self.fields["audience"]
