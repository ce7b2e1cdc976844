import gzip

import pytest
from django.test import Client
from django.urls import reverse

from rooftree.web.server import static_files
from tests import make
from tests.web.test_queue import give_lead

LIMIT = 150_000


def get_compressed(path):
    return Client().get(path, headers={"accept-encoding": "gzip"})


@pytest.mark.parametrize("name", ["css/tokens.css", "js/hot_keys.js", "icons.svg"])
def test_compressible_file_is_sent_compressed(name):
    small, uncompressed = get_compressed(f"/static/{name}"), Client().get(f"/static/{name}")

    packed, plain = small.getvalue(), uncompressed.getvalue()
    assert small["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in uncompressed
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain)


def test_changed_file_is_served_again(tmp_path):
    source, target = tmp_path / "a.css", tmp_path / "out" / "a.css"
    source.write_text("b {}")
    static_files._copy_if_changed(source, target)
    source.write_text("i {}")
    static_files._copy_if_changed(source, target)

    assert target.read_text() == "i {}"
    assert gzip.decompress((tmp_path / "out" / "a.css.gz").read_bytes()) == b"i {}"


def test_page_is_never_compressed(cast, signed_in):
    page = signed_in(cast.dana.user).get("/queue/", headers={"accept-encoding": "gzip"})

    assert "Content-Encoding" not in page


def test_full_queue_page_stays_within_its_size_limit(cast, signed_in):
    for _ in range(26):
        give_lead(make.lead(source=cast.zillow), cast.dana, response_due_at=make.NOON + make.MINUTE)

    page = signed_in(cast.dana.user).get("/queue/")
    parts = {word.split("#")[0] for word in page.text.split('"') if word.startswith("/static/")}
    weights = {path: len(get_compressed(path).getvalue()) for path in parts}

    assert page.text.count("data-row") == 25
    total = len(page.content) + sum(weights.values())
    assert total < LIMIT, (len(page.content), weights)
    assert reverse("queue") in page.text
