"""The dimensions of a report: how a lead, a loan or a ledger entry gets its value of each."""

from dataclasses import dataclass

NOT_STATED = "-"  # the record has no value
NOT_ATTRIBUTABLE = "none"  # an entry that no lead carries has no value of this dimension

PRICE_BANDS = {  # by key: label, and the upper bound in cents (exclusive)
    "free": ("No price", 1),
    "under_25": ("Under $25", 25_00),
    "25_50": ("$25 to $49.99", 50_00),
    "50_100": ("$50 to $99.99", 100_00),
    "100_200": ("$100 to $199.99", 200_00),
    "over_200": ("$200 or more", None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One way to slice the figures.

    `lead_sql` reads the value from a lead. `entry_sql` reads it from an entry: without one, an
    entry has the value of its lead, and an entry that no lead carries has none.
    """

    key: str
    label: str
    lead_sql: str
    entry_sql: str = ""
    join: str = ""
    missing: str = "Not stated"


_FIRST_TOUCH = (
    "left join touch first_touch on first_touch.lead_id = lead.id and first_touch.is_first"
)
# What was paid for the lead, before any vendor credit.
_PRICE_SQL = (
    "(select coalesce(sum(paid.amount_cents), 0) from money_entry paid"
    " where paid.lead_id = lead.id and paid.kind = 'cost')"
)
_BAND_SQL = (
    "(array['"
    + "','".join(PRICE_BANDS)
    + f"'])[1 + width_bucket({_PRICE_SQL}::float8, array["
    + ",".join(str(bound) for _, bound in PRICE_BANDS.values() if bound)
    + "]::float8[])]"
)

DIMENSIONS = {
    dimension.key: dimension
    for dimension in (
        Dimension(
            key="source",
            label="Source",
            lead_sql="lead.source_id::text",
            entry_sql=(
                "case when entry.kind in ('cost', 'credit') then entry.source_id"
                " else coalesce(lead.source_id, entry.source_id) end::text"
            ),
        ),
        Dimension(
            key="sub_source",
            label="Sub-source",
            lead_sql="first_touch.inquiry->>'sub_source'",
            join=_FIRST_TOUCH,
        ),
        Dimension(
            key="campaign",
            label="Campaign",
            lead_sql="lead.campaign_id::text",
            entry_sql="coalesce(entry.campaign_id, lead.campaign_id)::text",
            missing="No campaign",
        ),
        Dimension(
            key="ad",
            label="Ad",
            lead_sql=(
                "coalesce(first_touch.inquiry->'vendor_ids'->>'ad_id',"
                " first_touch.attribution->>'utm_content')"
            ),
            join=_FIRST_TOUCH,
            missing="No ad",
        ),
        Dimension(
            key="officer",
            label="Loan officer",
            lead_sql="lead.officer_id::text",
            missing="Unassigned",
        ),
        Dimension(
            key="branch", label="Branch", lead_sql="lead.branch_id::text", missing="No branch"
        ),
        Dimension(key="product", label="Product", lead_sql="lead.loan_type"),
        Dimension(key="purpose", label="Purpose", lead_sql="lead.purpose"),
        Dimension(key="state", label="State", lead_sql="lead.property_state"),
        Dimension(key="credit", label="Credit band", lead_sql="lead.credit_band"),
        Dimension(
            key="language",
            label="Language",
            lead_sql="person.language",
            join="left join person on person.id = lead.person_id",
        ),
        Dimension(key="price", label="Lead price", lead_sql=_BAND_SQL),
    )
}


def lead_value_sql(key: str) -> str:
    """Return the SQL of a dimension's value for a lead or its loan; never null."""
    return f"coalesce(nullif({DIMENSIONS[key].lead_sql}, ''), '{NOT_STATED}')"


def entry_value_sql(key: str) -> str:
    """Return the SQL of a dimension's value for a ledger entry; never null.

    A source's fee for the month has a source and can have a campaign, and nothing else.
    """
    own = DIMENSIONS[key].entry_sql
    value = f"coalesce(nullif({own or DIMENSIONS[key].lead_sql}, ''), '{NOT_STATED}')"
    if key == "source":
        return value
    without_lead = f"coalesce({own}, '{NOT_ATTRIBUTABLE}')" if own else f"'{NOT_ATTRIBUTABLE}'"
    return f"case when lead.id is null then {without_lead} else {value} end"
