"""The default templates of a new company, loaded from default_templates.yaml."""

from dataclasses import dataclass
from pathlib import Path

import yaml

OPT_OUT_LINES = {
    "en": "Reply STOP to end, HELP for help. Msg & data rates may apply.",
    "es": "Responda ALTO para no recibir más, AYUDA para ayuda. Pueden aplicarse cargos.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultTemplate:
    """One default template. The head of default_templates.yaml explains the fields."""

    key: str
    medium: str  # text | email | call
    language: str  # en | es
    loan_kind: str = ""  # purchase | refinance | equity; "": any
    hours: str = ""  # closed; "": any
    subject: str = ""
    body: str

    @property
    def place(self) -> tuple[str, ...]:
        """The unique key of a template: only one version per place is live at a time."""
        return self.key, self.medium, self.language, self.loan_kind, self.hours


def _parse_row(row: dict[str, str]) -> DefaultTemplate:
    ends = row.pop("ends", "")
    body = row.pop("body")
    return DefaultTemplate(
        **row, body=f"{body.strip()} {OPT_OUT_LINES[row['language']]}" if ends else body
    )


DEFAULT_TEMPLATES = tuple(
    _parse_row(row)
    for row in yaml.safe_load(
        (Path(__file__).parent / "default_templates.yaml").read_text(encoding="utf-8")
    )
)
