"""Attacks on a running product: each was possible once, and each must fail from now on."""
