"""An HTTP client that follows the address of its connection, without a restart."""

import threading
from collections.abc import Mapping
from dataclasses import replace

from rooftree.core.http_client import ClientLimits, VendorClient, VendorRequest, VendorResponse


class FollowingClient:
    """Sends requests to the address given with each; threads can share it.

    Credentials are read together with the address, so that a changed one never goes to the other
    place: another process can have edited the connection since.
    """

    def __init__(self, limits: ClientLimits | None = None) -> None:
        self._limits = limits
        self._clients: dict[str, VendorClient] = {}
        self._mutex = threading.Lock()

    def send(
        self, base_url: str, request: VendorRequest, headers: Mapping[str, str]
    ) -> VendorResponse:
        """Send one request below `base_url`. Raises the errors of `VendorClient.send`."""
        with self._mutex:
            if base_url not in self._clients:
                self._clients[base_url] = VendorClient(base_url, limits=self._limits)
            client = self._clients[base_url]
        return client.send(replace(request, headers={**request.headers, **headers}))

    def close(self) -> None:
        """Close the connections."""
        with self._mutex:
            for client in self._clients.values():
                client.close()
            self._clients.clear()
