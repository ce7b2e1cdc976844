"""Simulated vendors that know which lists a number is on. None shares code with who asks."""
