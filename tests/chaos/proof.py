"""Checks of an installation at rest, against our tables, the carriers and the LOS.

Each check returns one sentence per problem; an empty list means that it holds.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from rooftree.compliance.models import Consent, Revocation
from rooftree.leads.models import Delivery, Touch
from rooftree.los.models import Handoff
from rooftree.outreach.models import Message
from rooftree.routing.models import Ownership
from rooftree_simulators.start_simulators import Simulators
from tests.chaos.installation import Installation
from tests.chaos.load import Acknowledged, VendorPost

MAX_SHOWN = 4  # offenders named in a sentence
LEAD_ID = "CX.ROOFTREELEADID"  # the lead's custom field on a loan in the LOS
STOP_GRACE = timedelta(seconds=5)  # a text already at the carrier when a STOP arrives
A_SECOND = timedelta(seconds=1)  # forms state their time in whole seconds
SENT_STATES = {"sent", "delivered", "failed", "uncertain", "claimed"}
SELECT_DUE = """
    select 'deliveries', count(*) from delivery where state = 'received' and due_at <= now()
    union all
    select 'tasks', count(*) from oban_jobs
     where state = 'executing' or (state = 'available' and scheduled_at <= timezone('UTC', now()))
    union all
    select 'messages', count(*) from message
     where state in ('waiting', 'held') and due_at <= now()
    union all
    select 'unsealed events', count(*) from event where sequence is null
"""
STATUS_URL = re.compile(r"/in/twilio/status/([0-9a-f-]{36})/")
RING_URL = re.compile(r"/in/twilio/ring/([0-9a-f-]{36})/")


def count_due_work() -> dict[str, int]:
    """Count the work that is due and not done, by kind; empty at rest."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_DUE)
        return {name: count for name, count in cursor.fetchall() if count}


def find_problems(
    acknowledged: Acknowledged, simulators: Simulators, installation: Installation
) -> list[str]:
    """Run all checks; return the sentences of those that fail."""
    texts = list(simulators.twilio.account.messages.values())
    rings = [call.url for call in list(simulators.twilio.account.calls.values())]
    return [
        *check_deliveries(acknowledged.deliveries),
        *check_takes(acknowledged.takes),
        *check_texts([text.callback for text in texts if text.direction == "outbound-api"]),
        *check_emails(list(simulators.mailbox.messages)),
        *check_rings(rings),
        *check_stops(acknowledged.stops, texts),
        *check_loans(simulators.encompass.state()["loans"]),
        *run_deep_check(installation),
    ]


def check_deliveries(deliveries: Mapping[str, VendorPost]) -> list[str]:
    """Check that each acknowledged delivery is worked once, or quarantined for staff to see."""
    rows: dict[str, list[str]] = {}
    stored = Delivery.objects.filter(body_sha256__in=list(deliveries))
    for digest, state in stored.values_list("body_sha256", "state"):
        rows.setdefault(digest, []).append(state)
    touched = set(
        Touch.objects.filter(delivery__body_sha256__in=list(deliveries)).values_list(
            "delivery__body_sha256", flat=True
        )
    )
    lost, unworked, twice = [], [], []
    for digest, post in deliveries.items():
        states = Counter(rows.get(digest, []))
        if not states:
            lost.append(digest)
        elif states["worked"] + (states["quarantined"] > 0) == 0:
            unworked.append(f"{digest}: {dict(states)}")
        elif states["worked"] > 1:
            twice.append(digest)
        if post.is_good and states["worked"] and digest not in touched:
            unworked.append(f"{digest}: worked without a touch")
    return [
        *_describe(lost, "acknowledged deliveries are missing"),
        *_describe(unworked, "acknowledged deliveries are neither worked nor quarantined"),
        *_describe(twice, "deliveries were worked twice"),
    ]


def check_takes(takes: Mapping[UUID, UUID]) -> list[str]:
    """Check that each confirmed take owns its lead, and that no lead has two owners."""
    owned = dict(
        Ownership.objects.filter(offer_id__in=list(takes)).values_list("offer_id", "officer_id")
    )
    lost = [str(offer) for offer, officer in takes.items() if owned.get(offer) != officer]
    with connection.cursor() as cursor:
        cursor.execute(
            "select lead_id::text from ownership where until_at is null "
            "group by lead_id having count(*) > 1"
        )
        shared = [row[0] for row in cursor.fetchall()]
    return [
        *_describe(lost, "offers that were taken are not owned"),
        *_describe(shared, "leads have two owners"),
    ]


def check_texts(callbacks: Sequence[str]) -> list[str]:
    """Check that no text is at the carrier twice, and that we count each as sent."""
    ids = [match[1] for callback in callbacks if (match := STATUS_URL.search(callback))]
    return _check_sent_once(ids, "text", "the carrier")


def check_emails(emails: Sequence[Mapping[str, Any]]) -> list[str]:
    """Check that no email to a borrower arrived twice, and that we count each as sent."""
    headers = [dict(email["headers"]) for email in emails]
    ids = [header["X-Rooftree-Message"] for header in headers if "X-Rooftree-Message" in header]
    return _check_sent_once(ids, "email", "the mail server")


def check_rings(urls: Sequence[str]) -> list[str]:
    """Check that no officer's phone rang twice for one offer."""
    counts = Counter(match[1] for url in urls if (match := RING_URL.search(url)))
    return _describe([ring for ring, n in counts.items() if n > 1], "rings were placed twice")


def check_stops(stops: Mapping[str, datetime], texts: Sequence[Any]) -> list[str]:
    """Check that each acknowledged STOP is on file, and only its confirmation followed.

    Borrowers who tick the consent box later can be texted again.
    """
    consented = {
        address
        for address, at in Consent.objects.filter(
            address__in=list(stops), status="granted", captured_at__isnull=False
        ).values_list("address", "captured_at")
        if at >= stops[address] - A_SECOND
    }
    on_file = set(
        Revocation.objects.filter(address__in=list(stops)).values_list("address", flat=True)
    )
    late = [
        match[1]
        for text in texts
        if text.direction == "outbound-api"
        and text.to in stops.keys() - consented
        and text.created_at > stops[text.to] + STOP_GRACE
        and (match := STATUS_URL.search(text.callback))
    ]
    causes = dict(Message.objects.filter(pk__in=late).values_list("pk", "idempotency_key"))
    wrong = [f"message:{key}" for key in late if not causes.get(UUID(key), "").startswith("stop:")]
    return [
        *_describe(sorted(set(stops) - on_file), "acknowledged STOPs are not on file"),
        *_describe(wrong, "texts followed a STOP"),
    ]


def check_loans(loans: Sequence[Mapping[str, Any]]) -> list[str]:
    """Check that the LOS has one loan per lead, and that we know each loan."""
    loans_by_lead: dict[str, list[str]] = {}
    for loan in loans:
        lead = next(
            (field["stringValue"] for field in loan["customFields"] if field["id"] == LEAD_ID),
            "",
        )
        if lead:
            loans_by_lead.setdefault(str(lead), []).append(str(loan["id"]))
    handoffs = {
        str(lead): (state, str(loan))
        for lead, state, loan in Handoff.objects.values_list(
            "lead_id", "state", "loan__los_loan_id"
        )
    }
    twice = [f"lead:{lead}" for lead, ids in loans_by_lead.items() if len(ids) > 1]
    unknown = [
        f"lead:{lead}" for lead in loans_by_lead if handoffs.get(lead, ("",))[0] in ("", "rejected")
    ]
    missing = [
        f"lead:{lead}"
        for lead, (state, loan) in handoffs.items()
        if state == "created" and loan not in loans_by_lead.get(lead, [])
    ]
    return [
        *_describe(twice, "leads have two loans in the LOS"),
        *_describe(unknown, "loans are in the LOS and not in our tables"),
        *_describe(missing, "loans are in our tables and not in the LOS"),
    ]


def run_deep_check(installation: Installation) -> list[str]:
    """Run `rooftree check --deep` and return its findings."""
    result = installation.run_command("check", "--deep", "--json")
    try:
        findings = json.loads(result.stdout)["findings"]
    except (ValueError, KeyError):
        return [f"check does not run: {result.stderr.strip()[-300:]}"]
    return [
        f"check: {finding['name']}: {finding['sentence']} {finding['offenders']}"
        for finding in findings
        if not finding["holds"]
    ]


def _check_sent_once(ids: Sequence[str], noun: str, where: str) -> list[str]:
    counts = Counter(ids)
    states = {
        str(key): state
        for key, state in Message.objects.filter(pk__in=list(counts)).values_list("pk", "state")
    }
    twice = [f"message:{key}" for key, n in counts.items() if n > 1]
    unsent = [
        f"message:{key} {states.get(key)}" for key in counts if states.get(key) not in SENT_STATES
    ]
    return [
        *_describe(twice, f"{noun}s are at {where} twice"),
        *_describe(unsent, f"{noun}s are at {where} and not counted as sent"),
    ]


def _describe(offenders: Sequence[str], problem: str) -> list[str]:
    if not offenders:
        return []
    return [f"{len(offenders)} {problem}: {', '.join(offenders[:MAX_SHOWN])}"]
