"""What a certificate of our own form is, and whether one still is what was sealed.

Plain Python: an evidence file is checked by it with nothing but the file.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

CERTIFIED_EVENT = (
    "capture.form.certified"  # the ledger's entry, which holds the hash of the certificate
)
CERTIFICATE_FORMAT = "rooftree-form-1"


def certificate_digest(facts: Mapping[str, Any]) -> str:
    """The SHA-256 (hex) of a certificate's facts, however their keys are ordered."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def wording_digest(text: str) -> str:
    """The SHA-256 (hex) of a wording with every run of white space as one space."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


def find_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    """They are all the ways in which the form certificates of a file are not what was sealed."""
    pages = {one["sha256"]: one["html"] for one in evidence["form_pages"]}
    sealed = {
        one["data"]["certificate"]: one["data"]["sha256"]
        for one in evidence["events"]
        if one["kind"] == CERTIFIED_EVENT
    }
    certificates = {one["id"]: one["facts"] for one in evidence["form_certificates"]}
    for key in sorted(sealed.keys() - certificates.keys()):
        yield f"form certificate {key} is missing"
    for key, facts in sorted(certificates.items()):
        if sealed.get(key) is None:
            yield f"form certificate {key} is not in the ledger"
        elif certificate_digest(facts) != sealed[key]:
            yield f"form certificate {key} is not what was sealed"
        yield from _page_problems(key, facts, pages)
        yield from _row_problems(key, facts, evidence)
    for sha256, html in sorted(pages.items()):
        if hashlib.sha256(html.encode()).hexdigest() != sha256:
            yield f"form page {sha256} was changed"


def _page_problems(key: str, facts: Mapping[str, Any], pages: Mapping[str, str]) -> Iterator[str]:
    if facts["shown"]["page_sha256"] not in pages:
        yield f"form certificate {key}: the page that was shown is missing"
    if wording_digest(facts["shown"]["wording"]) != facts["shown"]["text_sha256"]:
        yield f"form certificate {key}: the wording is not what was shown"


def _row_problems(key: str, facts: Mapping[str, Any], evidence: Mapping[str, Any]) -> Iterator[str]:
    """The consents and the delivery beside it say what it says."""
    of_delivery = facts["sent"]["delivery"]
    for one in evidence["consents"]:
        is_same = one["wording"] in ("", facts["shown"]["wording"])
        if one["delivery_id"] == of_delivery and not is_same:
            yield f"form certificate {key}: consent {one['id']} has another wording"
    for one in evidence["deliveries"]:
        if one["id"] == of_delivery and one["body_sha256"] != facts["sent"]["body_sha256"]:
            yield f"form certificate {key}: the delivery is another one"
