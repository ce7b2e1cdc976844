"""Senders of leads in each vendor's own wire format, with optional faults."""
