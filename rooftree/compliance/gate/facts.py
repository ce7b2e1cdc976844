"""Everything the gate may look at. A fact that nobody knows is UNKNOWN and stops the send."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Final, Literal


class Unknown(Enum):
    """The one value of a fact that production does not have."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
type Missing = Literal[Unknown.UNKNOWN]


class MissingFact(Exception):
    """A rule needs a fact that nobody supplied; the gate that asked fails closed."""


def get_fact[T](value: T | Missing, name: str) -> T:
    """It is the fact itself. Raises `FactMissing` when it is UNKNOWN."""
    if value is UNKNOWN:
        raise MissingFact(name)
    return value


class Medium(StrEnum):
    CALL = "call"
    TEXT = "text"
    VOICEMAIL = "voicemail_drop"
    EMAIL = "email"
    MAIL = "mail"


PHONE_MEDIA: Final = frozenset({Medium.CALL, Medium.TEXT, Medium.VOICEMAIL})


class Purpose(StrEnum):
    MARKETING = "marketing"
    INFORMATIONAL = "informational"
    TRANSACTIONAL = "transactional"
    REPLY = "reply"
    CONFIRMATION = "confirmation"
    LEGAL_NOTICE = "legal_notice"


class Voice(StrEnum):
    """Who or what speaks; a text or an email has no voice."""

    NONE = "none"
    HUMAN = "human"
    AI = "ai"
    PRERECORDED = "prerecorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place where the person may be right now."""

    kind: str  # area_code, residence, property, stated; ip_geo counts for nothing
    state: str  # USPS code
    zone: str  # IANA name
    county: str | None = None
    is_home: bool | None = None  # a property with False is not where they live


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What is proven of one consent; None or an absent item is not proven."""

    type: str | None = None  # written, oral, number_provided
    signature: str | None = None
    seller: str | None = None
    phone: str | None = None  # E.164
    channels: tuple[str, ...] = ()
    condition_of_purchase: bool | None = None
    autodial_disclosure: bool | None = None
    captured_at: datetime | None = None
    evidence: tuple[str, ...] = ()
    signer_is_subscriber: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """The person asked us to stop."""

    at: datetime
    media: tuple[Medium, ...]  # what it ends
    about: Purpose | None  # purpose of the message they answered, None if none
    by_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """The person wrote START."""

    at: datetime
    has_prior_written_consent: bool  # for the same seller


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorContact:
    """One earlier contact or attempt by us, whoever made it."""

    at: datetime
    medium: Medium | None  # None is known to be a contact but not which


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """An inquiry to or transaction with somebody, for the do-not-call exemption."""

    kind: str  # inquiry, application, transaction
    on: date
    with_us: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StateList:
    """What one state's own do-not-call list says of the number."""

    state: str
    version_date: date | None  # None is not loaded
    is_listed: bool
    listed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """One state permission of an officer."""

    state: str
    status: str  # NMLS words, such as Approved
    expires_on: date | None  # the last good day; None is no end on file


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """The officer in whose name the message goes."""

    nmls_id: str
    is_sponsored: bool  # by this company, today
    is_registered: bool  # federal registration, for officers of a depository
    licenses: tuple[License, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLicense:
    """A license of the company, as the wording of its state names it."""

    number: str
    license: str  # which of the state's licenses, see license_wording.yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Who we are, as NMLS knows us."""

    nmls_id: str
    is_depository: bool
    licensed_states: tuple[str, ...]
    license_there: StateLicense | None = None  # in the property's state; none: none on file
    website: str = ""
    phone: str = ""  # E.164


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the lead came from and on what basis, for trigger-lead law."""

    source_class: str  # consumer, aggregator, cra_trigger, web_intent_vendor, unknown
    acquired_on: date
    is_firm_offer: bool | None
    is_authorized_to_cra: bool | None
    relationship: str | None
    entity: str | None
    has_opted_out_of_prescreen: bool | None
    says_not_affiliated: bool | None
    cra_provenance: str | None
    keeps_criteria: bool | None = None  # of its firm offer, set before it was made
    has_prescreen_notices: bool | None = None  # the short and the long one, in this message


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """A declared state of emergency."""

    state: str
    county: str  # "*" is the whole state
    from_date: date
    until_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberCheck:
    """An answer of the reassigned numbers database."""

    response: str  # yes, no, no_data
    checked_on: date
    since: date | None = None  # the day that was asked about


@dataclass(frozen=True, slots=True, kw_only=True)
class StopConfirmation:
    """Of the one text that confirms a stop."""

    stop_at: datetime
    earlier: int  # confirmations already sent


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanDecision:
    """A named person decided what one rule leaves to people, about this very message."""

    rule: str
    reason: str
    by: str  # user:<id>
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """One value of the rule data that this company changed, from a local date on."""

    number: int  # of the change, as its page has it
    place: str  # USPS code, or `US` for what holds everywhere
    item: str  # as `rule_items.ITEMS`
    value: str  # JSON, of the shape that rules.yaml has there
    from_date: date
    until_date: date | None  # the first day without it; None: it stands
    cite: str

    def is_in_force(self, day: date) -> bool:
        """It is in force on a local date."""
        return self.from_date <= day and (self.until_date is None or day < self.until_date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One message, one recipient, one moment, and all that is known about them.

    Production leaves `asks` at None: every enforced gate runs. Only the
    translator of rulebook cases names a few gates.
    """

    at: datetime | Missing = UNKNOWN
    asks: tuple[str, ...] | None = None
    rules_version: str | Missing = UNKNOWN  # under which the caller means to send
    amendments: tuple[Amendment, ...] = ()  # that may concern it; none: the rules as they came
    has_audit_row: bool | Missing = UNKNOWN

    # the message
    medium: Medium | Missing = UNKNOWN
    purpose: Purpose | Missing = UNKNOWN
    is_automated: bool | Missing = UNKNOWN
    voice: Voice | Missing = UNKNOWN
    has_promo: bool | Missing = UNKNOWN  # content lint found promotion
    is_first_message: bool | Missing = UNKNOWN  # first text of the thread
    subject: str | Missing = UNKNOWN
    text: str | Missing = UNKNOWN  # as rendered
    activity: str | Missing = UNKNOWN  # what it does: general, quote_rate, schedule_callback
    answers: tuple[HumanDecision, ...] = ()  # none: nobody decided, so the rules stand
    content_facts: tuple[str, ...] = ()  # proven of the wording, as `lint.FACT_NAMES`; none is none
    wording_until: datetime | None = None  # its approval ends; none: not made of a template
    confirmation: StopConfirmation | None | Missing = UNKNOWN

    # who sends
    actor: str | Missing = UNKNOWN  # officer, staff, bot
    officer: Officer | None | Missing = UNKNOWN  # None: the company itself
    is_owners: bool | Missing = UNKNOWN  # in nobody's name, or in that of the lead's own officer
    company: Company | Missing = UNKNOWN
    seller_names: tuple[str, ...] | Missing = UNKNOWN  # legal names and registered DBAs
    guard_minutes: int | Missing = UNKNOWN  # closes the window that much earlier
    registered_states: tuple[str, ...] | Missing = UNKNOWN  # telemarketer, or exempt
    is_brand_registered: bool | Missing = UNKNOWN
    campaign_attributes: tuple[str, ...] | Missing = UNKNOWN
    optin_source: str | Missing = UNKNOWN
    company_kind: str | Missing = UNKNOWN  # direct_lender, broker
    carrier_policy: str | Missing = UNKNOWN  # any_lender, direct_lenders_only

    # the person
    recipient: str | Missing = UNKNOWN  # E.164 or email address
    line_type: str | Missing = UNKNOWN  # mobile, landline, voip, unknown
    places: tuple[Place, ...] | Missing = UNKNOWN
    property_state: str | None | Missing = UNKNOWN
    consents: tuple[Consent, ...] | Missing = UNKNOWN
    invited_at: datetime | None | Missing = UNKNOWN  # asked us to contact them
    inbound_at: datetime | None | Missing = UNKNOWN  # their last message to us
    inbound_meaning: str | Missing = UNKNOWN  # of it, as compliance.optout reads it
    requested_at: datetime | None | Missing = UNKNOWN  # recorded request for this time
    credit_stop: str | Missing = (
        ""  # how their file stands, where that ends marketing; "": it does not
    )
    revocations: tuple[Revocation, ...] | Missing = UNKNOWN
    restarts: tuple[Restart, ...] | Missing = UNKNOWN
    is_held: bool | Missing = UNKNOWN  # an unread ambiguous answer
    is_wrong_person: bool | Missing = UNKNOWN
    contacts: tuple[PriorContact, ...] | Missing = UNKNOWN
    inquired_at: datetime | None | Missing = UNKNOWN  # latest inquiry to us
    last_confirmed_on: date | None | Missing = UNKNOWN  # they answered on this number
    number_check: NumberCheck | None | Missing = UNKNOWN
    provenance: Provenance | Missing = UNKNOWN

    # lists and declarations
    registry_date: date | None | Missing = UNKNOWN  # None: no national registry loaded
    is_on_registry: bool | Missing = UNKNOWN
    state_lists: tuple[StateList, ...] | Missing = UNKNOWN
    relationships: tuple[Relationship, ...] | Missing = UNKNOWN
    internal_dnc_on: date | None | Missing = UNKNOWN
    emergencies: tuple[Emergency, ...] | Missing = UNKNOWN
    emergencies_read_at: datetime | None | Missing = UNKNOWN

    # email
    postal_address: str | None | Missing = UNKNOWN
    has_one_click: bool | Missing = UNKNOWN
    is_authenticated: bool | Missing = UNKNOWN  # SPF, DKIM and DMARC aligned
    has_prior_thread: bool | Missing = UNKNOWN
    unsubscribe_days: int | Missing = UNKNOWN  # the link works that long
    unsubscribe_needs: str | None | Missing = UNKNOWN  # login, fee, more than an address
    spam_percent: float | None | Missing = UNKNOWN  # None: too few to measure
