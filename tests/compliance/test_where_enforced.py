"""Every rule is checked where the product acts, and docs/rules/where-enforced.md is true."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ROOT / "rooftree"
PAGE = (ROOT / "docs/rules/where-enforced.md").read_text(encoding="utf-8")
FAMILIES = (ROOT / "docs/rules/README.md").read_text(encoding="utf-8")
RULE = re.compile(r"[A-Z]{3}-\d\d")
COMPLIANCE = ROOMS / "compliance"
# Rules that a page or a database constraint enforces without calling the rule's function.
ENFORCED_OTHERWISE = {"SEC-01"}


@cache
def read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def rows(heading: str, cells: int) -> list[list[str]]:
    """Return the rows of the table under a heading of the page."""
    part = PAGE.split(heading, 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in table[2:] if len(row) == cells]


ENFORCED = rows("# Where each rule is enforced", 3)
ALONE = rows("## What `rooftree decide` alone asks", 3)


def rulebook_ids() -> set[str]:
    """Return the rule ids of the rulebook, from the families on the rules' first page."""
    ids = set()
    for line in FAMILIES.splitlines():
        cell = line.split("|")[2] if line.startswith("| [") else ""
        for name, first, last in re.findall(
            r"([A-Z]{3})-(\d\d)(?: to (?:[A-Z]{3}-)?(\d\d))?", cell
        ):
            ids |= {f"{name}-{nth:02d}" for nth in range(int(first), int(last or first) + 1)}
        for name, tail in re.findall(r"([A-Z]{3})-\d\d(?:, \d\d)* and (\d\d)", cell):
            ids.add(f"{name}-{tail}")
    return ids


def rule_functions() -> dict[str, set[str]]:
    """Return the rule ids that each public function uses, by `module.function`."""
    functions: dict[str, set[str]] = {}
    for path in sorted(COMPLIANCE.rglob("*.py")):
        source, rules = read_text(path), dict[str, str]()
        tree = ast.parse(source)
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = ast.get_source_segment(source, node.value) or ""
                if match := re.search(r'Rule\(\s*id="([A-Z]+-\d+)"', value):
                    rules[node.targets[0].id] = match[1]
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                body = ast.get_source_segment(source, node) or ""
                used = {rule for name, rule in rules.items() if re.search(rf"\b{name}\b", body)}
                if used:
                    functions[f"{path.stem}.{node.name}"] = used
    return functions


def is_used(function: str) -> bool:
    """Return whether `module.function` is used in rooftree, by its own or another module."""
    module, _, name = function.partition(".")
    [own] = COMPLIANCE.rglob(f"{module}.py")
    if len(re.findall(rf"\b{name}\(", read_text(own))) > 1:
        return True
    return any(function in used_names(path) for path in ROOMS.rglob("*.py") if path != own)


@cache
def used_names(path: Path) -> frozenset[str]:
    """Return each `module.name` that a file writes, or imports from a module of compliance."""
    source = read_text(path)
    names = set(re.findall(r"\b\w+\.\w+\b", source))
    for module, imported in re.findall(
        r"from rooftree\.compliance\.\w+\.(\w+) import (\([^)]*|[^\n(]*)", source
    ):
        names |= {f"{module}.{name}" for name in re.findall(r"\w+", imported)}
    return frozenset(names)


def test_page_has_a_row_for_every_rule() -> None:
    enforced = [row[0] for row in ENFORCED]
    decide_only = {row[1] for row in ALONE} - set(enforced)

    assert len(enforced) == len(set(enforced))
    assert set(enforced) | decide_only == rulebook_ids()
    assert decide_only == {"ABN-01", "AIV-01"}


def test_page_names_files_that_use_the_rule() -> None:
    modules: dict[str, set[str]] = {}
    for path in [*COMPLIANCE.rglob("*.py"), *(ROOMS / "retention").rglob("*.py")]:
        for rule in re.findall(r'\bRule\(\s*id="([A-Z]+-\d+)"', read_text(path)):
            modules.setdefault(rule, set()).add(path.stem)
    for rule, places, _ in ENFORCED:
        paths = [ROOMS / place for place in re.findall(r"`([^`]+)`", places)]
        assert all(path.exists() for path in paths), f"{rule}: {places}"
        names = modules.get(rule, set())
        assert (
            not names
            or rule in ENFORCED_OTHERWISE
            or any(
                path.stem in names or any(name in read_text(path) for name in names)
                for path in paths
            )
        ), f"{rule}: none of {places} uses {names}"


def test_page_names_tests_that_exist() -> None:
    for rule, _, tests in ENFORCED:
        path, _, name = tests.strip("`").partition("::")
        assert re.search(rf"^ *def {name}\(", read_text(ROOT / path), re.MULTILINE), (
            f"{rule}: {name}"
        )


def test_page_lists_exactly_the_rules_that_only_decide_uses() -> None:
    functions = rule_functions()
    unused = {name: rules for name, rules in functions.items() if not is_used(name)}

    assert len(functions) > 60
    assert set(unused) == {row[0].strip("`") for row in ALONE}
    for function, rule, why in ALONE:
        assert rule in unused[function.strip("`")]
        assert why.endswith(".")


def test_search_finds_an_unused_rule() -> None:
    assert not is_used("call_rules.check_abandonment_rate")  # used only by the casebook
    assert is_used("call_rules.check_caller_id")
    assert is_used("message_gate.combine_rulings")
