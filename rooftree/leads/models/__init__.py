"""The shared tables: people, leads, sources, partners, loans and staff work."""

from rooftree.leads.models.lead import LEAD_STATES, Lead, LeadEdit, ShadowLead, Touch
from rooftree.leads.models.loans import BY_HAND, Loan, Milestone
from rooftree.leads.models.partners import (
    Agreement,
    Introduction,
    Partner,
    PartnerPermission,
    ThingOfValue,
)
from rooftree.leads.models.people import Email, Person, PersonMerge, Phone, PossibleDuplicate
from rooftree.leads.models.sources import (
    SOURCE_SECRETS,
    Campaign,
    Delivery,
    DeliveryKey,
    RateLimitCount,
    RejectionCount,
    Source,
)
from rooftree.leads.models.work import (
    MEETINGS,
    CalendarFeed,
    ContactAttempt,
    LeadTag,
    Remark,
    Signal,
    Task,
    UndoableAct,
)

__all__ = [
    "BY_HAND",
    "Agreement",
    "LEAD_STATES",
    "MEETINGS",
    "CalendarFeed",
    "Campaign",
    "ContactAttempt",
    "Delivery",
    "DeliveryKey",
    "Email",
    "RateLimitCount",
    "Introduction",
    "Lead",
    "LeadTag",
    "LeadEdit",
    "PossibleDuplicate",
    "Loan",
    "Milestone",
    "Partner",
    "PartnerPermission",
    "Person",
    "PersonMerge",
    "Phone",
    "RejectionCount",
    "Remark",
    "ShadowLead",
    "Signal",
    "SOURCE_SECRETS",
    "Source",
    "Task",
    "UndoableAct",
    "ThingOfValue",
    "Touch",
]
