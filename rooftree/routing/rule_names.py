"""Loads the names shown for the ids in rules."""

from rooftree.leads.models import Source
from rooftree.org.models import Branch, Company, LoanOfficer, User
from rooftree.routing.rule_sentences import RuleNames


def load_rule_names() -> RuleNames:
    """Load the current names of sources, branches, officers and staff."""
    company = Company.objects.select_related("alarm_user").first()
    officers = LoanOfficer.objects.values_list("pk", "user__name")
    return RuleNames(
        sources=dict(Source.objects.values_list("slug", "name")),
        branches={str(pk): name for pk, name in Branch.objects.values_list("pk", "name")},
        officers={str(pk): name for pk, name in officers},
        users={str(pk): name for pk, name in User.objects.values_list("pk", "name")},
        alarm=company.alarm_user.name if company and company.alarm_user else "every administrator",
    )
