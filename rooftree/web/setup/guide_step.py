"""One step of the go-live list, and a group of them."""

from dataclasses import dataclass, field

from django.utils.text import slugify


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideStep:
    """One step. Whether it is done follows from what is there; nobody ticks it."""

    name: str
    description: str  # its state, or its purpose while not done
    href: str  # "" if no page can do it
    is_done: bool
    is_needed: bool = True  # False: leads flow without it
    has_problem: bool = False  # it was tried, and something is wrong

    @property
    def key(self) -> str:
        """The key under which its owner, due date and last check are stored."""
        return step_key(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepGroup:
    """The steps of one subject."""

    title: str
    steps: list[GuideStep] = field(default_factory=list)

    @property
    def done_count(self) -> int:
        """How many are done."""
        return sum(step.is_done for step in self.steps)

    @property
    def is_done(self) -> bool:
        """True if all are done."""
        return self.done_count == len(self.steps)


def step_key(name: str) -> str:
    """Return the key of the step with this name."""
    return slugify(name)
