"""CRMs that Rooftree can read over their API; each vendor is one file here and one line below."""

from rooftree.capture.crms import hubspot, monday, pipedrive, salesforce, zoho
from rooftree.capture.crms.crm_client import CrmSystem

SYSTEMS: dict[str, CrmSystem] = {  # by the adapter that reads its records
    "crm_salesforce": salesforce,
    "crm_hubspot": hubspot,
    "crm_zoho": zoho,
    "crm_pipedrive": pipedrive,
    "crm_monday": monday,
}
