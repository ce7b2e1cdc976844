"""The web server of a benchmark: the product's own, with the clock at noon, as texts are lawful."""

from rooftree.asgi import application  # isort: skip (sets up Django before the imports below)

from lender_setup import NOON

from rooftree.flow import clock

_clock_at_noon = clock.freeze(NOON)
_clock_at_noon.__enter__()  # for the life of the process
__all__ = ["application"]
