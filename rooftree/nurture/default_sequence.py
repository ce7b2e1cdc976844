"""The default sequence of a new company: a few tries to reach a borrower."""

NOT_REACHED = "not_reached"
NAME = "Not reached yet"
# Minutes after the previous step; both media where allowed. Stays within the house caps for a
# new inquiry (rules.yaml, house_caps.new_inquiry_*).
STEPS = [
    {"after_minutes": 30, "template": "not_reached_1", "media": ["text", "email"]},
    {"after_minutes": 3 * 24 * 60, "template": "not_reached_2", "media": ["email"]},
]
