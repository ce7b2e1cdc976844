"""Published versions of the routing rules; every decision names the version it used."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from rooftree.core.uuid7 import uuid7_at
from rooftree.db.prepared_queries import PreparedQuery
from rooftree.db.statements import execute
from rooftree.ledger.write_events import write_event
from rooftree.org.models import User
from rooftree.routing.models import RuleSet
from rooftree.routing.routing_rules import Rule
from rooftree.routing.rule_check import check_rules

# Until rules are published: every licensed and available officer, round robin.
DEFAULT_RULES = (Rule(name="Everyone, round robin"),)
NEWEST_RULE_SET = PreparedQuery(lambda: RuleSet.objects.defer("rules").order_by("-number")[:1])
_MUTEX = 7_201  # advisory lock for publishing


def publish_rules(
    rules: Sequence[Rule], *, by: User | None, at: datetime, summary: str = ""
) -> RuleSet:
    """Publish `rules` as a new version, which decides from now on.

    Earlier versions stay, so that every decision can be replayed and any version
    can be restored. Raises `rule_check.BadRules`.
    """
    check_rules(rules)
    with transaction.atomic():
        execute("select pg_advisory_xact_lock(%s)", [_MUTEX])
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


def load_current_rule_set(*, at: datetime) -> RuleSet:
    """Load the version that decides now; publish the default rules if there is none."""
    newest = NEWEST_RULE_SET.first()
    if newest:
        return newest
    with transaction.atomic():
        execute("select pg_advisory_xact_lock(%s)", [_MUTEX])
        return RuleSet.objects.order_by("-number").first() or publish_rules(
            DEFAULT_RULES, by=None, at=at, summary="Default rules, until you publish your own"
        )
