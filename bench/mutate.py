"""Bytes that are almost right: valid messages, cut, joined, repeated and spoiled, the same for the same seed."""

from __future__ import annotations

import random  # noqa: TC003 - annotations are read by people only

TOKENS = (
    b"\r\n", b"\n", b"\r", b"\0", b": ", b" ", b"\t", b",", b";", b'"', b"\r\n\r\n", b"\r\n ", b"\x80", b"\xff", b"\x7f",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding : chunked\r\n",
    b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Content-Length: +5\r\n", b"Content-Length: 5, 5\r\n",
    b"Host: b.example\r\n", b"Connection: close\r\n", b"Connection: host\r\n", b"Connection: upgrade\r\n",
    b"Upgrade: websocket\r\n", b"Expect: 100-continue\r\n", b"Range: bytes=1-2,-1\r\n", b"Age: 99999999999999999999\r\n",
    b'Cache-Control: max-age=1e9, "\r\n', b"Vary: *\r\n", b"Date: Thu, 99 Foo 0000 25:61:61 GMT\r\n", b"ETag: W/\r\n",
    b'If-None-Match: "a", W/"\r\n', b"Content-Range: bytes 5-1/3\r\n", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.1", b"0\r\n\r\n",
    b"ffffffffffffffff\r\n", b'5;a="\r\n"\r\nhello\r\n', b"-1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"%2e%2e/", b"http://c/",
)  # fmt: skip
NUMBERS = (
    b"0",
    b"1",
    b"-1",
    b"00",
    b"4294967296",
    b"18446744073709551616",
    b"1e3",
    b"0x5",
    b"",
    b"999",
    b"100",
    b"\xb2",
)


def spoiled(chance: random.Random, corpus: tuple[bytes, ...]) -> bytes:
    """Return one of the messages after one to six changes."""
    data = chance.choice(corpus)
    for _ in range(chance.randint(1, 6)):
        data = chance.choice(_CHANGES)(chance, data, corpus)
    return data[:200_000]


def pieces(chance: random.Random, data: bytes) -> list[bytes]:
    """Cut the bytes as a network might."""
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((0, 0, 1, 2, 5))))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True) if start < end]


def _place(chance: random.Random, data: bytes) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + int(chance.expovariate(1 / 8)))


def _insert(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    start, _end = _place(chance, data)
    return data[:start] + chance.choice(TOKENS) + data[start:]


def _insert_line(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    lines = data.split(b"\r\n")
    place = chance.randrange(1, len(lines) + 1)
    return b"\r\n".join([*lines[:place], chance.choice(TOKENS).removesuffix(b"\r\n"), *lines[place:]])


def _remove(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    start, end = _place(chance, data)
    return data[:start] + data[end:]


def _repeat(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    start, end = _place(chance, data)
    return data[:end] + data[start:end] * chance.choice((1, 1, 2, 50)) + data[end:]


def _flip(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    if not data:
        return data
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]


def _cut(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _join(chance: random.Random, data: bytes, corpus: tuple[bytes, ...]) -> bytes:
    other = chance.choice(corpus)
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def _follow(chance: random.Random, data: bytes, corpus: tuple[bytes, ...]) -> bytes:
    return data + chance.choice(corpus)


def _swap_lines(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    lines = data.split(b"\r\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\r\n".join(lines)


def _number(chance: random.Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    digits = [place for place, byte in enumerate(data) if chr(byte).isdigit() and byte < 0x80]  # noqa: PLR2004 - ASCII
    if not digits:
        return data
    place = chance.choice(digits)
    return data[:place] + chance.choice(NUMBERS) + data[place + 1 :]


_CHANGES = (
    _insert, _insert, _insert_line, _insert_line, _remove, _repeat, _flip, _cut, _join, _follow, _swap_lines, _number,
)  # fmt: skip
