"""The questions that our own form can ask, by the names under which a delivery carries answers.

The form asks for three of the six items that make an application under 12 CFR 1026.2(a)(3)(ii):
name, value and amount. It must never ask for all six: no question here is about income, the
Social Security number or the street of the home.
"""

MAX_STEPS = 4
DEFAULT_STEPS = (
    ("loan_purpose", "property_state", "property_zip"),
    ("first_name", "last_name", "email", "phone", "language"),
    ("property_value", "down_payment", "loan_amount", "credit", "timeline", "message"),
)
# Without these an inquiry cannot be answered, assigned or consented to.
ALWAYS_ASKED = frozenset(
    {"loan_purpose", "property_state", "first_name", "last_name", "email", "phone"}
)
REQUIRED = frozenset({"loan_purpose", "property_state", "first_name", "last_name"})
# Questions that the default form leaves out, each with its step if it is asked.
EXTRA_QUESTIONS = {
    "property_type": 3,
    "property_use": 3,
    "current_balance": 3,
    "first_time_buyer": 3,
    "found_home": 3,
    "working_with_agent": 3,
    "military": 3,
    "contact_time": 2,
}
QUESTION_NAMES = (*(name for step in DEFAULT_STEPS for name in step), *EXTRA_QUESTIONS)
