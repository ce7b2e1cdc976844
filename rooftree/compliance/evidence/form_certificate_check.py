"""Digests of the company's own form certificates, and a check against the sealed digests.

Plain Python: an evidence file is checked with nothing but the file.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

CERTIFIED_EVENT = "capture.form.certified"  # its ledger entry has the certificate's hash
CERTIFICATE_FORMAT = "rooftree-form-1"
SELLER_FIELD = "{legal_name}"  # in the text of a form's version


def certificate_digest(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a certificate's facts, independent of key order."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def wording_digest(text: str) -> str:
    """Return the SHA-256 (hex) of a wording with each run of white space as one space."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


def find_problems(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Yield each difference between the form certificates of a file and what was sealed."""
    pages = {page["sha256"]: page["html"] for page in evidence["form_pages"]}
    sealed = {
        event["data"]["certificate"]: event["data"]["sha256"]
        for event in evidence["events"]
        if event["kind"] == CERTIFIED_EVENT
    }
    certificates = {row["id"]: row["facts"] for row in evidence["form_certificates"]}
    for key in sorted(sealed.keys() - certificates.keys()):
        yield f"form certificate {key} is missing"
    for key, facts in sorted(certificates.items()):
        if sealed.get(key) is None:
            yield f"form certificate {key} is not in the ledger"
        elif certificate_digest(facts) != sealed[key]:
            yield f"form certificate {key} is not what was sealed"
        if facts["shown"]["page_sha256"] not in pages:
            yield f"form certificate {key}: the page the borrower saw is missing"
        yield from _certificate_problems(key, facts, evidence)
    for sha256, html in sorted(pages.items()):
        if hashlib.sha256(html.encode()).hexdigest() != sha256:
            yield f"form page {sha256} was changed"


def _certificate_problems(
    key: str, facts: Mapping[str, Any], evidence: Mapping[str, Any]
) -> Iterator[str]:
    """Check that the wording, the consents and the delivery match the certificate."""
    if wording_digest(facts["shown"]["wording"]) != facts["shown"]["text_sha256"]:
        yield f"form certificate {key}: the wording is not what the borrower saw"
    for form in evidence.get("form_versions", ()):  # files made before the versions have none
        shown = (facts["source"], facts["shown"]["version"])
        if (form["source"], form["version"]) == shown and not shows_wording(form, facts):
            yield f"form certificate {key}: version {form['version']} has a different wording"
    delivery_id = facts["sent"]["delivery"]
    for consent in evidence["consents"]:
        is_same = consent["wording"] in ("", facts["shown"]["wording"])
        if consent["delivery_id"] == delivery_id and not is_same:
            yield f"form certificate {key}: consent {consent['id']} has a different wording"
    for delivery in evidence["deliveries"]:
        is_same = delivery["body_sha256"] == facts["sent"]["body_sha256"]
        if delivery["id"] == delivery_id and not is_same:
            yield f"form certificate {key}: the delivery doesn't match"


def shows_wording(form: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Return True if a form's consent text, with any seller's name in it, is what was certified."""
    text = " ".join(form["content"]["texts"][facts["shown"]["language"]]["consent"].split())
    pattern = ".+".join(re.escape(part) for part in text.split(SELLER_FIELD))
    return re.fullmatch(pattern, " ".join(facts["shown"]["wording"].split())) is not None
