"""Simulated ad vendors, and TrustedForm's consent certificates."""
