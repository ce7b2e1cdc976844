"""The client that sent a request: its IP address and details for the audit log."""

from django.http import HttpRequest

from rooftree.org.client_info import ClientInfo, address_group, client_ip, read_client_info


def client_address(request: HttpRequest) -> str:
    """Return the client's IP address, validated; "" if the request has none."""
    return client_ip(request.META)


def rate_limit_subject(request: HttpRequest) -> str:
    """Return what rate limits count as one client: an address, or an IPv6 network."""
    return address_group(client_ip(request.META))


def request_caller(request: HttpRequest) -> ClientInfo:
    """Return the client details that the audit log keeps."""
    return read_client_info(request.META)
