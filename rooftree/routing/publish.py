"""Editions of the rules: each publication is a new one, and every decision names its own."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from rooftree.core.uuid7 import uuid7_at
from rooftree.ledger.write import write
from rooftree.org.compiled import Reads
from rooftree.org.models import User
from rooftree.routing.models import RuleSet
from rooftree.routing.rule_check import check
from rooftree.routing.rules import Rule

# Until somebody publishes rules: whoever is licensed and available, in turn.
STANDING = (Rule(name="Everyone in turn"),)
NEWEST = Reads(lambda: RuleSet.objects.defer("rules").order_by("-number")[:1])
_MUTEX = 7_201  # advisory lock of publication


def publish(rules: Sequence[Rule], *, by: User | None, at: datetime, summary: str = "") -> RuleSet:
    """Make `rules` the ones that decide from now on, as a new edition.

    Earlier editions stay, so that every decision can be made again and any of
    them can be published anew. Raises `rule_check.BadRules`.
    """
    check(rules)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [_MUTEX])
        newest = RuleSet.objects.order_by("-number").first()
        edition = RuleSet.objects.create(
            id=uuid7_at(at),
            number=newest.number + 1 if newest else 1,
            rules=[rule.to_json() for rule in rules],
            summary=summary,
            published_by=by,
            published_at=at,
        )
        write(
            "routing.rules.published",
            at=at,
            actor=f"user:{by.pk}" if by else "system:routing",
            rule_set_id=edition.pk,
            number=edition.number,
        )
    return edition


def current(*, at: datetime) -> RuleSet:
    """The edition that decides now; the standing rules are published when there is none."""
    newest = NEWEST.first()
    if newest:
        return newest
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [_MUTEX])
        return RuleSet.objects.order_by("-number").first() or publish(
            STANDING, by=None, at=at, summary="Standing rules, until others are published"
        )
