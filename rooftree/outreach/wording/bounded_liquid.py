"""Liquid for templates that staff write: strict names, no file access, bounded work.

A template renders for every borrower, so one line must not be able to hold the server:
`(1..999999999)` and a chain of `replace` filters can ask for more memory than there is.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from liquid import BoundTemplate, Environment, Node, RenderContext, StrictUndefined
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import FilterArgumentError, LiquidSyntaxError
from liquid.expression import Expression

MAX_FILTER_CHARACTERS = 10_000  # of a filter's input, and of its result
MAX_FILTER_NUMBER = 10**15


class _BoundedLiquid(Environment):
    """Liquid with bounded loops and output."""

    loop_iteration_limit = 1_000
    output_stream_limit = 100_000  # bytes
    local_namespace_limit = 100_000


def _limit_filter(run: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a filter so that its input and its result stay small."""

    @wraps(run)
    def run_limited(left: Any, *args: Any, **kwargs: Any) -> Any:
        for value in (left, *args):
            _require_small(value)
        result = run(left, *args, **kwargs)
        _require_small(result)
        return result

    return run_limited


def _require_small(value: Any) -> None:
    is_large = (isinstance(value, str | list | range) and len(value) > MAX_FILTER_CHARACTERS) or (
        isinstance(value, int) and abs(value) > MAX_FILTER_NUMBER
    )
    if is_large:
        raise FilterArgumentError("a value is too large", token=None)


_liquid = _BoundedLiquid(undefined=StrictUndefined, autoescape=False)
for tag in ("include", "render"):
    del _liquid.tags[tag]
for name, run_filter in list(_liquid.filters.items()):
    _liquid.filters[name] = _limit_filter(run_filter)


def parse_liquid(text: str) -> BoundTemplate:
    """Parse a template's text. Raises `LiquidError`, also for a range, which no message needs."""
    template = _liquid.from_string(text)
    context = RenderContext(template)
    if any(_has_range(node, context) for node in template.nodes):
        raise LiquidSyntaxError("a range like (1..9) can't be used", token=None)
    return template


def _has_range(node: Node, context: RenderContext) -> bool:
    def is_range(expression: Expression) -> bool:
        return isinstance(expression, RangeLiteral) or any(map(is_range, expression.children()))

    return any(map(is_range, node.expressions())) or any(
        _has_range(child, context) for child in node.children(context, include_partials=False)
    )
