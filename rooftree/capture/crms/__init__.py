"""Other systems we can ask for what they hold: a vendor is one file here and one line below."""

from rooftree.capture.crms import hubspot
from rooftree.capture.crms.talk import System

SYSTEMS: dict[str, System] = {  # by the adapter that reads their records
    "crm_hubspot": hubspot,
}
