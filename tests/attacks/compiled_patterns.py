"""Find every regular expression of the product, and make texts on which it could be slow."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

import rooftree

WITHOUT_PATTERNS = ("migrations", "__main__", "wsgi", "asgi", "process_entry_points")
ANCHORED_METHODS = {"match", "fullmatch"}
CATEGORY_SAMPLES = {
    codes.CATEGORY_DIGIT: "1", codes.CATEGORY_SPACE: " ", codes.CATEGORY_WORD: "a",
    codes.CATEGORY_NOT_DIGIT: "x", codes.CATEGORY_NOT_SPACE: "x", codes.CATEGORY_NOT_WORD: "-",
}  # fmt: skip
ANYTHING = "x 1.-\n"
REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


@dataclass(frozen=True, slots=True)
class CompiledPattern:
    """One pattern, the constant that holds it, and the methods that the code calls on it."""

    pattern: re.Pattern
    name: str  # module.CONSTANT
    methods: frozenset[str]  # empty: held in a list or table, so it is taken as searched

    @property
    def run(self) -> Any:
        """The slowest way in which the code uses the pattern."""
        if self.methods and self.methods <= ANCHORED_METHODS:
            return getattr(self.pattern, min(self.methods))
        return lambda text: sum(1 for _ in self.pattern.finditer(text))


def product_modules() -> Iterator[ModuleType]:
    """Import every module of the product but migrations and entry points."""
    for info in pkgutil.walk_packages(rooftree.__path__, "rooftree."):
        if not any(part in info.name.split(".") for part in WITHOUT_PATTERNS):
            yield importlib.import_module(info.name)


def compiled_patterns() -> list[CompiledPattern]:
    """Return every pattern of the product: held by a module, in its tables, or in its calls."""
    found: dict[tuple[Any, int], CompiledPattern] = {}
    for module in product_modules():
        tree = ast.parse(inspect.getsource(module))
        for pattern, method in _patterns_in_calls(tree):
            name = f"{module.__name__}: {pattern.pattern!r}"
            found[pattern.pattern, -1] = CompiledPattern(pattern, name, frozenset({method}))
        methods = _called_methods(tree)
        for constant, value in list(vars(module).items()):
            for pattern in _held_patterns(value, set()):
                is_direct = isinstance(value, re.Pattern | tuple)
                called = methods.get(constant, set()) if is_direct else set()
                key = (pattern.pattern, pattern.flags)
                if key in found:
                    called = called | found[key].methods if called and found[key].methods else set()
                name = found[key].name if key in found else f"{module.__name__}.{constant}"
                found[key] = CompiledPattern(pattern, name, frozenset(called))
    return list(found.values())


def _patterns_in_calls(tree: ast.AST) -> Iterator[tuple[re.Pattern, str]]:
    """Yield the patterns written in calls such as `re.sub(r"...", ...)`, and the method called."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="re"), attr=method),
                args=[ast.Constant(value=str() | bytes() as source), *_],
            ) if method not in ("compile", "escape"):
                yield re.compile(source), method


def _called_methods(tree: ast.AST) -> dict[str, set[str]]:
    """Return for each name of a module the attributes that the module reads of it.

    A list that a loop reads has those of the loop's variable. A name that is passed on as a value
    gets "search", the slowest method.
    """
    methods: dict[str, set[str]] = {}
    owners = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    loops = [
        node for node in ast.walk(tree)
        if isinstance(node, ast.comprehension | ast.For)
        and isinstance(node.iter, ast.Name) and isinstance(node.target, ast.Name)
    ]  # fmt: skip
    owners |= {id(loop.iter) for loop in loops}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            methods.setdefault(node.value.id, set()).add(node.attr)
        elif isinstance(node, ast.Name) and id(node) not in owners and not _is_assigned(node):
            methods.setdefault(node.id, set()).add("search")
    for loop in loops:
        methods.setdefault(loop.iter.id, set()).update(methods.get(loop.target.id, set()))
    return methods


def _is_assigned(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _held_patterns(value: Any, seen: set[int]) -> Iterator[re.Pattern]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from _patterns_of_all((*value, *value.values()), seen)
    elif isinstance(value, list | tuple | set | frozenset):
        yield from _patterns_of_all(value, seen)
    elif type(value).__module__.startswith("rooftree") and id(value) not in seen:
        seen.add(id(value))
        slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        held = [getattr(value, name, None) for name in slots]
        yield from _patterns_of_all([*held, *getattr(value, "__dict__", {}).values()], seen)


def _patterns_of_all(values: Iterable[Any], seen: set[int]) -> Iterator[re.Pattern]:
    for value in values:
        yield from _held_patterns(value, seen)


def hostile_texts(pattern: re.Pattern, length: int) -> Iterator[str | bytes]:
    """Yield texts that nearly match: each repeated piece of the pattern, many times over."""
    is_bytes = isinstance(pattern.pattern, bytes)
    flags = pattern.flags & ~re.UNICODE if is_bytes else pattern.flags
    pieces: set[str] = {" ", "a", "1"}
    whole = _sample(parser.parse(pattern.pattern, flags), pieces)[:40]
    for piece in sorted(pieces - {""}):
        for start in ("", whole):
            text = start + piece * (length // len(piece) + 1) + "\x01"
            yield text.encode("latin-1", "replace") if is_bytes else text


def _sample(tree: Any, pieces: set[str]) -> str:
    """Return a text that the parsed pattern accepts; add its parts to `pieces`."""
    text = "".join(_sample_part(code, value, pieces) for code, value in tree)
    pieces.add(text)
    return text


def _sample_part(code: Any, value: Any, pieces: set[str]) -> str:
    if code in REPEATS:
        return _sample_repeat(*value, pieces)
    samplers = {
        codes.LITERAL: lambda: chr(value),
        codes.NOT_LITERAL: lambda: "y" if chr(value) == "x" else "x",
        codes.ANY: lambda: "x",
        codes.IN: lambda: _class_samples(value)[0],
        codes.BRANCH: lambda: [_sample(branch, pieces) for branch in value[1]][0],
        codes.SUBPATTERN: lambda: _sample(value[3], pieces),
        codes.ATOMIC_GROUP: lambda: _sample(value, pieces),
    }
    return samplers.get(code, str)()


def _sample_repeat(least: int, _most: int, tree: Any, pieces: set[str]) -> str:
    for code, value in tree:
        if code is codes.IN:
            pieces.update(_class_samples(value))
    return _sample(tree, pieces) * min(max(least, 1), 8)


def _class_samples(members: Any) -> list[str]:
    """Return up to six characters of a character class."""
    if members[0][0] is codes.NEGATE:
        excluded = {chr(value) for code, value in members if code is codes.LITERAL}
        return [char for char in ANYTHING if char not in excluded] or ["x"]
    samples = [
        chr(value) if code is codes.LITERAL
        else chr(value[0]) if code is codes.RANGE
        else CATEGORY_SAMPLES[value]
        for code, value in members
    ]  # fmt: skip
    return samples[:6]
