"""A small real DNS server on this machine, for tests of look-ups."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingUDPServer

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class DnsServer(ThreadingUDPServer):
    """Answers with TXT records by name; a name of `failing` gets a server failure."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.texts: dict[str, list[str]] = {}
        self.is_failing = False

    @property
    def url(self) -> str:
        return f"udp://127.0.0.1:{self.server_address[1]}"

    def answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        name = query.question[0].name
        texts = self.texts.get(name.to_text(omit_final_dot=True))
        if self.is_failing:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif texts is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        else:
            quoted = [f'"{text}"' for text in texts]
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *quoted))
        return reply.to_wire()


class _Handler(BaseRequestHandler):
    def handle(self) -> None:
        wire, connection = self.request
        connection.sendto(self.server.answer(wire), self.client_address)


@contextmanager
def start_dns_server() -> Iterator[DnsServer]:
    with DnsServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
