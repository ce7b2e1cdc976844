"""From where a request of a page comes."""

from django.http import HttpRequest

from rooftree.org.caller import Caller, address_in, caller_of


def address_of(request: HttpRequest) -> str:
    """The whole address, for counting tries."""
    return address_in(request.META)


def caller(request: HttpRequest) -> Caller:
    """What the access log keeps of a request."""
    return caller_of(request.META)
