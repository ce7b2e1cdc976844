"""Senders of leads in each vendor's own wire format, good days and bad."""
