"""Lists of what another system did with its leads: match them to the copies, check, and keep."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.transaction import atomic

from rooftree.core.uuid7 import uuid7_at
from rooftree.leads.models import Email, Phone, ShadowLead, Touch
from rooftree.ledger.write_events import write_event
from rooftree.money.company_day import company_zone
from rooftree.org.models import ShadowPeriod, User
from rooftree.reporting.models import ShadowList, ShadowResult
from rooftree.reporting.shadow.result_file import RefusedLine, ResultLine, read_result_file

BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedList:
    """What a list would change: its matched lines, the other lines, and those it refuses."""

    matched: tuple[tuple[ResultLine, ShadowLead], ...]  # with the copy
    unknown: tuple[ResultLine, ...]  # Rooftree received no copy in this period
    refused: tuple[RefusedLine, ...]
    leads: int  # copies received in the period

    @property
    def usable(self) -> int:
        return len(self.matched) + len(self.unknown)

    @property
    def contacted(self) -> int:
        return sum(line.first_contact_at is not None for line, _ in self.matched)

    @property
    def funded(self) -> int:
        lines = [*self.unknown, *(line for line, _ in self.matched)]
        return sum(line.funded_date is not None for line in lines)

    @property
    def unlisted(self) -> int:
        """Copies that the list does not name."""
        return self.leads - len(self.matched)


def check_list(text: str, period: ShadowPeriod, *, at: datetime) -> CheckedList:
    """Read a list and match it to the leads of a period; keep nothing.

    A lead is found by the vendor's ID, else by its phone, else by its email. Raises
    `InvalidField`.
    """
    lines, refused = read_result_file(text, zone=company_zone(), at=at)
    finder = _LeadFinder(period)
    matched: dict[ShadowLead, ResultLine] = {}
    unknown = []
    for line in lines:
        leads = finder.find_leads(line)
        if len(leads) > 1:
            reason = "More than one lead has this phone or email. Add the vendor ID."
            refused.append(RefusedLine(line=line.line, reason=reason))
        elif not leads:
            unknown.append(line)
        elif earlier := matched.get(leads[0]):
            reason = f"Line {earlier.line} is the same lead."
            refused.append(RefusedLine(line=line.line, reason=reason))
        else:
            matched[leads[0]] = line
    return CheckedList(
        matched=tuple((line, lead) for lead, line in matched.items()),
        unknown=tuple(unknown),
        refused=tuple(sorted(refused, key=lambda problem: problem.line)),
        leads=finder.count,
    )


def keep_list(checked: CheckedList, period: ShadowPeriod, *, by: User, at: datetime) -> ShadowList:
    """Keep the usable lines in place of the period's earlier list. No name or number is kept."""
    with atomic():
        ShadowPeriod.objects.select_for_update().get(pk=period.pk)
        earlier = ShadowList.objects.filter(period=period)
        ShadowResult.objects.filter(list__in=earlier).delete()
        earlier.delete()
        kept = ShadowList.objects.create(
            id=uuid7_at(at), period=period, uploaded_by=by, uploaded_at=at
        )
        results = [_build_result(kept, line, lead) for line, lead in checked.matched]
        results += [_build_result(kept, line, None) for line in checked.unknown]
        ShadowResult.objects.bulk_create(results, batch_size=BATCH)
        write_event(
            "reporting.shadow.list_kept", at=at, actor=f"user:{by.pk}", period=period.pk,
            lines=checked.usable,
        )  # fmt: skip
    return kept


def _build_result(kept: ShadowList, line: ResultLine, lead: ShadowLead | None) -> ShadowResult:
    """Build the row of a line; what it leaves out about a copy is known from the copy."""
    return ShadowResult(
        id=uuid7_at(kept.uploaded_at),
        list=kept,
        lead_id=lead.lead_id if lead else None,
        source_id=lead.lead.source_id if lead else line.source_id,
        received_at=line.received_at or (lead.arrived_at if lead else None),
        first_contact_at=line.first_contact_at,
        officer_name=line.officer_name,
        funded_date=line.funded_date,
        revenue_cents=line.revenue_cents,
    )


class _LeadFinder:
    """The copies of a period by what a list can name them with."""

    def __init__(self, period: ShadowPeriod) -> None:
        rows = period.leads.filter(lead__is_test=False).select_related("lead")
        copies = {row.lead_id: row for row in rows}
        self.count = len(copies)
        people: dict[UUID, list[ShadowLead]] = {}
        for copy in copies.values():
            people.setdefault(copy.lead.person_id, []).append(copy)
        self._by_vendor_id: dict[str, list[ShadowLead]] = {}
        touches = Touch.objects.filter(lead__in=copies).exclude(vendor_lead_id="")
        for vendor_id, lead_id in touches.values_list("vendor_lead_id", "lead_id").distinct():
            self._by_vendor_id.setdefault(vendor_id.casefold(), []).append(copies[lead_id])
        self._by_phone: dict[str, list[ShadowLead]] = {}
        phones = Phone.objects.filter(person__in=people).values_list("e164", "person_id")
        for e164, person_id in phones:
            self._by_phone.setdefault(e164, []).extend(people[person_id])
        self._by_email: dict[str, list[ShadowLead]] = {}
        emails = Email.objects.filter(person__in=people).values_list("key", "person_id")
        for key, person_id in emails:
            self._by_email.setdefault(key, []).extend(people[person_id])

    def find_leads(self, line: ResultLine) -> list[ShadowLead]:
        """Return the copies that the first known identity of the line names."""
        return (
            self._by_vendor_id.get(line.vendor_id.casefold())
            or self._by_phone.get(line.phone)
            or self._by_email.get(line.email_key)
            or []
        )
