"""Scoring a lead again because something happened, with all that is needed to explain it."""

from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Lead
from rooftree.ledger.write import write
from rooftree.org.change import change
from rooftree.org.compiled import Reads
from rooftree.org.insert import insert
from rooftree.scoring.models import Score
from rooftree.scoring.score import VERSION, Features, Scored, points

RECENT = timedelta(days=30)  # of behavior
LEAD = Reads(
    lambda key: Lead.objects.select_for_update(of=("self",), no_key=True).filter(pk=key), key=UUID
)
LAST = Reads(lambda lead: Score.objects.filter(lead=lead).order_by("-at", "-id")[:1], lead=UUID)
THOUSANDTH = Decimal("0.001")
BEHAVIOR = """
select s.*, c.*, (select count(*) from touch where lead_id = %(lead)s and at <= %(at)s) as touches
  from (select count(*) filter (where at > %(since)s and kind = 'opened') as opened,
               count(*) filter (where at > %(since)s and kind = 'clicked') as clicked,
               count(*) filter (where at > %(since)s and kind = 'replied') as replied,
               max(at) as last_signal
          from signal where lead_id = %(lead)s and at <= %(at)s) s,
       (select count(*) filter (where at > %(since)s and result = 'spoken') as answered,
               max(at) filter (where result = 'spoken'
                   or direction = 'in' and result not in ('revoke', 'wrong_person')) as last_talk
          from contact_attempt where lead_id = %(lead)s and at <= %(at)s) c
"""


def rescore(*, lead_id: UUID | str, because: str, at: datetime) -> Score:
    """Score a lead from its facts as of `at`, store the score and show it on the lead.

    Args:
        because: the event that asked for it: `touch`, `replied`, `opened`.

    When nothing that counts has changed since the last score, that one stays.
    """
    with atomic():
        lead = LEAD.one(key=UUID(str(lead_id)))
        features = features_of(lead, at=at)
        stored = _plain(features)
        last = LAST.first(lead=lead.pk)
        if last and (last.features, last.version) == (stored, VERSION):
            return last
        return _store(lead, points(features), stored, because=because, at=at)


def features_of(lead: Lead, *, at: datetime) -> Features:
    """What a score may look at, read from the lead, its touches and what the borrower did."""
    did = _behavior(lead, at)
    active_at = max(filter(None, (lead.warmed_at, did["last_signal"], did["last_talk"])))
    return Features(
        purpose=lead.purpose,
        timeline=lead.timeline,
        found_home=lead.details.get("found_home"),
        signed_contract=lead.details.get("signed_contract"),
        credit_band=lead.credit_band,
        down_payment_share_pct=_down_payment_share(lead),
        amount_cents=lead.amount_cents,
        source_class=lead.details.get("channel") or "",
        is_repeat=did["touches"] > 1,
        opened=did["opened"],
        clicked=did["clicked"],
        replied=did["replied"],
        answered=did["answered"],
        days_quiet=max(0, (at - active_at).days),
    )


def _behavior(lead: Lead, at: datetime) -> dict[str, Any]:
    """What the borrower did up to `at`, counted; of most of it the last `RECENT` alone."""
    with connection.cursor() as cursor:
        cursor.execute(BEHAVIOR, {"lead": lead.pk, "at": at, "since": at - RECENT})
        columns = [column.name for column in cursor.description]
        return dict(zip(columns, cursor.fetchone(), strict=True))


def again(score: Score) -> Scored:
    """The score as its stored features give it; only for scores of this `VERSION`."""
    features: dict[str, Any] = dict(score.features)
    share = features["down_payment_share_pct"]
    features["down_payment_share_pct"] = None if share is None else Decimal(share)
    return points(Features(**features))


def _store(
    lead: Lead, scored: Scored, features: dict[str, Any], *, because: str, at: datetime
) -> Score:
    reasons = [asdict(reason) for reason in scored.reasons]
    score = Score(
        id=uuid7_at(at),
        lead=lead,
        points=scored.points,
        reasons=reasons,
        features=features,
        version=VERSION,
        because=because,
        at=at,
    )
    insert(score)
    shown = {"score": scored.points, "score_reasons": reasons, "scored_at": at}
    change(Lead, where={"id": lead.pk}, to=shown)
    write(
        "scoring.lead.scored",
        at=at,
        actor="system:scoring",
        lead_id=lead.pk,
        person_id=lead.person_id,
        score_id=score.pk,
        points=scored.points,
        version=VERSION,
        because=because,
    )
    return score


def _down_payment_share(lead: Lead) -> Decimal | None:
    if lead.down_payment_cents is None or not lead.value_cents:
        return None
    return (Decimal(100 * lead.down_payment_cents) / lead.value_cents).quantize(THOUSANDTH)


def _plain(features: Features) -> dict[str, Any]:
    share = features.down_payment_share_pct
    plain = asdict(features)
    plain["down_payment_share_pct"] = None if share is None else str(share)
    return plain
