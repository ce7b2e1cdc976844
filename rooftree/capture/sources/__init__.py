"""Every lead source. To add one: write its file, then add its line here.

A source is a module with `LABEL`, `PATHS` (below /in/), `CHANNEL` and
`read(incoming) -> Envelope`, which never raises. Put real deliveries in
tests/capture/deliveries/<key>/ and the contract test runs them; facts and doubts
go to docs/sources/<key>.md.
"""

from rooftree.capture.envelope import Adapter
from rooftree.capture.sources import csv_import, generic, lendingtree, website_form, zillow

SOURCES: dict[str, Adapter] = {
    "website_form": website_form,
    "zillow": zillow,
    "lendingtree": lendingtree,
    "generic": generic,
    "csv_import": csv_import,
}
