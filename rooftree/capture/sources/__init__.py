"""Registry of lead sources. To add one: write its file, then add its line here.

A source is a module with `LABEL`, `PATHS` (below /in/), `CHANNEL` and
`read(incoming) -> Envelope`, which never raises. Where staff can choose how a post is
proven, `PROOF` is the default, and a map they publish replaces the module's own `LINES`.
Put real deliveries in tests/capture/deliveries/<key>/ for the contract test; put facts and
open questions in docs/sources/<key>.md.
"""

from rooftree.capture.parsing.envelope import Adapter
from rooftree.capture.sources import (
    aggregator_post,
    bankrate,
    chat_drift,
    chat_generic,
    chat_intercom,
    crm_hubspot,
    crm_monday,
    crm_pipedrive,
    crm_salesforce,
    crm_zoho,
    csv_import,
    email_adf,
    email_text,
    freerateupdate,
    generic,
    google_lead_form,
    leadconduit,
    leadpoint,
    lendingtree,
    linkedin_lead_sync,
    meta_lead_ads,
    mismo_ilad,
    phone_callrail,
    phone_twilio,
    ping_post,
    referral_partner,
    staff_entry,
    tiktok_lead_gen,
    website_form,
    zillow,
)

SOURCES: dict[str, Adapter] = {
    "website_form": website_form,
    "zillow": zillow,
    "lendingtree": lendingtree,
    "meta_lead_ads": meta_lead_ads,
    "google_lead_form": google_lead_form,
    "tiktok_lead_gen": tiktok_lead_gen,
    "linkedin_lead_sync": linkedin_lead_sync,
    "bankrate": bankrate,
    "freerateupdate": freerateupdate,
    "leadpoint": leadpoint,
    "aggregator_post": aggregator_post,
    "leadconduit": leadconduit,
    "ping_post": ping_post,
    "generic": generic,
    "csv_import": csv_import,
    "phone_twilio": phone_twilio,
    "phone_callrail": phone_callrail,
    "chat_generic": chat_generic,
    "chat_intercom": chat_intercom,
    "chat_drift": chat_drift,
    "referral_partner": referral_partner,
    "mismo_ilad": mismo_ilad,
    "crm_salesforce": crm_salesforce,
    "crm_hubspot": crm_hubspot,
    "crm_zoho": crm_zoho,
    "crm_pipedrive": crm_pipedrive,
    "crm_monday": crm_monday,
    "email_text": email_text,
    "email_adf": email_adf,
    "staff_entry": staff_entry,
}
