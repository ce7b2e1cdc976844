"""The canonical lead: one consumer's inquiry, in the one shape every source adapter returns.

Unknown is None, never "" or 0. `False` means the consumer said no. Money is integer
cents, percentages are `Decimal` in percent, timestamps are aware and in UTC.
`to_json` and `from_json` use the interchange form of canonical.schema.json.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from rooftree.leads.canonical_json import parse_record, to_plain_json
from rooftree.leads.vocabulary import (
    Amortization,
    Channel,
    ConsentChannel,
    ConsentMethod,
    ConsentStatus,
    ContactMethod,
    ContactTime,
    CostBasis,
    CreditBand,
    CreditBasis,
    Device,
    Direction,
    Employment,
    Evidence,
    IncomeBand,
    InteractionKind,
    LoanType,
    LtvSource,
    MilitaryStatus,
    PartnerType,
    PhoneType,
    Precision,
    PropertyType,
    PropertyUse,
    Purpose,
    Source,
    Speaker,
    Suffix,
    Timeline,
)

SCHEMA_VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of this lead as the source states it."""

    amount_cents: int
    currency: str = "USD"
    basis: CostBasis
    provisional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    e164: str | None = None  # only when valid
    type: PhoneType | None = None
    is_primary: bool
    ext: str | None = None
    country: str | None = None  # ISO 3166 alpha-2
    valid: bool | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    address: str | None = None  # only when valid
    is_primary: bool
    valid: bool | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrower:
    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    suffix: Suffix | None = None
    full_name_raw: str | None = None  # if the source sent one field


@dataclass(frozen=True, slots=True, kw_only=True)
class CoBorrower(Borrower):
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None  # USPS
    county: str | None = None
    zip: str | None = None
    zip4: str | None = None
    country: str | None = None  # ISO 3166 alpha-2, None when US


@dataclass(frozen=True, slots=True, kw_only=True)
class Property(Address):
    """The subject property. Its state drives license routing; never copied from mailing_address."""

    msa: str | None = None
    type: PropertyType | None = None
    use: PropertyUse | None = None
    units: int | None = None  # 1-4, 5 means five or more
    estimated_value_cents: int | None = None
    purchase_price_cents: int | None = None  # purchases only
    year_purchased: int | None = None
    new_construction: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPreference:
    method: ContactMethod | None = None
    time: ContactTime | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The rate quote the consumer clicked on."""

    rate_pct: Decimal | None = None
    apr_pct: Decimal | None = None
    term_months: int | None = None
    lock_days: int | None = None
    points: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    purpose: Purpose | None = None
    type: LoanType | None = None  # the program wanted
    amortization: Amortization | None = None
    term_months: int | None = None
    desired_products: tuple[str, ...] = ()  # vendor codes, as sent
    amount_cents: int | None = None
    down_payment_cents: int | None = None
    down_payment_pct: Decimal | None = None
    cash_out_cents: int | None = None
    ltv_pct: Decimal | None = None
    ltv_source: LtvSource | None = None
    current_balance_cents: int | None = None
    second_balance_cents: int | None = None
    current_rate_pct: Decimal | None = None
    current_payment_cents: int | None = None
    current_type: LoanType | None = None
    closed_on: str | None = None  # ISO date on which a past client's loan closed with us
    quote: Quote | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    band: CreditBand | None = None
    score_low: int | None = None
    score_high: int | None = None
    basis: CreditBasis | None = None
    bankruptcy: bool | None = None
    foreclosure: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    annual_cents: int | None = None
    band: IncomeBand | None = None
    monthly_debts_cents: int | None = None
    assets_cents: int | None = None
    dti_pct: Decimal | None = None
    employment: Employment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The consumer's real-estate agent. Never the borrower's own phone or email."""

    name: str | None = None
    email: str | None = None
    e164: str | None = None
    company: str | None = None
    vendor_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """The loan officer the vendor addressed: a hint for routing, not an order."""

    vendor_lender_id: str | None = None
    name: str | None = None
    email: str | None = None
    e164: str | None = None
    nmls_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    partner_type: PartnerType | None = None
    name: str | None = None
    email: str | None = None
    e164: str | None = None
    company: str | None = None
    license_no: str | None = None
    partner_id: str | None = None
    relationship_note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    at: datetime | None = None
    role: Speaker
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    kind: InteractionKind | None = None
    direction: Direction | None = None
    started_at: datetime | None = None
    duration_s: int | None = None
    answered: bool | None = None
    voicemail: bool | None = None
    tracking_number: str | None = None
    recording_url: str | None = None
    transcript: tuple[Utterance, ...] = ()
    summary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """An opt-out the vendor reports; a later lead without new consent never undoes it."""

    do_not_call: bool | None = None
    do_not_text: bool | None = None
    do_not_email: bool | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The consent evidence in this delivery; compliance decides what it permits."""

    status: ConsentStatus = ConsentStatus.NOT_PROVIDED
    channels: tuple[ConsentChannel, ...] = ()
    text: str | None = None  # the wording shown
    timestamp: datetime | None = None
    ip: str | None = None  # public addresses only
    user_agent: str | None = None
    page_url: str | None = None
    method: ConsentMethod | None = None
    certificate_url: str | None = None  # https://cert.trustedform.com/ only
    leadid_token: str | None = None
    seller_named: str | None = None
    evidence: Evidence = Evidence.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None
    gclid: str | None = None
    gbraid: str | None = None
    wbraid: str | None = None
    fbclid: str | None = None
    msclkid: str | None = None
    ttclid: str | None = None
    li_fat_id: str | None = None
    landing_page_url: str | None = None
    referrer_url: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    device: Device | None = None
    first_touch_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalLead:
    """One inquiry. `is_workable` tells if staff can act on it."""

    schema_version: str = SCHEMA_VERSION
    source: Source
    channel: Channel
    sub_source: str | None = None
    campaign: str | None = None
    vendor_lead_id: str | None = None
    vendor_ids: Mapping[str, str] = field(default_factory=dict)
    submitted_at: datetime | None = None
    submitted_at_precision: Precision | None = None
    received_at: datetime | None = None
    is_test: bool = False
    cost: Cost | None = None
    message: str | None = None
    extras: Mapping[str, str] = field(default_factory=dict)  # unmapped vendor keys
    borrower: Borrower | None = None
    co_borrower: CoBorrower | None = None
    phones: tuple[Phone, ...] = ()  # the first is primary
    emails: tuple[Email, ...] = ()
    mailing_address: Address | None = None
    preferred_language: str | None = None  # stated, never guessed from a name
    contact_pref: ContactPreference | None = None
    property: Property | None = None
    loan: Loan | None = None
    credit: Credit | None = None
    income: Income | None = None
    military: bool | None = None
    military_status: MilitaryStatus | None = None
    first_time_buyer: bool | None = None
    found_home: bool | None = None
    signed_contract: bool | None = None
    has_agent: bool | None = None
    agent: Agent | None = None
    timeline: Timeline | None = None
    recipient: Recipient | None = None
    referral: Referral | None = None
    interaction: Interaction | None = None
    vendor_status: str | None = None
    suppression: Suppression | None = None
    consent: Consent = field(default_factory=Consent)
    attribution: Attribution | None = None

    def is_text(self) -> bool:
        """Return True for a text to a phone number, which can be an answer to us and no inquiry."""
        return (
            self.channel is Channel.PHONE
            and self.interaction is not None
            and self.interaction.kind is InteractionKind.CHAT
        )

    def has_name(self) -> bool:
        """Return True if a first or last name is known."""
        return self.borrower is not None and bool(
            self.borrower.first_name or self.borrower.last_name
        )

    def price_cents(self, *, usual_cents: int | None) -> int:
        """Return the price of the inquiry; `usual_cents` if it states no price."""
        is_free = self.cost is not None and self.cost.basis == "none"
        cents = self.cost.amount_cents if self.cost else usual_cents
        return 0 if is_free else cents or 0

    def is_reachable(self) -> bool:
        """Return True if at least one phone or email is valid."""
        return any(phone.valid for phone in self.phones) or any(
            email.valid for email in self.emails
        )

    def is_workable(self) -> bool:
        """Return True if staff can act on it: it has a name and a way to reach the person."""
        return self.has_name() and self.is_reachable()

    def to_json(self) -> dict[str, Any]:
        """Return the interchange form, without unknown and empty fields."""
        record: dict[str, Any] = to_plain_json(self)
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "CanonicalLead":
        """Build a lead from its interchange form.

        Raises `InvalidCanonicalRecord` if the form is invalid.
        """
        lead: CanonicalLead = parse_record(cls, record)
        return lead
