"""Consent certificates: what independent witnesses of a session say, claimed and kept by us."""
