"""The closed vocabularies of the canonical lead. Other values never reach a lead."""

from enum import StrEnum


class Source(StrEnum):
    ZILLOW = "zillow"
    LENDINGTREE = "lendingtree"
    BANKRATE = "bankrate"
    FREERATEUPDATE = "freerateupdate"
    LEADPOINT = "leadpoint"
    META_LEAD_ADS = "meta_lead_ads"
    GOOGLE_LEAD_FORM = "google_lead_form"
    TIKTOK_LEAD_GEN = "tiktok_lead_gen"
    LINKEDIN_LEAD_SYNC = "linkedin_lead_sync"
    LEADCONDUIT = "leadconduit"
    AGGREGATOR_POST = "aggregator_post"
    PING_POST = "ping_post"
    WEBSITE_FORM = "website_form"
    REFERRAL_PARTNER = "referral_partner"
    PHONE_TWILIO = "phone_twilio"
    PHONE_CALLRAIL = "phone_callrail"
    CHAT_INTERCOM = "chat_intercom"
    CHAT_DRIFT = "chat_drift"
    CHAT_GENERIC = "chat_generic"
    EMAIL_TEXT = "email_text"
    EMAIL_ADF = "email_adf"
    MISMO_ILAD = "mismo_ilad"
    GENERIC = "generic"
    CSV_IMPORT = "csv_import"
    CRM_SALESFORCE = "crm_salesforce"
    CRM_HUBSPOT = "crm_hubspot"
    CRM_ZOHO = "crm_zoho"
    CRM_PIPEDRIVE = "crm_pipedrive"
    CRM_MONDAY = "crm_monday"


class Channel(StrEnum):
    MARKETPLACE = "marketplace"
    AGGREGATOR = "aggregator"
    PAID_SEARCH = "paid_search"
    PAID_SOCIAL = "paid_social"
    WEBSITE = "website"
    REFERRAL = "referral"
    PHONE = "phone"
    CHAT = "chat"
    EMAIL = "email"
    IMPORT = "import"


class Precision(StrEnum):
    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"


class CostBasis(StrEnum):
    PER_LEAD = "per_lead"
    MATCH_FEE = "match_fee"
    BID = "bid"
    CLICK = "click"
    NONE = "none"


class Suffix(StrEnum):
    JR = "JR"
    SR = "SR"
    II = "II"
    III = "III"
    IV = "IV"
    V = "V"


class PhoneType(StrEnum):
    MOBILE = "mobile"
    HOME = "home"
    WORK = "work"
    UNKNOWN = "unknown"


class ContactMethod(StrEnum):
    PHONE = "phone"
    TEXT = "text"
    EMAIL = "email"
    ANY = "any"


class ContactTime(StrEnum):
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    ANYTIME = "anytime"


class PropertyType(StrEnum):
    SINGLE_FAMILY = "single_family"
    TOWNHOUSE = "townhouse"
    CONDO = "condo"
    CONDO_LOW_RISE = "condo_low_rise"
    CONDO_HIGH_RISE = "condo_high_rise"
    COOP = "coop"
    MULTI_2_4 = "multi_2_4"
    MULTI_5_PLUS = "multi_5_plus"
    MANUFACTURED = "manufactured"
    MODULAR = "modular"
    LAND = "land"
    OTHER = "other"


class PropertyUse(StrEnum):
    PRIMARY = "primary"
    SECOND_HOME = "second_home"
    INVESTMENT = "investment"


class Purpose(StrEnum):
    PURCHASE = "purchase"
    REFINANCE = "refinance"
    REFINANCE_RATE_TERM = "refinance_rate_term"
    REFINANCE_CASH_OUT = "refinance_cash_out"
    HOME_EQUITY_LOAN = "home_equity_loan"
    HELOC = "heloc"
    HOME_EQUITY = "home_equity"
    CONSTRUCTION = "construction"
    RENOVATION = "renovation"
    REVERSE = "reverse"
    OTHER = "other"


class LoanType(StrEnum):
    CONVENTIONAL = "conventional"
    FHA = "fha"
    VA = "va"
    USDA = "usda"
    JUMBO = "jumbo"
    NON_QM = "non_qm"
    OTHER = "other"


class Amortization(StrEnum):
    FIXED = "fixed"
    ARM = "arm"
    INTEREST_ONLY = "interest_only"
    OTHER = "other"


class LtvSource(StrEnum):
    VENDOR = "vendor"
    DERIVED = "derived"


class CreditBand(StrEnum):
    EXCELLENT = "excellent"
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"
    NO_HISTORY = "no_history"


class CreditBasis(StrEnum):
    SELF_REPORTED = "self_reported"
    SCORE_RANGE = "score_range"
    VENDOR_ASSIGNED = "vendor_assigned"


class IncomeBand(StrEnum):
    UNDER_50K = "under_50k"
    FROM_50K_TO_75K = "50k_75k"
    FROM_75K_TO_100K = "75k_100k"
    FROM_100K_TO_150K = "100k_150k"
    FROM_150K_TO_200K = "150k_200k"
    FROM_200K = "200k_plus"


class Employment(StrEnum):
    EMPLOYED = "employed"
    SELF_EMPLOYED = "self_employed"
    RETIRED = "retired"
    MILITARY = "military"
    STUDENT = "student"
    UNEMPLOYED = "unemployed"
    OTHER = "other"


class MilitaryStatus(StrEnum):
    REGULAR_MILITARY = "regular_military"
    RESERVES = "reserves"
    NATIONAL_GUARD = "national_guard"
    SPOUSE = "spouse"
    UNSPECIFIED = "unspecified"


class Timeline(StrEnum):
    ASAP = "asap"
    WITHIN_30_DAYS = "0_30_days"
    WITHIN_60_DAYS = "31_60_days"
    WITHIN_90_DAYS = "61_90_days"
    WITHIN_6_MONTHS = "3_6_months"
    WITHIN_12_MONTHS = "6_12_months"
    LATER = "12_plus_months"
    NO_TIMEFRAME = "no_timeframe"


class PartnerType(StrEnum):
    REAL_ESTATE_AGENT = "real_estate_agent"
    BUILDER = "builder"
    CPA = "cpa"
    FINANCIAL_PLANNER = "financial_planner"
    ATTORNEY = "attorney"
    PAST_CLIENT = "past_client"
    EMPLOYER = "employer"
    OTHER = "other"


class InteractionKind(StrEnum):
    CALL = "call"
    CHAT = "chat"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Speaker(StrEnum):
    CONSUMER = "consumer"
    AGENT = "agent"
    BOT = "bot"
    SYSTEM = "system"


class ConsentStatus(StrEnum):
    GRANTED = "granted"
    DENIED = "denied"
    NOT_PROVIDED = "not_provided"


class ConsentChannel(StrEnum):
    CALL = "call"
    AUTODIAL_CALL = "autodial_call"
    PRERECORDED = "prerecorded"
    TEXT = "text"
    EMAIL = "email"


class ConsentMethod(StrEnum):
    CHECKBOX = "checkbox"
    BUTTON = "button"
    VERBAL = "verbal"
    WRITTEN = "written"
    PLATFORM_FORM = "platform_form"
    INBOUND_CONTACT = "inbound_contact"


class Evidence(StrEnum):
    FULL = "full"  # wording, timestamp, and an address, certificate or token
    PARTIAL = "partial"
    NONE = "none"


class Device(StrEnum):
    MOBILE = "mobile"
    DESKTOP = "desktop"
    TABLET = "tablet"
