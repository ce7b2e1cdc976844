"""What was agreed with a vendor: what it takes back, until when, and what it is told."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from rooftree.leads.models import Source
from rooftree.money import contracts
from rooftree.money.company_day import company_day
from rooftree.money.contracts import LONGEST_DAYS, STATUSES, Terms
from rooftree.money.grounds import REASONS
from rooftree.money.models import Contract
from rooftree.org.models import User
from rooftree.routing.visible import MAY, may
from rooftree.web.answers import done
from rooftree.web.page import must, staff
from rooftree.web.staff_forms import (
    StaffForm,
    States,
    by_user,
    choice,
    day,
    number,
    several,
    text,
)

THEIRS, TOLD = "word_", "told_"  # what the names of the fields for their words begin with
USUAL = {"window_days": 14, "warn_days": 3, "duplicate_days": 30}


class ContractForm(StaffForm):
    """The days, the reasons and the words of one contract."""

    from_date = day("In force from", "Leads that arrive from then on; earlier ones keep theirs")
    window_days = number(
        "Days to give a lead back", "Counted from its arrival", least=0, most=LONGEST_DAYS
    )
    warn_days = number("Warn before the end, days", least=0, most=60)
    reasons = several("They take back", ((key.value, said) for key, said in REASONS.items()))
    duplicate_days = number(
        "A duplicate is one within, days", "Of the earlier one", least=0, most=LONGEST_DAYS
    )
    states = States("States ordered", "As TX, FL. Empty: wherever the company is licensed")
    send_to = text("Where the file goes", "Their portal or address", required=False)

    PARTS = (
        ("When", ("from_date", "window_days", "warn_days", "watcher")),
        ("What", ("reasons", "duplicate_days", "states")),
        ("What they call it", tuple(f"{THEIRS}{key.value}" for key in REASONS)),
        ("What they are told of their leads", tuple(f"{TOLD}{key}" for key in STATUSES)),
        ("Where", ("send_to",)),
    )

    def terms(self, typed: dict[str, Any]) -> Terms:
        """What was typed."""
        return Terms(
            window_days=typed["window_days"],
            warn_days=typed["warn_days"],
            reasons={key: typed.get(f"{THEIRS}{key}", "") for key in typed["reasons"]},
            watcher_id=UUID(typed["watcher"]),
            duplicate_days=typed["duplicate_days"],
            states=typed["states"],
            send_to=typed["send_to"],
            statuses={key: typed[f"{TOLD}{key}"] for key in STATUSES if typed.get(f"{TOLD}{key}")},
        )


@staff("GET", "POST")
def contract(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """The contract of one source, by date; a new one is a new row."""
    must(request.user, "see_returns")
    source = get_object_or_404(Source, pk=source_id)
    now = contracts.in_force(source.pk, company_day(request.at))
    is_sent = request.method == "POST"
    if is_sent:
        must(request.user, "edit_sources")
    form = ContractForm(
        request.POST if is_sent else None, initial=_typed(now, request), more=_fields()
    )

    def keep(typed: dict[str, Any]) -> Contract:
        return contracts.record(
            source_id=source.pk, from_date=typed["from_date"], terms=form.terms(typed),
            by=request.user, at=request.at,
        )  # fmt: skip

    if is_sent and form.carried_out(keep):
        return done(request, f"The contract with {source.name} is recorded", back_to=request.path)
    context = {
        "source": source,
        "form": form,
        "now": now,
        "rows": [
            (one, [said for key, said in REASONS.items() if key in one.reasons])
            for one in source.contracts.select_related("made_by", "watcher").order_by("-made_at")
        ],
        "may_edit": may(request.user, "edit_sources"),
    }
    return render(request, "returns/contract.html", context, status=422 if is_sent else 200)


def _fields() -> dict[str, Any]:
    """Who may be named, and the vendor's own words."""
    watchers = User.objects.filter(is_active=True, role__in=MAY["see_returns"]).order_by("name")
    fields = {
        "watcher": choice(
            "Who is warned", by_user(watchers, "Choose one"), "Before the days run out, daily"
        )
    }
    fields |= {
        f"{THEIRS}{key.value}": text(said, "Empty: in our words", required=False, longest=60)
        for key, said in REASONS.items()
    }
    told = "Their word for it. Empty: they are not told"
    fields |= {
        f"{TOLD}{key}": text(said, told, required=False, longest=60)
        for key, said in STATUSES.items()
    }
    return fields


def _typed(now: Contract | None, request: HttpRequest) -> dict[str, Any]:
    """The contract in force, to begin from; dated today."""
    today = {"from_date": company_day(request.at)}
    if now is None:
        return {**USUAL, **today}
    kept = ("window_days", "warn_days", "duplicate_days", "states", "send_to")
    return {
        **{name: getattr(now, name) for name in kept},
        **today,
        "watcher": str(now.watcher_id),
        "reasons": list(now.reasons),
        **{f"{THEIRS}{key}": word for key, word in now.reasons.items()},
        **{f"{TOLD}{key}": word for key, word in now.statuses.items()},
    }
