"""The one sequence a new company starts with: a few tries at a borrower nobody has reached."""

NOT_REACHED = "not_reached"
NAME = "Not reached yet"
# Minutes after the step before; both media where allowed. Fits inside the house caps
# for a new inquiry (rules.yaml, house_caps.new_inquiry_*).
STEPS = [
    {"after_minutes": 30, "template": "not_reached_1", "media": ["text", "email"]},
    {"after_minutes": 3 * 24 * 60, "template": "not_reached_2", "media": ["email"]},
]
