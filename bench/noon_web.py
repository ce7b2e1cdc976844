"""The web server of a benchmark: the product's own, at an hour when texts are lawful."""

from rooftree.asgi import application  # isort: skip (it sets up what the others import)

from company import NOON

from rooftree.flow import moment

_noon = moment.at(NOON)
_noon.__enter__()  # for as long as the process lives
__all__ = ["application"]
