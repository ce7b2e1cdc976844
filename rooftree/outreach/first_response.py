"""The answer a borrower gets within seconds of asking."""

from datetime import datetime, timedelta

from rooftree.leads.models import Lead, Touch
from rooftree.org.models import Company
from rooftree.outreach import send, wording
from rooftree.outreach.models import Message

RECENT = timedelta(hours=24)
QUIET_STATUSES = frozenset({"Transferred"})  # Zillow's concierge has them on the line


def plan(*, touch: Touch, at: datetime) -> list[Message]:
    """Put the first text and e-mail of a touch in line; those planned.

    The first touch gets both. A repeated inquiry gets a text when none has
    reached the borrower yet (it may have brought the consent the first one
    lacked), and an e-mail when none went out in the last day. Whether each may
    go is the gate's to say, when it is taken from the line. Safe to repeat, in
    whatever order touches come; must run in a transaction.
    """
    lead = (
        Lead.objects.select_for_update(of=("self",))
        .select_related("person", "officer__user")
        .get(pk=touch.lead_id)
    )
    if lead.is_test or lead.state in ("funded", "retired"):
        return []
    planned = []
    for medium in ("text", "email"):
        to = send.address_for(lead, medium)
        if to and _is_wanted(lead, touch, medium, at):
            planned.append(_plan_one(lead, touch, medium, to, at))
    return planned


def _is_wanted(lead: Lead, touch: Touch, medium: str, at: datetime) -> bool:
    if medium == "text" and touch.inquiry.get("vendor_status") in QUIET_STATUSES:
        return False
    sent = Message.objects.filter(
        lead=lead,
        direction="out",
        medium=medium,
        state__in=["waiting", "held", "claimed", "sent", "delivered", "uncertain"],
    ).exclude(cause=f"touch:{touch.pk}")
    if medium == "email":
        sent = sent.filter(created_at__gt=at - RECENT)
    return not sent.exists()


def _plan_one(lead: Lead, touch: Touch, medium: str, to: str, at: datetime) -> Message:
    language = wording.language_for(lead.person.language)
    template = wording.live_template("first_hello", medium=medium, language=language, at=at)
    rendered = wording.render(
        template, lead=lead, company=Company.objects.get(), officer=lead.officer
    )
    return send.plan(
        lead=lead,
        medium=medium,
        purpose="marketing",
        cause=f"touch:{touch.pk}",
        words=send.Words.of(rendered, lead.officer),
        to=to,
        at=at,
    )
