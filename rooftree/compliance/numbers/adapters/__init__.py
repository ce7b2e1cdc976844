"""Vendors that answer questions about numbers, by their key."""

ADAPTERS = {"dncscrub": "rooftree.compliance.numbers.adapters.dncscrub"}
