"""Chaos: a real installation is struck under load, comes to rest, and must have lost nothing.

`make chaos` runs it; `docs/how-to/prove-it-survives.md` says what it does and how to read it.
"""
