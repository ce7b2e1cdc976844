"""Every lead source. To add one: write its file, then add its line here.

A source is a module with `LABEL`, `PATHS` (below /in/), `CHANNEL` and
`read(incoming) -> Envelope`, which never raises. Put real deliveries in
tests/capture/deliveries/<key>/ and the contract test runs them; facts and doubts
go to docs/sources/<key>.md.
"""

from rooftree.capture.envelope import Adapter
from rooftree.capture.sources import (
    csv_import,
    generic,
    google_lead_form,
    lendingtree,
    linkedin_lead_sync,
    meta_lead_ads,
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
    "generic": generic,
    "csv_import": csv_import,
}
