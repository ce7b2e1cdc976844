"""The records behind a figure of a report: leads, loans or entries of the ledgers."""

from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Case, F, QuerySet, When

from rooftree.leads.models import Lead, Loan
from rooftree.money.models import Entry
from rooftree.reporting.reports import sql
from rooftree.reporting.reports.report_table import ReportQuestion, ReportScope, build_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordList:
    """What a figure counts: the title of its list, the kind of record, and its measures."""

    title: str
    kind: str  # lead | loan | entry
    measures: tuple[str, ...]
    amount: str = ""  # the field that adds up to the figure; "" where records are counted


RECORD_LISTS = {  # by the figure's name in the URL
    "leads": RecordList(title="Leads", kind="lead", measures=("leads",)),
    "attempted": RecordList(title="Leads attempted", kind="lead", measures=("attempted",)),
    "talked": RecordList(title="Leads spoken with", kind="lead", measures=("talked",)),
    "applications": RecordList(title="Applications", kind="loan", measures=("applications",)),
    "approved": RecordList(title="Approved loans", kind="loan", measures=("approved",)),
    "cleared": RecordList(title="Loans clear to close", kind="loan", measures=("cleared",)),
    "funded": RecordList(title="Funded loans", kind="loan", measures=("funded",)),
    "volume": RecordList(
        title="Funded volume", kind="loan", measures=("volume_cents",), amount="amount_cents"
    ),
    "cost": RecordList(title="Cost", kind="entry", measures=("spend_cents",), amount="signed"),
    "revenue": RecordList(
        title="Revenue", kind="entry", measures=("revenue_cents",), amount="signed"
    ),
    "profit": RecordList(
        title="Gross profit", kind="entry", measures=("spend_cents", "revenue_cents"),
        amount="profit",
    ),
}  # fmt: skip
REVENUE_LISTS = ("revenue", "profit")


def records_behind(
    figure: str, question: ReportQuestion, scope: ReportScope, *, visible: QuerySet[Lead] | None
) -> QuerySet[Any]:
    """Return the leads, loans or entries that a figure counts, newest first.

    Args:
        figure: a key of RECORD_LISTS.
        visible: only records of these leads; None: all records that the figure counts.
    """
    listed = RECORD_LISTS[figure]
    ids = sql.record_ids(build_facts(question, scope), listed.measures)
    if listed.kind == "lead":
        leads = Lead.objects.filter(pk__in=ids) if visible is None else visible.filter(pk__in=ids)
        leads = leads.select_related("person", "source", "officer__user")
        return leads.annotate(waited=F("first_attempt_at") - F("created_at")).order_by(
            "-created_at", "-id"
        )
    if listed.kind == "loan":
        loans = Loan.objects.filter(pk__in=ids)
        loans = loans if visible is None else loans.filter(lead__in=visible)
        loans = loans.select_related("lead__person", "lead__source", "lead__officer__user")
        return loans.order_by(F("funded_date").desc(nulls_last=True), "-id")
    entries = Entry.objects.filter(pk__in=ids)
    entries = entries if visible is None else entries.filter(lead__in=visible)
    signed = Case(
        When(kind__in=["credit", "reversal"], then=-F("amount_cents")),
        default=F("amount_cents"), output_field=BigIntegerField(),
    )  # fmt: skip
    profit = Case(
        When(kind__in=["cost", "reversal"], then=-F("amount_cents")),
        default=F("amount_cents"), output_field=BigIntegerField(),
    )  # fmt: skip
    entries = entries.select_related("source", "campaign", "lead__person", "loan")
    return entries.annotate(signed=signed, profit=profit).order_by("-on_date", "-id")
