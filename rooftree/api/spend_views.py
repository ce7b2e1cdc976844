"""Ad spend that another system books, once per idempotency key."""

from datetime import date
from typing import Annotated
from uuid import UUID

from ninja import Field, Router, Schema

from rooftree.api.api_errors import ApiError
from rooftree.api.key_authentication import ApiRequest
from rooftree.api.operations import require_key
from rooftree.core.money_amounts import MAX_DOLLARS
from rooftree.flow import money_in
from rooftree.leads.models import Source
from rooftree.money.book_entries import ConflictingEntry
from rooftree.money.company_day import company_day
from rooftree.money.spend_entries import SpendLine

MAX_ENTRIES = 1000  # per call
router = Router(tags=["Money"])


class SpendEntry(Schema):
    """The spend of one day at a source."""

    idempotency_key: Annotated[
        str, Field(min_length=1, max_length=100, description="your own, unique within the source")
    ]
    source: Annotated[str, Field(description="the source's name in its address")]
    campaign: Annotated[str, Field(max_length=200)] = ""
    date: date
    amount_cents: Annotated[int, Field(ge=0, le=int(MAX_DOLLARS) * 100)]


class SpendBody(Schema):
    """Spend entries; all of them are booked, or none."""

    entries: Annotated[list[SpendEntry], Field(min_length=1, max_length=MAX_ENTRIES)]


class BookedSpend(Schema):
    """One booked entry."""

    idempotency_key: str
    entry_id: UUID


class BookedEntries(Schema):
    """The entries, in the order of the call."""

    entries: list[BookedSpend]


@router.post(
    "/spend",
    **require_key(
        scope="spend:write",
        permission="book_money",
        returns=BookedEntries,
        errors={
            400: "A date is in the future",
            404: "No source has this name",
            409: "An idempotency key was used with other values",
        },
    ),
)
def book_spend(request: ApiRequest, body: SpendBody) -> BookedEntries:
    """Book ad spend by day. Repeating a call books nothing twice.

    All entries of a call are booked, or none. To change a booked amount, correct the entry on
    the Money page.
    """
    call = request.auth
    if call.user.branch_id:
        raise ApiError(403, "scope", "Only a company-wide user's key can book spend.")
    lines = _build_lines(body.entries, today=company_day(call.at))
    try:
        booked = money_in.book_sent_spend(lines, by=call.user, at=call.at)
    except ConflictingEntry as problem:
        raise ApiError(409, "conflict", str(problem)) from None
    return BookedEntries(
        entries=[
            BookedSpend(idempotency_key=key, entry_id=entry.pk)
            for (key, _), entry in zip(lines, booked, strict=True)
        ]
    )


def _build_lines(entries: list[SpendEntry], *, today: date) -> list[tuple[str, SpendLine]]:
    slugs = {entry.source for entry in entries}
    sources = dict(Source.objects.filter(slug__in=slugs).values_list("slug", "pk"))
    for entry in entries:
        if entry.source not in sources:
            raise ApiError(404, "source", f"No source has the name {entry.source!r}.")
        if entry.date > today:
            raise ApiError(400, "date", f"{entry.idempotency_key}: the date is in the future.")
    return [
        (
            entry.idempotency_key,
            SpendLine(
                source_id=sources[entry.source], on_date=entry.date,
                amount_cents=entry.amount_cents, campaign=entry.campaign.strip(),
            ),
        )
        for entry in entries
    ]  # fmt: skip
