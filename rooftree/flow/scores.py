"""Scoring a lead again whenever something happened that may move it."""

from datetime import datetime
from uuid import UUID

from rooftree.scoring.rescore import rescore as give_score


def rescore(*, lead_id: UUID, because: str, at: datetime) -> None:
    """Give the lead a fresh score with its reasons."""
    give_score(lead_id=lead_id, because=because, at=at)
