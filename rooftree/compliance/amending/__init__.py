"""Changing a value of the rule data: by date, by two people, and never edited."""
