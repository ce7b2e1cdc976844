"""Scores leads again after an event, and stores all that is needed to explain the score."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.bulk_insert import insert_into_tables
from rooftree.db.bulk_update import update_each
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.db.statements import query_dicts
from rooftree.leads.models import Lead
from rooftree.ledger.write_events import build_event
from rooftree.scoring.lead_score import VERSION, Features, LeadScore, score_features
from rooftree.scoring.models import Score

RECENT_BEHAVIOR = timedelta(days=30)  # older behavior does not count
LEADS = PreparedQuery(
    lambda keys: (
        Lead.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=keys).order_by("pk")
    ),
    keys=list[UUID],
)
LAST_SCORES = PreparedQuery(
    lambda leads: (
        Score.objects.filter(lead__in=leads).order_by("lead", "-at", "-id").distinct("lead")
    ),
    leads=list[UUID],
)
THOUSANDTH = Decimal("0.001")
BEHAVIOR_SQL = """
select asked.lead, s.*, c.*,
       (select count(*) from touch where lead_id = asked.lead and at <= %(at)s) as touches
  from unnest((select %(leads)s::uuid[])) as asked (lead),
       lateral (select count(*) filter (where at > %(since)s and kind = 'replied') as replied,
                       max(at) as last_signal
                  from signal where lead_id = asked.lead and at <= %(at)s) s,
       lateral (select count(*) filter (where at > %(since)s and result = 'spoken') as answered,
                       max(at) filter (where result = 'spoken'
                           or direction = 'in' and result not in ('revoke', 'wrong_person'))
                         as last_talk
                  from contact_attempt where lead_id = asked.lead and at <= %(at)s) c
"""


def rescore_lead(*, lead_id: UUID | str, because: str, at: datetime) -> Score:
    """Score a lead from its facts as of `at`, store the score and show it on the lead.

    Args:
        because: the event that caused it: `touch`, `replied`.

    Keeps and returns the last score when its features and version are unchanged.
    """
    return rescore_many([UUID(str(lead_id))], because=because, at=at)[0]


def rescore_many(lead_ids: Sequence[UUID], *, because: str, at: datetime) -> list[Score]:
    """Score many leads at once; return their scores in the order of their ids."""
    with atomic():
        leads = LEADS.all(keys=list(lead_ids))
        last_scores = {score.lead_id: score for score in LAST_SCORES.all(leads=list(lead_ids))}
        # Most behavior counts only within `RECENT_BEHAVIOR`.
        parameters = {"leads": list(lead_ids), "at": at, "since": at - RECENT_BEHAVIOR}
        behavior = {row["lead"]: row for row in query_dicts(BEHAVIOR_SQL, parameters)}
        scores, new = [], []
        for lead in leads:
            features = _build_features(lead, behavior[lead.pk], at)
            stored, last_score = asdict(features), last_scores.get(lead.pk)
            share = features.down_payment_share_pct
            stored["down_payment_share_pct"] = None if share is None else str(share)
            if last_score and (last_score.features, last_score.version) == (stored, VERSION):
                scores.append(last_score)
                continue
            new.append(_build_score(lead, score_features(features), stored, because=because, at=at))
            scores.append(new[-1])
        _store_scores(new, at)
    return scores


def _build_features(lead: Lead, behavior: Mapping[str, Any], at: datetime) -> Features:
    active_at = max(
        filter(None, (lead.last_inquiry_at, behavior["last_signal"], behavior["last_talk"]))
    )
    share: Decimal | None = None
    if lead.down_payment_cents is not None and lead.value_cents:
        share = Decimal(100 * lead.down_payment_cents) / lead.value_cents
        share = share.quantize(THOUSANDTH)
    return Features(
        purpose=lead.purpose,
        timeline=lead.timeline,
        found_home=lead.details.get("found_home"),
        signed_contract=lead.details.get("signed_contract"),
        credit_band=lead.credit_band,
        down_payment_share_pct=share,
        amount_cents=lead.amount_cents,
        source_class=lead.details.get("channel") or "",
        is_repeat=behavior["touches"] > 1,
        replied=behavior["replied"],
        answered=behavior["answered"],
        days_quiet=max(0, (at - active_at).days),
    )


def replay_score(score: Score) -> LeadScore:
    """Score again from stored features; only valid for scores of this `VERSION`."""
    features: dict[str, Any] = dict(score.features)
    share = features["down_payment_share_pct"]
    features["down_payment_share_pct"] = None if share is None else Decimal(share)
    return score_features(Features(**features))


def _build_score(
    lead: Lead, scored: LeadScore, features: dict[str, Any], *, because: str, at: datetime
) -> Score:
    return Score(
        id=uuid7_at(at),
        lead=lead,
        points=scored.points,
        reasons=[asdict(reason) for reason in scored.reasons],
        features=features,
        version=VERSION,
        reason=because,
        at=at,
    )


def _store_scores(scores: Sequence[Score], at: datetime) -> None:
    events = [
        build_event(
            "scoring.lead.scored",
            at=at,
            actor="system:scoring",
            lead_id=score.lead_id,
            person_id=score.lead.person_id,
            score_id=score.pk,
            points=score.points,
            version=VERSION,
            because=score.reason,
        )
        for score in scores
    ]
    insert_into_tables(scores, events)
    lead_columns = [
        {
            "id": score.lead_id,
            "score": score.points,
            "score_reasons": score.reasons,
            "scored_at": at,
        }
        for score in scores
    ]
    update_each(Lead, lead_columns)
