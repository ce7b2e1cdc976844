"""Adapters of the number check vendors, by key."""

ADAPTERS = {"dncscrub": "rooftree.compliance.numbers.adapters.dncscrub"}
