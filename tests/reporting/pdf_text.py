"""What a person can read on each page of a PDF of ours: small, and for the tests alone."""

import re
import zlib

OBJECT = re.compile(rb"(\d+) 0 obj\s*(.*?)\s*endobj", re.DOTALL)
_INNER = rb"\((?:\\.|[^\\()])*\)"
INSIDE = rb"(?:\\.|[^\\()]|\((?:\\.|[^\\()]|" + _INNER + rb")*\))*"  # brackets stand in pairs
STRING = re.compile(rb"\((" + INSIDE + rb")\)", re.DOTALL)
PARTS = re.compile(
    rb"/(f\d+) [\d.]+ Tf"
    rb"|((?:\[(?:\(" + INSIDE + rb"\)|[^\]()])*\])TJ|\(" + INSIDE + rb"\)Tj)"
    rb"|\bET\b",
    re.DOTALL,
)
PAIR = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]+)>")
ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pages(data: bytes) -> list[list[str]]:
    """Of each page, in order, the runs of text in it."""
    objects = {int(key): body for key, body in OBJECT.findall(data)}
    tree = next(body for body in objects.values() if b"/Type/Pages" in body and b"/Count" in body)
    found = []
    for key in _kids(tree, objects):
        page = objects[key]
        resources = objects.get(_reference(page, b"Resources"), page)
        named = dict(re.findall(rb"/(f\d+) (\d+) 0 R", resources))
        fonts = {name: _letters(objects[int(of)], objects) for name, of in named.items()}
        found.append(_runs(_stream(objects[_reference(page, b"Contents")]), fonts))
    return found


def words(runs: list[str]) -> str:
    """Runs as one line of words; where a long one may break there is nothing to see."""
    return " ".join(" ".join(runs).replace("\u200b", "").split())


def _kids(tree: bytes, objects: dict[int, bytes]) -> list[int]:
    kids = re.search(rb"/Kids\s*\[([^\]]*)\]", tree)
    assert kids is not None
    keys = [int(one) for one in re.findall(rb"(\d+) 0 R", kids[1])]
    return [
        leaf
        for key in keys
        for leaf in ([key] if b"/Kids" not in objects[key] else _kids(objects[key], objects))
    ]


def _reference(body: bytes, name: bytes) -> int:
    found = re.search(rb"/" + name + rb"\s*(\d+) 0 R", body)
    return int(found[1]) if found else 0


def _stream(body: bytes) -> bytes:
    raw = body.partition(b"stream\n")[2] or body.partition(b"stream\r\n")[2]
    return zlib.decompressobj().decompress(raw)


def _letters(font: bytes, objects: dict[int, bytes]) -> dict[int, str]:
    table = _stream(objects[_reference(font, b"ToUnicode")])
    return {
        int(code, 16): bytes.fromhex(said.decode()).decode("utf-16-be")
        for code, said in PAIR.findall(table)
    }


def _runs(content: bytes, fonts: dict[bytes, dict[int, str]]) -> list[str]:
    runs, letters, run = [], {}, ""
    for part in PARTS.finditer(content):
        if part[1]:
            letters = fonts[part[1]]
        elif part[2] is not None:
            codes = b"".join(_bytes(one) for one in STRING.findall(part[2]))
            run += "".join(
                letters.get(int.from_bytes(codes[at : at + 2]), "")
                for at in range(0, len(codes), 2)
            )
        elif run:
            runs.append(run)
            run = ""
    return runs


def _bytes(written: bytes) -> bytes:
    def plain(found: re.Match[bytes]) -> bytes:
        said = found[1]
        return bytes([int(said, 8)]) if said[:1].isdigit() else ESCAPED.get(said, said)

    return re.sub(rb"\\([0-7]{1,3}|.)", plain, written, flags=re.DOTALL)
