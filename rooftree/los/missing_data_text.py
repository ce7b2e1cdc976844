"""Sentences that tell the loan officer which facts an LOS still needs."""

SENTENCES = {  # by path in the hand-off object, or by the name `handoff_outbox` gives
    "loan officer": "Assign the lead to a loan officer.",
    "officer.los_user": "Add the loan officer\u2019s LOS user name in Setup.",
    "connection.folder": "Add the LOS folder for new loans in Setup.",
    "connection.instance": "Add the name of the LOS instance in Setup.",
    "connection.template": "Add the LOS loan template in Setup.",
}
FIELD_LABELS = {
    "zip": "ZIP code",
    "purpose": "loan purpose",
    "amount_cents": "loan amount",
    "value_cents": "property value",
    "dob": "date of birth",
}


def describe_missing(missing: str) -> str:
    """Describe one missing fact, given as a `MissingFact` text or a key of `SENTENCES`."""
    path = missing.rpartition(" needs ")[2]
    if path in SENTENCES:
        return SENTENCES[path]
    parent, _, field = path.rpartition(".")
    label = FIELD_LABELS.get(field) or field.removesuffix("_cents").replace("_", " ")
    part = parent.rpartition(".")[2].partition("[")[0].removesuffix("s").replace("_", " ")
    prefix = f"{part} " if part and part not in ("canonical", "loan", "answer") else ""
    return f"Ask for the {prefix}{label}."
