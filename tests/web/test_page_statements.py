"""The budget of database statements of the pages that staff open most: counted, never timed.

A budget is the number reached today; docs/performance.md tells what the pages cost.
"""

import pytest

from rooftree.org.models import User
from rooftree.web.shared.staff_forms import StaffForm, choice_field
from tests import make

pytestmark = pytest.mark.django_db
BUDGETS = {  # by path: role of the reader, statements
    "/queue/": ("officer", 20),
    "/pipeline/": ("officer", 11),
    "/leads/{lead}/": ("officer", 26),
    "/team/": ("manager", 17),
    "/home/": ("executive", 19),
    "/reports/?by=source&by2=officer": ("executive", 21),
    "/compliance/": ("compliance", 43),
}


@pytest.mark.parametrize("path", BUDGETS)
def test_page_stays_within_statement_budget(cast, signed_in, path, django_assert_max_num_queries):
    role, budget = BUDGETS[path]
    leads = [make.lead(officer=cast.dana) for _ in range(5)]
    for lead in leads:
        make.touch(lead)
    reader = cast.dana.user
    if role != "officer":
        reader = User.objects.create(email=f"{role}@lindenfield.example", name=role, roles=[role])
    browser = signed_in(reader)
    page = path.format(lead=leads[0].pk)
    assert browser.get(page).status_code == 200  # what a process does once is not counted

    with django_assert_max_num_queries(budget):
        browser.get(page)


class ColorForm(StaffForm):
    """A form with one select."""

    color = choice_field("Color", [("", "Any"), ("r", "<b>Red</b>"), ("g", "Green")])


def test_select_marks_the_chosen_option_and_escapes_labels():
    html = str(ColorForm({"color": "g"})["color"])

    assert '<option value="g" selected>Green</option>' in html
    assert '<option value="r">&lt;b&gt;Red&lt;/b&gt;</option>' in html
    assert html.startswith('<select name="color" class="input" id="color" required>')
