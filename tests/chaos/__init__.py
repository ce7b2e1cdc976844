"""Chaos tests: kill parts of a real installation under load, wait for rest, check for losses.

`make chaos` runs them; `docs/how-to/prove-it-survives.md` explains them and their output.
"""
