"""The web server of a benchmark: the product's own, at an hour when texts are lawful."""

from rooftree.asgi import application  # isort: skip (it sets up what the others import)

from lender_setup import NOON

from rooftree.flow import clock

_clock_at_noon = clock.freeze(NOON)
_clock_at_noon.__enter__()  # for as long as the process lives
__all__ = ["application"]
