"""Scoring a lead again whenever something happened that may move it."""

from datetime import datetime
from uuid import UUID

from rooftree.scoring import rescore as scoring


def rescore(*, lead_id: UUID, because: str, at: datetime) -> None:
    """Give the lead a fresh score with its reasons."""
    scoring.rescore(lead_id=lead_id, because=because, at=at)
