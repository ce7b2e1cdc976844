"""The client that sent a request: its IP address and details for the audit log."""

from django.http import HttpRequest

from rooftree.org.client_info import ClientInfo, client_ip, read_client_info


def client_address(request: HttpRequest) -> str:
    """Return the client's IP address, for rate limits."""
    return client_ip(request.META)


def request_caller(request: HttpRequest) -> ClientInfo:
    """Return the client details that the audit log keeps."""
    return read_client_info(request.META)
