"""The shared nouns: who asked, for what loan, through whom, and what became of it."""

from rooftree.leads.models.lead import LEAD_STATES, Lead, Touch
from rooftree.leads.models.loans import Loan, Milestone
from rooftree.leads.models.partners import (
    Agreement,
    Introduction,
    Partner,
    Permission,
    ThingOfValue,
)
from rooftree.leads.models.people import Email, Likeness, Person, PersonMerge, Phone
from rooftree.leads.models.sources import (
    Campaign,
    Delivery,
    DeliveryKey,
    Flood,
    Rejection,
    Source,
)
from rooftree.leads.models.work import ContactAttempt, Remark, Signal, Task

__all__ = [
    "Agreement",
    "LEAD_STATES",
    "Campaign",
    "ContactAttempt",
    "Delivery",
    "DeliveryKey",
    "Email",
    "Flood",
    "Introduction",
    "Lead",
    "Likeness",
    "Loan",
    "Milestone",
    "Partner",
    "Permission",
    "Person",
    "PersonMerge",
    "Phone",
    "Rejection",
    "Remark",
    "Signal",
    "Source",
    "Task",
    "ThingOfValue",
    "Touch",
]
