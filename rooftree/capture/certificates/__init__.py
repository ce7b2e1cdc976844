"""Consent certificates of independent witnesses: claimed, checked and stored."""
