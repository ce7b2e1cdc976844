"""What must be true when everything is at rest: asked of us, of the carriers and of the LOS.

Each proof gives sentences about what is wrong; none means that it holds.
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
from tests.chaos.load import Posted, Told
from tests.chaos.place import Place

SHOWN = 4  # how many offenders a sentence names
LEAD_ID = "CX.ROOFTREELEADID"  # of a loan in the LOS
UNDER_WAY = timedelta(seconds=5)  # a text that was at the carrier's door when a STOP came
A_SECOND = timedelta(seconds=1)  # a form says when it was sent in whole ones
LEFT = {"sent", "delivered", "failed", "uncertain", "claimed"}
WAITS = """
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
MY_STATUS = re.compile(r"/in/twilio/status/([0-9a-f-]{36})/")
MY_RING = re.compile(r"/in/twilio/ring/([0-9a-f-]{36})/")


def still_waiting() -> dict[str, int]:
    """What is due now and not done, by its kind; empty at rest."""
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        return {name: count for name, count in cursor.fetchall() if count}


def everything(told: Told, simulators: Simulators, place: Place) -> list[str]:
    """Every proof; the sentences of those that fail."""
    texts = list(simulators.twilio.account.messages.values())
    rings = [call.url for call in list(simulators.twilio.account.calls.values())]
    return [
        *nothing_lost(told.deliveries),
        *takes_kept(told.takes),
        *texts_once([text.callback for text in texts if text.direction == "outbound-api"]),
        *letters_once(list(simulators.mailbox.messages)),
        *rings_once(rings),
        *stops_obeyed(told.stops, texts),
        *loans_once(simulators.encompass.state()["loans"]),
        *checked(place),
    ]


def nothing_lost(deliveries: Mapping[str, Posted]) -> list[str]:
    """Each delivery that was acknowledged is worked once, or set aside where a person sees it."""
    rows: dict[str, list[str]] = {}
    kept = Delivery.objects.filter(body_sha256__in=list(deliveries))
    for mark, state in kept.values_list("body_sha256", "state"):
        rows.setdefault(mark, []).append(state)
    touched = set(
        Touch.objects.filter(delivery__body_sha256__in=list(deliveries)).values_list(
            "delivery__body_sha256", flat=True
        )
    )
    lost, unworked, twice = [], [], []
    for mark, post in deliveries.items():
        states = Counter(rows.get(mark, []))
        if not states:
            lost.append(mark)
        elif states["worked"] + (states["quarantined"] > 0) == 0:
            unworked.append(f"{mark}: {dict(states)}")
        elif states["worked"] > 1:
            twice.append(mark)
        if post.is_good and states["worked"] and mark not in touched:
            unworked.append(f"{mark}: worked without a touch")
    return [
        *_said(lost, "acknowledged deliveries are nowhere"),
        *_said(unworked, "acknowledged deliveries are neither worked nor set aside"),
        *_said(twice, "deliveries were worked twice"),
    ]


def takes_kept(takes: Mapping[UUID, UUID]) -> list[str]:
    """Each lead an officer was told to have taken is theirs, and nobody has it beside them."""
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
        *_said(lost, "offers that were taken are not owned"),
        *_said(shared, "leads have two owners"),
    ]


def texts_once(callbacks: Sequence[str]) -> list[str]:
    """No text is at the carrier twice, nor one that we do not count as gone."""
    ids = [found[1] for callback in callbacks if (found := MY_STATUS.search(callback))]
    return _once(ids, "text", "the carrier")


def letters_once(letters: Sequence[Mapping[str, Any]]) -> list[str]:
    """No e-mail to a borrower arrived twice, nor one that we do not count as gone."""
    headers = [dict(letter["headers"]) for letter in letters]
    ids = [header["X-Rooftree-Message"] for header in headers if "X-Rooftree-Message" in header]
    return _once(ids, "e-mail", "the mail server")


def rings_once(urls: Sequence[str]) -> list[str]:
    """No officer's phone rang twice for one offer."""
    times = Counter(found[1] for url in urls if (found := MY_RING.search(url)))
    return _said([one for one, n in times.items() if n > 1], "rings were placed twice")


def stops_obeyed(stops: Mapping[str, datetime], texts: Sequence[Any]) -> list[str]:
    """Each STOP that was acknowledged is on file, and nothing but its confirmation followed.

    Until they consent anew: who ticked the box later is texted again.
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
        (found[1], text.to)
        for text in texts
        if text.direction == "outbound-api"
        and text.to in stops.keys() - consented
        and text.created_at > stops[text.to] + UNDER_WAY
        and (found := MY_STATUS.search(text.callback))
    ]
    causes = dict(
        Message.objects.filter(pk__in=[one for one, _ in late]).values_list("pk", "cause")
    )
    wrong = [
        f"message:{one}" for one, _ in late if not causes.get(UUID(one), "").startswith("stop:")
    ]
    return [
        *_said(sorted(set(stops) - on_file), "acknowledged STOPs are not on file"),
        *_said(wrong, "texts followed a STOP"),
    ]


def loans_once(loans: Sequence[Mapping[str, Any]]) -> list[str]:
    """The LOS holds one loan for each lead, and we know each."""
    held: dict[str, list[str]] = {}
    for loan in loans:
        lead = next(
            (
                one["stringValue"]
                for one in loan["customFields"]
                if one["id"] == "CX.ROOFTREELEADID"
            ),
            "",
        )
        if lead:
            held.setdefault(str(lead), []).append(str(loan["id"]))
    made = {
        str(lead): (state, str(loan))
        for lead, state, loan in Handoff.objects.values_list(
            "lead_id", "state", "loan__los_loan_id"
        )
    }
    twice = [f"lead:{lead}" for lead, ids in held.items() if len(ids) > 1]
    strange = [f"lead:{lead}" for lead in held if made.get(lead, ("",))[0] in ("", "rejected")]
    missing = [
        f"lead:{lead}"
        for lead, (state, loan) in made.items()
        if state == "created" and loan not in held.get(lead, [])
    ]
    return [
        *_said(twice, "leads have two loans in the LOS"),
        *_said(strange, "loans are in the LOS and not with us"),
        *_said(missing, "loans are with us and not in the LOS"),
    ]


def checked(place: Place) -> list[str]:
    """What `rooftree check --deep` finds wrong."""
    done = place.command("check", "--deep", "--json")
    try:
        findings = json.loads(done.stdout)["findings"]
    except (ValueError, KeyError):
        return [f"check does not run: {done.stderr.strip()[-300:]}"]
    return [
        f"check: {finding['name']}: {finding['sentence']} {finding['offenders']}"
        for finding in findings
        if not finding["holds"]
    ]


def _once(ids: Sequence[str], noun: str, where: str) -> list[str]:
    times = Counter(ids)
    states = {
        str(key): state
        for key, state in Message.objects.filter(pk__in=list(times)).values_list("pk", "state")
    }
    twice = [f"message:{one}" for one, n in times.items() if n > 1]
    denied = [
        f"message:{time} {states.get(time)}" for time in times if states.get(time) not in LEFT
    ]
    return [
        *_said(twice, f"{noun}s are at {where} twice"),
        *_said(denied, f"{noun}s are at {where} and not counted as gone"),
    ]


def _said(offenders: Sequence[str], what: str) -> list[str]:
    if not offenders:
        return []
    return [f"{len(offenders)} {what}: {', '.join(offenders[:SHOWN])}"]
