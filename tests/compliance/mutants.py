"""Does a test notice when a value of the rule data is wrong? Each value is changed, one at a time.

`scripts/mutants` runs it. A value counts when the program reads it: the data are handed out in
containers that note what is taken from them. A changed value is first asked of the worked
cases, the boundaries, the wording's own examples and the labelled replies, in a forked process;
what they do not notice, the rule tests are run against. Who survives is printed, and must be in
`SURVIVORS` with the reason why no test should notice.
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
CHANGED = "ROOFTREE_MUTANT"  # names the file and the place of the one value that is changed
QUICK = (
    "cases", "state_table", "quiet_hours", "places", "retention", "license_wording", "lint",
    "optout", "optout_recall", "needles", "gate",
)  # fmt: skip
NEAREST = {  # asked first, by a pattern of `file:place`
    r"^optout.yaml": "optout_recall",
    r"^wording.yaml": "lint",
    r"^license_wording.yaml": "license_wording",
    r"^rules.yaml:retention": "retention",
    r"^rules.yaml:(states|territories|state_holidays|proclaimed_holidays)": "state_table",
}
TESTS = [f"tests/compliance/test_{name}.py" for name in (*QUICK, "checker", "dnc_file")]
# By a pattern of `file:place`, why no test should notice.
SURVIVORS = {
    r":.*\b(cite|cites)$": "A citation is shown beside a decision and decides nothing.",
    r":retention\..*\b(name|stays|words)$": "Words about a class of records, which decide nothing.",
    r"rules.yaml:as_of$": "The day of a worked case that names none; no message is decided on it.",
    r":sources|:.*\b(src|conf|note|in_flux|about)$": "Words for whoever keeps the table.",
    r"rules.yaml:states\.FL\.optout_grace_days$": "Ours counts at once.",
    r"rules.yaml:states\.SD\.auto\.sun$": "All of Sunday is closed there, to people as well.",
    r"rules.yaml:states\.\w+\.versions\.0\.effective_from$": "No message is older than that law.",
    r"license_wording.yaml:.*\bname$": "What the page calls a license.",
    r"wording.yaml:patterns\.\d+\.(blocked|allowed)": "Examples, read by the tests alone.",
    r"wording.yaml:patterns\.\d+\.evidence$": "Words: what an approver must have in hand.",
}
NOON = 720  # minutes
type Place = tuple[Any, ...]


class Watched:
    """What a container of the data and the ones in it were asked for."""

    def __init__(self) -> None:
        self.read: set[Place] = set()

    def wrap(self, value: Any, place: Place) -> Any:
        """`value` in containers that note what is read; a leaf is noted when it is handed out."""
        if isinstance(value, dict):
            return WatchedDict(value, self, place)
        if isinstance(value, list):
            return WatchedList(value, self, place)
        self.read.add(place)
        return value


class WatchedDict(dict):  # type: ignore[type-arg]
    """A mapping that notes which leaves were taken from it."""

    def __init__(self, value: dict[Any, Any], watched: Watched, place: Place) -> None:
        super().__init__(value)
        self._assign_by_manager = watched, place

    def __getitem__(self, key: Any) -> Any:
        watched, place = self._assign_by_manager
        return watched.wrap(super().__getitem__(key), (*place, key))

    def get(self, key: Any, default: Any = None) -> Any:
        return self[key] if dict.__contains__(self, key) else default

    def __iter__(self) -> Iterator[Any]:  # so that `{**it}` asks for each value
        return super().__iter__()

    def items(self) -> Any:
        return [(key, self[key]) for key in super().__iter__()]

    def values(self) -> Any:
        return [self[key] for key in super().__iter__()]


class WatchedList(list):  # type: ignore[type-arg]
    """A list that notes which leaves were taken from it."""

    def __init__(self, value: list[Any], watched: Watched, place: Place) -> None:
        super().__init__(value)
        self._assign_by_manager = watched, place

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return list(self)[index]
        watched, place = self._assign_by_manager
        return watched.wrap(super().__getitem__(index), (*place, index))

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __add__(self, other: Any) -> Any:
        return [*self, *other]


def changed(value: Any) -> Any:
    """Another value of the same kind, as near as one can be that means something else."""
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
    return _other_text(value)


def _other_text(value: str) -> str:
    if re.fullmatch(r"\d\d:\d\d", value):
        return _shorter(value)
    if "/" in value and value.split("/")[0] in ("America", "Pacific"):
        return "Pacific/Honolulu" if value != "Pacific/Honolulu" else "America/New_York"
    if re.search(r"[\\^$(\[|]", value):  # an expression that finds nothing any more
        return r"(?!)"
    return f"{value}x"


def _shorter(hour: str) -> str:
    """A minute off a day's hours at this end: more would be nothing where federal hours end it."""
    minutes = int(hour[:2]) * 60 + int(hour[3:])
    minutes += 1 if minutes < NOON else -1
    return f"{minutes // 60:02}:{minutes % 60:02}"


def with_one_changed(data: Any, place: Place) -> Any:
    """A copy of the data with the value at `place` changed."""
    made = copy.deepcopy(data)
    inside = made
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = changed(inside[place[-1]])
    return made


def hand_out(hand: Callable[[str, Any], Any]) -> None:
    """From now on `yaml.safe_load` gives the rule data as `hand` makes them of file and data."""
    read = yaml.safe_load
    texts = {(RULES / name).read_text(encoding="utf-8"): name for name in FILES}

    def load(stream: Any) -> Any:
        data = read(stream)
        return hand(texts[stream], data) if stream in texts else data

    yaml.safe_load = load


def notices(first: str = "cases") -> bool:
    """Whether a test that needs nothing but its own parameters fails."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    try:
        for name in sorted(QUICK, key=lambda one: one != first):
            for test, given in _asked_of(import_module(f"tests.compliance.test_{name}")):
                test(**given)
    except Exception:  # a change that breaks loading is noticed as well
        return True
    return False


def _asked_of(module: ModuleType) -> Iterator[tuple[Callable[..., None], dict[str, Any]]]:
    """The tests of a module that take no fixture, with each set of their parameters."""
    for name, test in vars(module).items():
        if not name.startswith("test_") or hasattr(test, "hypothesis"):
            continue
        marks = [one for one in getattr(test, "pytestmark", ()) if one.name == "parametrize"]
        names = [*signature(test).parameters]
        if not marks and not names:
            yield test, {}
        if len(marks) == 1:
            for values in marks[0].args[1]:
                given = values if len(names) > 1 else (values,)
                yield test, dict(zip(names, given, strict=True))


def in_a_child(ask: Callable[[], Any]) -> Any:
    """The answer of `ask` in a forked process; what it loads and changes ends with it."""
    reads, writes = os.pipe()
    if not os.fork():
        os.close(reads)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with os.fdopen(writes, "w") as pipe:
            pipe.write(json.dumps(ask()))
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        said = pipe.read()
    os.wait()
    return json.loads(said)


def places() -> list[tuple[str, Place]]:
    """Every value that the program reads when its rules are loaded and asked everything."""

    def ask() -> list[Any]:
        watched = Watched()
        hand_out(lambda name, data: watched.wrap(data, (name,)))
        notices()
        return [[place[0], list(place[1:])] for place in watched.read]

    return sorted(((name, tuple(place)) for name, place in in_a_child(ask)), key=repr)


def survives(name: str, place: Place) -> bool:
    """Whether nobody notices that this value is another."""

    def hand(of: str, data: Any) -> Any:
        return with_one_changed(data, place) if of == name else data

    def ask() -> bool:
        hand_out(hand)
        return notices(_first_said(NEAREST, name, place) or "cases")

    if in_a_child(ask):
        return False
    given = {**os.environ, CHANGED: json.dumps([name, place])}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.compliance.mutants", *TESTS],
        env=given, cwd=HERE.parents[1], capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def argued(name: str, place: Place) -> str:
    """Why no test should notice, or ""."""
    return _first_said(SURVIVORS, name, place)


def _first_said(by_pattern: dict[str, str], name: str, place: Place) -> str:
    said = f"{name}:{'.'.join(map(str, place))}"
    return next((found for words, found in by_pattern.items() if re.search(words, said)), "")


def say(text: str) -> None:
    """A line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Change each value, print who survives, and exit 1 when one of them is not argued for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="an expression: only places that it finds")
    only = re.compile(parser.parse_args().only)
    found = [
        place for place in places() if only.search(f"{place[0]}:{'.'.join(map(str, place[1]))}")
    ]
    asked = [one for one in found if not argued(*one)]
    bad = 0
    for number, (name, place) in enumerate(asked, 1):
        if survives(name, place):
            bad += 1
            say(f"SURVIVES {name}:{'.'.join(map(str, place))}")
        if number % 100 == 0:
            say(f"{number} of {len(asked)}, {bad} survive")
    say(
        f"{len(found)} values are read; {len(found) - len(asked)} of them decide nothing, for the "
        f"reasons in {Path(__file__).name}; of the other {len(asked)}, {bad} survive."
    )
    sys.exit(bool(bad))


if os.environ.get(CHANGED):  # loaded by pytest, to run the rule tests against one changed value
    _name, _place = json.loads(os.environ[CHANGED])
    hand_out(
        partial(
            lambda of, data, *, name, place: with_one_changed(data, place) if of == name else data,
            name=_name, place=_place,
        )
    )  # fmt: skip

if __name__ == "__main__":
    main()
