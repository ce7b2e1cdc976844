"""All facts the gate can use. A fact that nobody supplied is UNKNOWN and stops the send.

Field names are stored as JSON keys under a hash and can't change.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import Final, Literal


class Unknown(Enum):
    """The type of UNKNOWN, the value of a fact that nobody supplied."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
type Missing = Literal[Unknown.UNKNOWN]


class MissingFact(Exception):
    """A rule needs a fact that nobody supplied; the gate that needs it fails closed."""


def get_fact[T](value: T | Missing, name: str) -> T:
    """Return the fact. Raises `MissingFact` when it is UNKNOWN."""
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
    """The kind of voice on a call; a text or an email has none."""

    NONE = "none"
    HUMAN = "human"
    AI = "ai"
    PRERECORDED = "prerecorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place where the person might be right now."""

    kind: str  # area_code, residence, property, stated; ip_geo is ignored
    state: str  # USPS code
    zone: str  # IANA name
    county: str | None = None
    is_home: bool | None = None  # False: the person doesn't live at the property


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The proven parts of one consent; None or an absent item is not proven."""

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
    """One opt-out."""

    at: datetime
    media: tuple[Medium, ...]  # the media it ends
    about: Purpose | None  # purpose of the message it replied to; None: no message
    by_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """One START reply."""

    at: datetime
    has_prior_written_consent: bool  # for the same seller


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorContact:
    """One earlier contact or attempt by anyone at the company."""

    at: datetime
    medium: Medium | None  # None: a contact of unknown medium
    is_automated: bool | None = None  # None: not on file; it counts as both


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """An inquiry or transaction, for the do-not-call exemption."""

    kind: str  # inquiry, application, transaction
    on: date
    with_us: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StateList:
    """The number's status on one state's own do-not-call list."""

    state: str
    version_date: date | None  # None: not loaded
    is_listed: bool
    listed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """One state license of a loan officer."""

    state: str
    status: str  # the NMLS status, such as Approved
    expires_on: date | None  # the last valid day; None: no end on file


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """The loan officer in whose name the message is sent."""

    nmls_id: str
    is_sponsored: bool  # by this company, today
    is_registered: bool  # federal registration, for officers of a depository
    licenses: tuple[License, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLicense:
    """The company's license in a state, as the state's required wording names it."""

    number: str
    license: str  # key of one of the state's licenses in license_wording.yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The company, as NMLS lists it."""

    nmls_id: str
    is_depository: bool
    licensed_states: tuple[str, ...]
    license_there: StateLicense | None = None  # in the property's state; None: not on file
    website: str = ""
    phone: str = ""  # E.164


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The lead's origin and legal basis, for trigger-lead law."""

    source_class: str  # consumer, aggregator, cra_trigger, web_intent_vendor, unknown
    acquired_on: date
    is_firm_offer: bool | None
    is_authorized_to_cra: bool | None
    relationship: str | None
    entity: str | None
    has_opted_out_of_prescreen: bool | None
    says_not_affiliated: bool | None
    cra_provenance: str | None
    keeps_criteria: bool | None = None  # firm-offer criteria, set before the offer, are on file
    has_prescreen_notices: bool | None = None  # this message has the short and the long notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """A declared state of emergency."""

    state: str
    county: str  # "*": the whole state
    from_date: date
    until_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberCheck:
    """An answer from the Reassigned Numbers Database."""

    response: str  # yes, no, no_data
    checked_on: date
    since: date | None = None  # the day in the query


@dataclass(frozen=True, slots=True, kw_only=True)
class StopConfirmation:
    """Facts about the one text that confirms an opt-out."""

    stop_at: datetime
    earlier: int  # confirmations already sent


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanDecision:
    """A named person's decision on one rule, for this message only."""

    rule: str
    reason: str
    by: str  # user:<id>
    at: datetime
    words: str = ""  # why, as typed by that person


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """One rule value that this company changed, from a local date on."""

    number: int  # the change's number on its page
    place: str  # USPS code, or `US` for everywhere
    item: str  # key of a `rule_items.RuleItem`
    value: str  # JSON in the same shape as in rules.yaml
    from_date: date
    until_date: date | None  # the first day without it; None: no end
    cite: str

    def is_in_force(self, day: date) -> bool:
        """Return whether the change is in force on a local date."""
        return self.from_date <= day and (self.until_date is None or day < self.until_date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One message, one recipient, one moment, and all the facts about them.

    Production leaves `asks` at None, and every enforced gate runs. Only the translator of
    rulebook cases names a few gates.
    """

    at: datetime | Missing = UNKNOWN
    asks: tuple[str, ...] | None = None
    rules_version: str | Missing = UNKNOWN  # the version the caller sends under
    amendments: tuple[Amendment, ...] = ()  # relevant ones; empty: the rules as shipped
    has_audit_row: bool | Missing = UNKNOWN

    # the message
    medium: Medium | Missing = UNKNOWN
    purpose: Purpose | Missing = UNKNOWN
    is_automated: bool | Missing = UNKNOWN
    voice: Voice | Missing = UNKNOWN
    has_promo: bool | Missing = UNKNOWN  # the wording check found promotion
    is_first_message: bool | Missing = UNKNOWN  # first text of the thread
    subject: str | Missing = UNKNOWN
    text: str | Missing = UNKNOWN  # as rendered
    activity: str | Missing = UNKNOWN  # general, quote_rate, schedule_callback...
    answers: tuple[HumanDecision, ...] = ()  # empty: no decision, the rules apply
    content_facts: tuple[str, ...] = ()  # proven, names from `wording_check.UNLESS_FACTS`
    wording_until: datetime | None = None  # its approval ends; None: not from a template
    confirmation: StopConfirmation | None | Missing = UNKNOWN

    # the sender
    actor: str | Missing = UNKNOWN  # officer, staff, bot
    officer: Officer | None | Missing = UNKNOWN  # None: the company itself
    is_owners: bool | Missing = UNKNOWN  # sent in the name of the lead's own officer, or of none
    company: Company | Missing = UNKNOWN
    seller_names: tuple[str, ...] | Missing = UNKNOWN  # legal names and registered DBAs
    guard_minutes: int | Missing = UNKNOWN  # closes calling hours that much earlier
    registered_states: tuple[str, ...] | Missing = UNKNOWN  # as a telemarketer, or exempt
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
    invited_at: datetime | None | Missing = UNKNOWN  # the person asked to be contacted
    inbound_at: datetime | None | Missing = UNKNOWN  # the person's last message
    inbound_meaning: str | Missing = UNKNOWN  # its meaning by `reply_classifier`
    requested_at: datetime | None | Missing = UNKNOWN  # recorded request for this time
    awaited_contact: str = ""  # reply, callback: the person waits for it; "": they don't
    credit_stop: str | Missing = ""  # status of a stopped file, "unmapped", or both; "": none
    revocations: tuple[Revocation, ...] | Missing = UNKNOWN
    restarts: tuple[Restart, ...] | Missing = UNKNOWN
    is_held: bool | Missing = UNKNOWN  # an ambiguous reply nobody has read
    is_wrong_person: bool | Missing = UNKNOWN
    contacts: tuple[PriorContact, ...] | Missing = UNKNOWN
    inquired_at: datetime | None | Missing = UNKNOWN  # latest inquiry with the company
    last_confirmed_on: date | None | Missing = UNKNOWN  # latest proof the number is theirs
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
    unsubscribe_days: int | Missing = UNKNOWN  # how long the link works
    unsubscribe_needs: str | None | Missing = UNKNOWN  # login, fee...; None: only an address
    spam_percent: float | None | Missing = UNKNOWN  # None: too few emails to measure
