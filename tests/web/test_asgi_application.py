"""The ASGI application as the web server calls it, with real streams on a real database."""

import asyncio
import json

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client
from django.urls import resolve

from rooftree.tasks.live_updates import MAX_NOTICE_BYTES, publish_update
from rooftree.web.server import asgi_application as front_module
from rooftree.web.server import live_events
from rooftree.web.server.asgi_application import AsgiApplication
from rooftree.web.server.live_events import MAX_QUEUED_EVENTS, EventBroadcaster, StreamClient
from tests import make


def application(environ, start_response):
    """A WSGI application that returns the request it received."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Path", environ["PATH_INFO"])])
    return [f"{environ['REQUEST_METHOD']} {len(body)}".encode()]


class Conversation:
    """One request to the ASGI application, message by message."""

    def __init__(self, front, path="/", *, method="POST", headers=()):
        self.front = front
        self.scope = {
            "type": "http", "method": method, "path": path, "query_string": b"",
            "http_version": "1.1", "headers": list(headers), "scheme": "http",
        }  # fmt: skip
        self.inbox: asyncio.Queue = asyncio.Queue()
        self.outbox: asyncio.Queue = asyncio.Queue()

    def send(self, body, *, more=False):
        self.inbox.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self):
        self.inbox.put_nowait({"type": "http.disconnect"})

    async def run(self):
        await self.front(self.scope, self.inbox.get, self.outbox.put)

    async def status(self):
        return (await asyncio.wait_for(self.outbox.get(), 10))["status"]

    async def text(self):
        return (await asyncio.wait_for(self.outbox.get(), 10))["body"].decode()


@pytest.fixture
def front(monkeypatch):
    monkeypatch.setattr(
        live_events, "BROADCASTER", live_events.EventBroadcaster()
    )  # not the browser tests' loop
    front = AsgiApplication(application)
    front._migrated = True
    yield front
    for pool in (front._threads, front._side_threads):
        for _ in range(pool._max_workers):
            pool.submit(connections.close_all)
        pool.shutdown()


def statuses(front, *conversations):
    async def all_of_them():
        await asyncio.gather(*(conversation.run() for conversation in conversations))
        return [
            await conversation.status()
            for conversation in conversations
            if not conversation.outbox.empty()
        ]

    return asyncio.run(all_of_them())


def test_request_reaches_django_complete(front):
    talk = Conversation(front, "/in/café")
    talk.send(b"12345", more=True)
    talk.send(b"678")

    async def answer():
        await talk.run()
        return await talk.status(), await talk.text()

    assert asyncio.run(answer()) == (200, "POST 8")


@pytest.mark.parametrize("announced", [True, False], ids=["by its header", "while it arrives"])
def test_body_over_the_limit_is_refused(front, announced):
    length = str(settings.BODY_LIMIT + 1).encode()
    talk = Conversation(front, headers=[(b"content-length", length)] if announced else [])
    talk.send(b"x" * settings.BODY_LIMIT, more=True)
    talk.send(b"x")

    assert statuses(front, talk) == [413]


def test_body_of_exactly_the_limit_is_accepted(front):
    talk = Conversation(front)
    talk.send(b"x" * settings.BODY_LIMIT)

    assert statuses(front, talk) == [200]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/setup/imports/", "/compliance/lists/"])
def test_only_signed_in_users_can_upload_a_file(front, path):
    assert resolve(path)  # a page, so that the limit is not tested on a removed address
    browser = Client()
    browser.force_login(make.user("operations"))
    cookie = f"rooftree_session={browser.cookies['rooftree_session'].value}".encode()
    file = b"x" * (settings.BODY_LIMIT + 1)
    signed_in_upload = Conversation(front, path, headers=[(b"cookie", cookie)])
    elsewhere = Conversation(front, "/in/zillow/x", headers=[(b"cookie", cookie)])
    stranger = Conversation(front, path)
    for talk in (signed_in_upload, elsewhere, stranger):
        talk.send(file)

    assert statuses(front, signed_in_upload, elsewhere, stranger) == [200, 413, 413]


def test_twenty_stalled_uploads_block_no_other_request(front, monkeypatch):
    monkeypatch.setattr(front_module, "BODY_SECONDS", 4.0)
    stalled = [Conversation(front) for _ in range(20)]
    for talk in stalled:
        talk.send(b"begun", more=True)
    prompt = Conversation(front, method="GET")
    prompt.send(b"")

    async def race():
        waiting = [asyncio.create_task(read_answer.run()) for read_answer in stalled]
        await asyncio.wait_for(prompt.run(), 3.5)  # before the first one times out
        first = await prompt.status()
        await asyncio.gather(*waiting)
        return first, {await read_answer.status() for read_answer in stalled}

    assert asyncio.run(race()) == (200, {408})


def answers(front, *conversations):
    """Return status, headers and text of each request."""

    async def read_answer(talk):
        await talk.run()
        start, body = talk.outbox.get_nowait(), talk.outbox.get_nowait()
        return start["status"], dict(start["headers"]), body["body"].decode()

    async def all_of_them():
        return await asyncio.gather(*(read_answer(talk) for talk in conversations))

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(
    ("path", "language", "words"),
    [
        ("/leads/", b"en", "That’s too large"),
        ("/forms/our-site/", b"en-US", "That’s too long"),
        ("/forms/our-site/", b"es-MX", "Es demasiado de una sola vez"),
    ],
)
def test_browser_gets_an_error_page_when_its_request_is_too_large(front, path, language, words):
    talk = Conversation(
        front, path, headers=[(b"accept", b"text/html,*/*"), (b"accept-language", language)]
    )
    talk.send(b"x" * (settings.BODY_LIMIT + 1))

    [(status, headers, page)] = answers(front, talk)

    assert status == 413
    assert headers[b"content-type"] == b"text/html; charset=utf-8"
    assert words in page
    assert ("Rooftree" in page) == (path == "/leads/")


def test_api_client_gets_json_when_its_request_is_too_large(front):
    talk = Conversation(front, "/api/v1/leads", headers=[(b"accept", b"text/html")])
    talk.send(b"x" * (settings.BODY_LIMIT + 1))

    [(status, headers, body)] = answers(front, talk)

    assert status == 413
    assert headers[b"content-type"] == b"application/json"
    assert json.loads(body)["error"]["code"] == "too_large"


def test_metrics_response_has_the_prometheus_content_type(front, monkeypatch):
    monkeypatch.setattr(front_module.http_metrics, "render_metrics", lambda: "rooftree_x 1.0\n")
    talk = Conversation(front, "/metrics", method="GET")
    talk.scope["client"] = ("127.0.0.1", 5000)

    [(status, headers, text)] = answers(front, talk)

    assert (status, text) == (200, "rooftree_x 1.0\n")
    assert headers[b"content-type"] == b"text/plain; version=0.0.4; charset=utf-8"


def test_unready_server_answers_with_retry_after(front, monkeypatch):
    monkeypatch.setattr(front, "_migrated", False)
    monkeypatch.setattr(
        front, "_check_readiness", lambda: (False, "the database is not responding")
    )
    machine = Conversation(front, "/in/zillow/x")
    person = Conversation(front, "/queue/", headers=[(b"accept", b"text/html")])
    for talk in (machine, person):
        talk.send(b"")

    machine_answer, person_answer = answers(front, machine, person)

    assert machine_answer[0] == person_answer[0] == 503
    assert int(machine_answer[1][b"retry-after"]) > 0
    assert "the database is not responding" in machine_answer[2]
    assert "Back in a moment" in person_answer[2]


def test_disconnected_client_is_dropped(front):
    talk = Conversation(front)
    talk.send(b"begun", more=True)
    talk.leave()

    assert statuses(front, talk) == []


@pytest.mark.django_db(transaction=True)
def test_readiness_checks_more_than_liveness(front):
    front._migrated = False
    alive, ready = (Conversation(front, path, method="GET") for path in ("/healthz", "/readyz"))

    assert statuses(front, alive, ready) == [200, 200]


def test_signed_out_visitor_gets_no_live_events(front, committed):
    talk = Conversation(front, "/events/", method="GET")

    assert statuses(front, talk) == [403]


def signed_in():
    user = get_user_model()(email="dana@example.com", roles=["administrator"])
    user.set_unusable_password()
    user.save()
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return str(user.pk), f"{name}={client.cookies[name].value}".encode()


def test_live_stream_sends_resync_and_then_committed_events(front, committed):
    user_id, cookie = signed_in()
    talk = Conversation(front, "/events/", method="GET", headers=[(b"cookie", cookie)])

    async def listen():
        running = asyncio.create_task(talk.run())
        messages = [await talk.status(), await talk.text(), await talk.text(), await talk.text()]
        await asyncio.to_thread(tell, "lead", None, "42")
        messages.append(await talk.text())
        await asyncio.to_thread(tell, "secret", ["somebody else"], "43")
        await asyncio.to_thread(tell, "mine", [user_id], "44")
        messages.append(await talk.text())
        talk.leave()
        await asyncio.wait_for(running, 10)
        return messages

    def tell(event, only_to, lead):
        publish_update(event, only_to=only_to, lead=lead)
        connections.close_all()

    status, retry, first, listening, event, own_event = asyncio.run(listen())

    assert status == 200
    assert retry.startswith("retry:")
    assert first.startswith("event: resync")
    assert listening.startswith("event: resync")  # the listener has (re)connected
    assert event == f"event: lead\ndata: {json.dumps({'lead': '42'})}\n\n"
    assert "44" in own_event


def test_slow_stream_reader_is_dropped():
    async def flood():
        readers, slow = EventBroadcaster(), StreamClient("1")
        readers._clients.add(slow)
        for number in range(MAX_QUEUED_EVENTS + 1):
            readers.broadcast(json.dumps({"event": "lead", "data": {"lead": str(number)}}))
        return slow in readers._clients, [
            slow.queue.get_nowait() for _ in range(MAX_QUEUED_EVENTS)
        ][-1]

    assert asyncio.run(flood()) == (False, None)


def test_live_event_carries_only_ids():
    with pytest.raises(ValueError, match="carries only ids"):
        publish_update("lead", note="x" * MAX_NOTICE_BYTES)
