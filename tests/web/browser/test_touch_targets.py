"""Controls on a phone are 44 px high, measured by where a thumb would hit them."""

from playwright.sync_api import expect

from tests import make
from tests.web.browser.conftest import open_as

# Links inside running text are excluded, as WCAG 2.5.8 excludes them.
FIND_SMALL_TARGETS = """
() => {
  const parts = document.querySelectorAll(
    "button, .button, .chip, summary, input:not([type=hidden]), select, textarea, nav a");
  const small = [];
  for (const part of parts) {
    if (!part.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue;
    const label = part.labels?.[0];
    const target = part.matches("[type=checkbox], [type=radio]") && label ? label : part;
    target.scrollIntoView({block: "center", inline: "center"});
    const box = target.getBoundingClientRect();
    const x = Math.min(box.left + box.width / 2, innerWidth - 1), y = box.top + box.height / 2;
    const isHit = (dy) => {
      const hit = document.elementFromPoint(x, y + dy);
      return Boolean(hit) && (target.contains(hit) || Boolean(label?.contains(hit)));
    };
    if (!isHit(0)) continue; // covered, or read by screen readers only
    if (!isHit(-21) || !isHit(21)) small.push(part.outerHTML.slice(0, 120));
  }
  return small;
}
"""
PAGES = {
    "Loan officer": (
        "/queue/",
        "lead",
        "/pipeline/",
        "/pipeline/?view=list",
        "/people/",
        "/tasks/",
    ),
    "Branch manager": ("/team/", "/matches/"),
    "Compliance": ("/compliance/", "/compliance/messages/"),
    "Executive": ("/home/",),
    "Administrator": ("/setup/", "/setup/company/", "/setup/people/"),
}


def test_every_control_of_the_main_pages_fits_a_thumb(chromium, front, people):
    make.user("administrator", name="Tess Moore", email="tess@lindenfield.example")
    problems = []
    for role, paths in PAGES.items():
        page = open_as(chromium, front, role)
        for path in paths:
            page.goto(f"/leads/{people.ben.pk}/" if path == "lead" else path)
            expect(page.locator("main h1").first).to_be_visible()
            problems += [f"{path} {small}" for small in page.evaluate(FIND_SMALL_TARGETS)]
        page.context.close()

    assert problems == []


def test_rule_editor_ends_where_its_form_ends(chromium, front, people):
    make.user("operations", name="Olga Berg", email="olga@lindenfield.example")
    for number in range(40):
        make.officer(f"Officer {number}")
    page = open_as(chromium, front, "Operations")
    page.goto("/routing/draft/rules/")
    end = page.get_by_role("button", name="Save to draft").bounding_box()

    assert end
    assert page.evaluate("document.documentElement.scrollHeight") < end["y"] + 400
