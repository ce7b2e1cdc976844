"""The tables of the company, its staff, and their access."""

from rooftree.org.models.access import AccessEntry, ApiKey, StaffSession, Throttle
from rooftree.org.models.carrier import CarrierAccount
from rooftree.org.models.company import (
    Branch,
    Company,
    CompanyLicense,
    SendingPause,
    office_hours,
)
from rooftree.org.models.mail import MailSetup
from rooftree.org.models.setup import SetupStep, ShadowPeriod
from rooftree.org.models.staff import (
    AUTHORIZING_STATUSES,
    DESK_ROLES,
    MONITORED_ROLES,
    PARTNER,
    ROLES,
    TEMPORARY_AUTHORITY,
    TEMPORARY_AUTHORITY_LIMIT,
    Assistance,
    License,
    LoanOfficer,
    StaffNotice,
    User,
    UserManager,
)

__all__ = [
    "AUTHORIZING_STATUSES",
    "DESK_ROLES",
    "MONITORED_ROLES",
    "PARTNER",
    "ROLES",
    "TEMPORARY_AUTHORITY",
    "TEMPORARY_AUTHORITY_LIMIT",
    "AccessEntry",
    "ApiKey",
    "Assistance",
    "Branch",
    "CarrierAccount",
    "Company",
    "CompanyLicense",
    "License",
    "LoanOfficer",
    "MailSetup",
    "SendingPause",
    "SetupStep",
    "ShadowPeriod",
    "StaffNotice",
    "StaffSession",
    "Throttle",
    "User",
    "UserManager",
    "office_hours",
]
