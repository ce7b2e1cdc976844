"""What an LOS still wants, as a sentence for the officer."""

SENTENCES = {  # by its place in the hand-off object, or what `outbox.ask` found missing itself
    "loan officer": "A loan officer must own the lead.",
    "officer.los_user": "The loan officer\u2019s user name in the LOS is not in Set-up yet.",
    "connection.folder": "The LOS folder for new loans is not in Set-up yet.",
    "connection.instance": "The name of the LOS instance is not in Set-up yet.",
    "connection.template": "The loan template of the LOS is not in Set-up yet.",
}
FIELD_LABELS = {
    "zip": "ZIP code",
    "purpose": "loan purpose",
    "amount_cents": "loan amount",
    "value_cents": "property value",
    "dob": "date of birth",
}


def describe_missing(missing: str) -> str:
    """One thing that is missing, as `values.Need` writes it or in the words of `KNOWN`."""
    path = missing.rpartition(" needs ")[2]
    if path in SENTENCES:
        return SENTENCES[path]
    whose, _, last = path.rpartition(".")
    words = FIELD_LABELS.get(last) or last.removesuffix("_cents").replace("_", " ")
    part = whose.rpartition(".")[2].partition("[")[0].removesuffix("s").replace("_", " ")
    prefix = f"{part} " if part and part not in ("canonical", "loan", "answer") else ""
    return f"Ask for the {prefix}{words}."
