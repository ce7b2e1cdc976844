"""From where a request of a page comes."""

from django.http import HttpRequest

from rooftree.org.client_info import ClientInfo, client_ip, read_client_info


def client_address(request: HttpRequest) -> str:
    """The whole address, for counting tries."""
    return client_ip(request.META)


def request_caller(request: HttpRequest) -> ClientInfo:
    """What the access log keeps of a request."""
    return read_client_info(request.META)
