"""Editions of the rules: each publication is a new one, and every decision names its own."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.routing.models import RuleSet
from rooftree.routing.routing_rules import Rule
from rooftree.routing.rule_check import check_rules

# Until somebody publishes rules: whoever is licensed and available, in turn.
DEFAULT_RULES = (Rule(name="Everyone in turn"),)
NEWEST_RULE_SET = PreparedQuery(lambda: RuleSet.objects.defer("rules").order_by("-number")[:1])
_MUTEX = 7_201  # advisory lock of publication


def publish_rules(
    rules: Sequence[Rule], *, by: User | None, at: datetime, summary: str = ""
) -> RuleSet:
    """Make `rules` the ones that decide from now on, as a new edition.

    Earlier editions stay, so that every decision can be made again and any of
    them can be published anew. Raises `rule_check.BadRules`.
    """
    check_rules(rules)
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
        write_event(
            "routing.rules.published",
            at=at,
            actor=f"user:{by.pk}" if by else "system:routing",
            rule_set_id=edition.pk,
            number=edition.number,
        )
    return edition


def current_rule_set(*, at: datetime) -> RuleSet:
    """The edition that decides now; the standing rules are published when there is none."""
    newest = NEWEST_RULE_SET.first()
    if newest:
        return newest
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [_MUTEX])
        return RuleSet.objects.order_by("-number").first() or publish_rules(
            DEFAULT_RULES, by=None, at=at, summary="Standing rules, until others are published"
        )
