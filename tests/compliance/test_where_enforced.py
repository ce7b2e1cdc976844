"""Every rule is asked where the product acts, and the page that says where is true."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ROOT / "rooftree"
PAGE = (ROOT / "docs/rules/where-enforced.md").read_text(encoding="utf-8")
FAMILIES = (ROOT / "docs/rules/README.md").read_text(encoding="utf-8")
RULE = re.compile(r"[A-Z]{3}-\d\d")
# What translates worked cases for `rooftree decide`: what is asked there alone is asked nowhere.
OF_CASES = {"case_actions.py", "case_facts.py", "case_lists.py", "case_subjects.py", "cases.py"}


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def rows(heading: str, cells: int) -> list[list[str]]:
    """The rows of the table under a heading of the page."""
    part = PAGE.split(heading, 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in table[2:] if len(row) == cells]


ENFORCED = rows("# Where each rule is enforced", 3)
ALONE = rows("## What `rooftree decide` alone asks", 3)


def every_rule() -> set[str]:
    """Those of the rulebook, as the families of the rules' first page name them."""
    found = set()
    for line in FAMILIES.splitlines():
        cell = line.split("|")[2] if line.startswith("| [") else ""
        for name, first, last in re.findall(
            r"([A-Z]{3})-(\d\d)(?: to (?:[A-Z]{3}-)?(\d\d))?", cell
        ):
            found |= {f"{name}-{nth:02d}" for nth in range(int(first), int(last or first) + 1)}
        for name, tail in re.findall(r"([A-Z]{3})-\d\d(?:, \d\d)* and (\d\d)", cell):
            found.add(f"{name}-{tail}")
    return found


def rule_functions() -> dict[str, set[str]]:
    """Each public function that rules, as `module.function`, with the rules it names."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOMS / "compliance").glob("*.py")):
        source, names = text_of(path), dict[str, str]()
        for one in (tree := ast.parse(source)).body:
            if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
                said = ast.get_source_segment(source, one.value) or ""
                if made := re.search(r'Rule\(\s*id="([A-Z]+-\d+)"', said):
                    names[one.targets[0].id] = made[1]
        for one in tree.body:
            if isinstance(one, ast.FunctionDef) and not one.name.startswith("_"):
                body = ast.get_source_segment(source, one) or ""
                rules = {rule for name, rule in names.items() if re.search(rf"\b{name}\b", body)}
                if rules:
                    found[f"{path.stem}.{one.name}"] = rules
    return found


def is_asked(function: str) -> bool:
    """Whether production asks it: another module does, or its own for one that is asked."""
    module, _, name = function.partition(".")
    own = text_of(ROOMS / "compliance" / f"{module}.py")
    if len(re.findall(rf"\b{name}\(", own)) > 1:
        return True
    asks = re.compile(
        rf"\b{module}\.{name}\b|from rooftree\.compliance\.{module} import [^\n]*\b{name}\b"
    )
    return any(
        asks.search(text_of(path))
        for path in ROOMS.rglob("*.py")
        if path.name not in OF_CASES and path != ROOMS / "compliance" / f"{module}.py"
    )


def test_every_rule_has_its_row_here_or_says_why_it_has_none() -> None:
    said = [row[0] for row in ENFORCED]
    never = {row[1] for row in ALONE} - set(said)

    assert len(said) == len(set(said))
    assert set(said) | never == every_rule()
    assert never == {"ABN-01", "AIV-01"}


def test_the_places_that_ask_are_there_and_name_the_rule_or_its_module() -> None:
    owners: dict[str, set[str]] = {}
    for function, rules in rule_functions().items():
        for rule in rules:
            owners.setdefault(rule, set()).add(function.partition(".")[0])
    for rule, places, _ in ENFORCED:
        for place in re.findall(r"`([^`]+)`", places):
            path = ROOMS / place
            assert path.exists(), f"{rule}: {place} is not there"
            known = {rule, *owners.get(rule, set()), path.stem}
            assert any(name in text_of(path) or name == path.stem for name in known), rule


def test_the_tests_are_there() -> None:
    for rule, _, tests in ENFORCED:
        path, _, name = tests.strip("`").partition("::")
        assert re.search(rf"^ *def {name}\(", text_of(ROOT / path), re.MULTILINE), f"{rule}: {name}"


def test_what_only_decide_asks_is_what_the_page_lists() -> None:
    functions = rule_functions()
    alone = {name: rules for name, rules in functions.items() if not is_asked(name)}

    assert len(functions) > 60
    assert set(alone) == {row[0].strip("`") for row in ALONE}
    for function, rule, why in ALONE:
        assert rule in alone[function.strip("`")]
        assert why.endswith(".")


def test_a_rule_that_nothing_asks_would_be_found() -> None:
    assert not is_asked("calling.abandonment")  # no module but the translator of cases
    assert is_asked("calling.caller_id")
    assert is_asked("gate.combine")
