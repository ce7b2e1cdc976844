"""Chart geometry in the units of the SVG view box. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, log10

WIDTH, HEIGHT = 110, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A vertical scale from zero to a round number, with its labels from the top down."""

    top: float
    marks: tuple[float, ...]

    def y(self, value: float) -> float:
        """Return a value's distance from the top."""
        return round(HEIGHT * (1 - value / self.top), 1)


def build_scale(largest: float, steps: int = 4) -> Scale:
    """Build a scale up to a round number above `largest`, in about `steps` equal steps."""
    step = largest / steps or 1
    size = 10 ** int(log10(step)) if step >= 1 else 1
    nice = next(n for n in (1, 2, 2.5, 5, 10) if n * size >= step) * size
    count = max(1, ceil(largest / nice))
    return Scale(top=nice * count, marks=tuple(nice * n for n in range(count, -1, -1)))


def x_position(index: int, count: int) -> float:
    """Return the horizontal position of point `index` of `count` points."""
    return round(WIDTH * index / max(count - 1, 1), 1)


def line_path(values: Sequence[float | None], scale: Scale) -> str:
    """Return the SVG path through the values; None leaves a gap, a lone value is a dash."""
    points = [
        (x_position(n, len(values)), None if value is None else scale.y(value))
        for n, value in enumerate(values)
    ]
    runs = [list(run) for is_known, run in groupby(points, lambda p: p[1] is not None) if is_known]
    return "".join(
        "M" + " ".join(f"{x} {y}" for x, y in run) + ("h.8" if len(run) == 1 else "")
        for run in runs
    )


def bar_width(value: float, largest: float) -> float:
    """Return a bar's width, 100 for the largest value; any positive value is at least 1 wide."""
    if not largest or value <= 0:
        return 0
    return max(round(100 * value / largest, 1), 1)


def sparkline_path(values: Sequence[int], *, width_: int = 88, height: int = 24) -> str:
    """Return the SVG path of a small line without a scale; "" without values."""
    largest = max(values, default=0) or 1
    gap = width_ / max(len(values) - 1, 1)
    points = [
        f"{round(n * gap, 1)} {round(height - 3 - (height - 6) * v / largest, 1)}"
        for n, v in enumerate(values)
    ]
    return "M" + " ".join(points) if points else ""
