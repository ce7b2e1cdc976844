"""Scoring a lead again whenever something happened that may move it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from rooftree.scoring.rescore import rescore as give_score
from rooftree.scoring.rescore import rescore_all as give_scores


def rescore(*, lead_id: UUID, because: str, at: datetime) -> None:
    """Give the lead a fresh score with its reasons."""
    give_score(lead_id=lead_id, because=because, at=at)


def rescore_all(lead_ids: Sequence[UUID], *, because: str, at: datetime) -> None:
    """The same for many leads at once."""
    give_scores(lead_ids, because=because, at=at)
