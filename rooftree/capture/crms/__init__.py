"""Other systems we can ask for what they hold: a vendor is one file here and one line below."""

from rooftree.capture.crm_talk import System
from rooftree.capture.crms import hubspot, monday, pipedrive, salesforce, zoho

SYSTEMS: dict[str, System] = {  # by the adapter that reads their records
    "crm_salesforce": salesforce,
    "crm_hubspot": hubspot,
    "crm_zoho": zoho,
    "crm_pipedrive": pipedrive,
    "crm_monday": monday,
}
