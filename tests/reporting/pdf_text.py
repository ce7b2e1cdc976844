"""Text of each page of a PDF that we rendered; small, and only for tests."""

import re
import zlib

OBJECT = re.compile(rb"(\d+) 0 obj\s*(.*?)\s*endobj", re.DOTALL)
_INNER = rb"\((?:\\.|[^\\()])*\)"
INSIDE = rb"(?:\\.|[^\\()]|\((?:\\.|[^\\()]|" + _INNER + rb")*\))*"  # parentheses come in pairs
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
    """Return the text runs of each page, in order."""
    objects = {int(key): body for key, body in OBJECT.findall(data)}
    tree = next(body for body in objects.values() if b"/Type/Pages" in body and b"/Count" in body)
    page_runs = []
    for key in _kids(tree, objects):
        page = objects[key]
        resources = objects.get(_reference(page, b"Resources"), page)
        font_keys = dict(re.findall(rb"/(f\d+) (\d+) 0 R", resources))
        fonts = {name: _letters(objects[int(key)], objects) for name, key in font_keys.items()}
        page_runs.append(_runs(_stream(objects[_reference(page, b"Contents")]), fonts))
    return page_runs


def words(runs: list[str]) -> str:
    """Join runs into one line; drop the zero-width spaces where long words can break."""
    return " ".join(" ".join(runs).replace("\u200b", "").split())


def _kids(tree: bytes, objects: dict[int, bytes]) -> list[int]:
    kids = re.search(rb"/Kids\s*\[([^\]]*)\]", tree)
    assert kids is not None
    keys = [int(number) for number in re.findall(rb"(\d+) 0 R", kids[1])]
    return [
        leaf
        for key in keys
        for leaf in ([key] if b"/Kids" not in objects[key] else _kids(objects[key], objects))
    ]


def _reference(body: bytes, name: bytes) -> int:
    match = re.search(rb"/" + name + rb"\s*(\d+) 0 R", body)
    return int(match[1]) if match else 0


def _stream(body: bytes) -> bytes:
    raw = body.partition(b"stream\n")[2] or body.partition(b"stream\r\n")[2]
    return zlib.decompressobj().decompress(raw)


def _letters(font: bytes, objects: dict[int, bytes]) -> dict[int, str]:
    table = _stream(objects[_reference(font, b"ToUnicode")])
    return {
        int(code, 16): bytes.fromhex(char.decode()).decode("utf-16-be")
        for code, char in PAIR.findall(table)
    }


def _runs(content: bytes, fonts: dict[bytes, dict[int, str]]) -> list[str]:
    runs, letters, run = [], {}, ""
    for part in PARTS.finditer(content):
        if part[1]:
            letters = fonts[part[1]]
        elif part[2] is not None:
            codes = b"".join(_bytes(text) for text in STRING.findall(part[2]))
            run += "".join(
                letters.get(int.from_bytes(codes[at : at + 2]), "")
                for at in range(0, len(codes), 2)
            )
        elif run:
            runs.append(run)
            run = ""
    return runs


def _bytes(escaped: bytes) -> bytes:
    def unescape(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8)]) if code[:1].isdigit() else ESCAPED.get(code, code)

    return re.sub(rb"\\([0-7]{1,3}|.)", unescape, escaped, flags=re.DOTALL)
