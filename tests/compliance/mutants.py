"""Mutation test of the rule data: change each value, one at a time, and see that a test fails.

`scripts/mutants` runs it. Only values that the program reads count: containers note what is taken
from them. A changed value is first checked by the worked cases, the boundaries, the wording's own
examples and the labeled replies, in a forked process. If these pass, the rule tests run against
it. A value whose change no test notices (a survivor) is printed, and must be in `SURVIVORS` with
the reason why no test should notice.
"""

import argparse
import copy
import datetime
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

HERE = Path(__file__).parent
RULES = HERE.parents[1] / "rooftree" / "compliance"
FILES = ("rules.yaml", "optout.yaml", "wording.yaml", "license_wording.yaml")
CHANGED = "ROOFTREE_MUTANT"  # environment variable: file and path of the changed value
QUICK = (
    "decide_case", "state_table", "quiet_hours", "person_places", "deletion_rule",
    "license_wording", "wording_check", "reply_classifier", "optout_recall",
    "pattern_filter", "message_gate",
)  # fmt: skip
NEAREST = {  # the test to run first, by a pattern of `file:path`
    r"^optout.yaml": "optout_recall",
    r"^wording.yaml": "wording_check",
    r"^license_wording.yaml": "license_wording",
    r"^rules.yaml:retention": "deletion_rule",
    r"^rules.yaml:(states|territories|state_holidays|proclaimed_holidays)": "state_table",
}
TESTS = [f"tests/compliance/test_{name}.py" for name in (*QUICK, "verdict_checker", "list_file")]
# Why no test should notice, by a pattern of `file:path`.
SURVIVORS = {
    r":.*\b(cite|cites)$": "A citation is shown with a decision and decides nothing.",
    r":retention\..*\b(name|stays|words)$": "Text about a class of records, which decides nothing.",
    r"rules.yaml:as_of$": "The date of worked cases without one; no message is decided by it.",
    r":sources|:.*\b(src|conf|note|in_flux|about)$": "Notes for maintainers of the table.",
    r"rules.yaml:states\.FL\.optout_grace_days$": "The house honors an opt-out at once.",
    r"rules.yaml:states\.SD\.auto\.sun$": "All of Sunday is closed there, also for calls by hand.",
    r"rules.yaml:states\.\w+\.versions\.0\.effective_from$": "No message is older than that law.",
    r"license_wording.yaml:.*\bname$": "The license's name on the page.",
    r"wording.yaml:patterns\.\d+\.(blocked|allowed)": "Examples that only tests read.",
    r"wording.yaml:patterns\.\d+\.evidence$": "Text: the evidence an approver needs.",
}
NOON = 720  # minutes
type KeyPath = tuple[Any, ...]


class Watched:
    """The paths of the values that were read from the wrapped data."""

    def __init__(self) -> None:
        self.read: set[KeyPath] = set()

    def wrap(self, value: Any, key_path: KeyPath) -> Any:
        """Return `value` in containers that note reads; note a leaf when it is returned."""
        if isinstance(value, dict):
            return WatchedDict(value, self, key_path)
        if isinstance(value, list):
            return WatchedList(value, self, key_path)
        self.read.add(key_path)
        return value


class WatchedDict(dict):  # type: ignore[type-arg]
    """A dict that notes which leaves were read from it."""

    def __init__(self, value: dict[Any, Any], watched: Watched, key_path: KeyPath) -> None:
        super().__init__(value)
        self._source = watched, key_path

    def __getitem__(self, key: Any) -> Any:
        watched, key_path = self._source
        return watched.wrap(super().__getitem__(key), (*key_path, key))

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key] if dict.__contains__(self, key) else default

    def __iter__(self) -> Iterator[Any]:  # makes `{**data}` read each value
        return super().__iter__()

    def items(self) -> Any:
        return [(key, self[key]) for key in super().__iter__()]

    def values(self) -> Any:
        return [self[key] for key in super().__iter__()]


class WatchedList(list):  # type: ignore[type-arg]
    """A list that notes which leaves were read from it."""

    def __init__(self, value: list[Any], watched: Watched, key_path: KeyPath) -> None:
        super().__init__(value)
        self._source = watched, key_path

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return list(self)[index]
        watched, key_path = self._source
        return watched.wrap(super().__getitem__(index), (*key_path, index))

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __add__(self, other: Any) -> Any:
        return [*self, *other]


def mutate(value: Any) -> Any:
    """Return another value of the same kind, as close as possible with another meaning."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * 1.01
    if isinstance(value, datetime.date):
        return value + datetime.timedelta(days=1)
    if value is None:
        return ["08:00", "21:00"]
    return _mutate_text(value)


def _mutate_text(value: str) -> str:
    if re.fullmatch(r"\d\d:\d\d", value):
        return _shorten_day(value)
    if "/" in value and value.split("/")[0] in ("America", "Pacific"):
        return "Pacific/Honolulu" if value != "Pacific/Honolulu" else "America/New_York"
    if re.search(r"[\\^$(\[|]", value):  # a pattern that matches nothing
        return r"(?!)"
    return f"{value}x"


def _shorten_day(hour: str) -> str:
    """Move an hour one minute into the day; the other way, federal hours could hide the change."""
    minutes = int(hour[:2]) * 60 + int(hour[3:])
    minutes += 1 if minutes < NOON else -1
    return f"{minutes // 60:02}:{minutes % 60:02}"


def mutate_data(data: Any, key_path: KeyPath) -> Any:
    """Return a copy of the data with the value at `key_path` changed."""
    mutant = copy.deepcopy(data)
    container = mutant
    for step in key_path[:-1]:
        container = container[step]
    container[key_path[-1]] = mutate(container[key_path[-1]])
    return mutant


def replace_loaded_data(transform: Callable[[str, Any], Any]) -> None:
    """Make `yaml.safe_load` return rule data as `transform(file name, data)`."""
    safe_load = yaml.safe_load
    texts = {file.read_text(encoding="utf-8"): file.name for file in map(find_file, FILES)}

    def load(stream: Any) -> Any:
        data = safe_load(stream)
        return transform(texts[stream], data) if stream in texts else data

    yaml.safe_load = load


def find_file(name: str) -> Path:
    """Return the one file of this name in the compliance packages."""
    [file] = RULES.rglob(name)
    return file


def has_failing_test(first: str = "decide_case") -> bool:
    """Return whether a test without fixtures fails, starting with the file `first`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    try:
        for name in sorted(QUICK, key=lambda name: name != first):
            for test, arguments in _plain_tests(import_module(f"tests.compliance.test_{name}")):
                test(**arguments)
    except Exception:  # a change that breaks loading is noticed too
        return True
    return False


def _plain_tests(module: ModuleType) -> Iterator[tuple[Callable[..., None], dict[str, Any]]]:
    """Yield the tests of a module without fixtures, with each set of their parameters."""
    for name, test in vars(module).items():
        if not name.startswith("test_") or hasattr(test, "hypothesis"):
            continue
        marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
        names = [*signature(test).parameters]
        if not marks and not names:
            yield test, {}
        if len(marks) == 1:
            for values in marks[0].args[1]:
                arguments = values if len(names) > 1 else (values,)
                yield test, dict(zip(names, arguments, strict=True))


def run_in_fork(call: Callable[[], Any]) -> Any:
    """Return the result of `call` in a forked process, so that its imports end with it."""
    reads, writes = os.pipe()
    if not os.fork():
        os.close(reads)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with os.fdopen(writes, "w") as pipe:
            pipe.write(json.dumps(call()))
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        result = pipe.read()
    os.wait()
    return json.loads(result)


def find_read_values() -> list[tuple[str, KeyPath]]:
    """Return file and path of every value that the program reads during the quick tests."""

    def watch() -> list[Any]:
        watched = Watched()
        replace_loaded_data(lambda name, data: watched.wrap(data, (name,)))
        has_failing_test()
        return [[key_path[0], list(key_path[1:])] for key_path in watched.read]

    return sorted(((name, tuple(key_path)) for name, key_path in run_in_fork(watch)), key=repr)


def survives(name: str, key_path: KeyPath) -> bool:
    """Return whether no test fails when this value is changed."""

    def transform(file_name: str, data: Any) -> Any:
        return mutate_data(data, key_path) if file_name == name else data

    def run_quick_tests() -> bool:
        replace_loaded_data(transform)
        return has_failing_test(_find_match(NEAREST, name, key_path) or "decide_case")

    if run_in_fork(run_quick_tests):
        return False
    environment = {**os.environ, CHANGED: json.dumps([name, key_path])}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.compliance.mutants", *TESTS],
        env=environment, cwd=HERE.parents[1], capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def describe_value(name: str, key_path: KeyPath) -> str:
    """Return `file:path` of a value."""
    return f"{name}:{'.'.join(map(str, key_path))}"


def _find_match(by_pattern: dict[str, str], name: str, key_path: KeyPath) -> str:
    """Return the text of the first pattern that matches, or ""."""
    text = describe_value(name, key_path)
    return next((match for words, match in by_pattern.items() if re.search(words, text)), "")


def print_now(text: str) -> None:
    """Print a line and flush."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Change each value, print the survivors, and exit 1 for one without a reason."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="a pattern: only values whose path it matches")
    only = re.compile(parser.parse_args().only)
    values = [value for value in find_read_values() if only.search(describe_value(*value))]
    checked = [value for value in values if not _find_match(SURVIVORS, *value)]
    survivors = 0
    for number, value in enumerate(checked, 1):
        if survives(*value):
            survivors += 1
            print_now(f"SURVIVES {describe_value(*value)}")
        if number % 100 == 0:
            print_now(f"{number} of {len(checked)}, {survivors} survive")
    print_now(
        f"{len(values)} values are read. {len(values) - len(checked)} of them decide nothing, for "
        f"the reasons in {Path(__file__).name}. Of the other {len(checked)}, {survivors} survive."
    )
    sys.exit(bool(survivors))


if os.environ.get(CHANGED):  # pytest loads this file to run the rule tests with a changed value
    _name, _key_path = json.loads(os.environ[CHANGED])
    replace_loaded_data(
        partial(
            lambda file_name, data, *, name, key_path: (
                mutate_data(data, key_path) if file_name == name else data
            ),
            name=_name, key_path=_key_path,
        )
    )  # fmt: skip

if __name__ == "__main__":
    main()
