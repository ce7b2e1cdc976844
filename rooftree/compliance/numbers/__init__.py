"""Questions about numbers that a vendor answers: which lists one is on, and if it changed hands."""
