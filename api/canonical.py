"""Requests as Signature Version 4 sees them: the bytes that came in, and the one form of them that is signed.

The format is that of the IAM User Guide, "AWS Signature Version 4 for API requests", step 1.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote_from_bytes, unquote_to_bytes


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came in. Text is as WSGI has it: each character stands for one byte (PEP 3333).

    ``path`` keeps its percent-encoding and has no query; ``query`` is what followed the question mark; header names
    are lower-case and may repeat. ``body`` is None where it has not been seen here; ``body_sha256`` is then what someone
    who has seen it says its hash is, if anyone does.
    """

    method: str
    path: str
    query: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | None = field(repr=False)
    body_sha256: str | None = None

    @classmethod
    def told(
        cls, method: str, target: str, headers: Iterable[tuple[str, str]], *, body_sha256: str | None = None
    ) -> Self:
        """A request as someone tells of it who received it: text of any kind, meant in UTF-8, without the body.

        ``target`` is path and query as they stand in the request line. Without the hash of the body and without a header
        that announces one, there is none.
        """
        path, _, query = _wsgi(target).partition("?")
        given = tuple((_wsgi(name).lower(), _wsgi(value)) for name, value in headers)
        announced = any(
            name == "transfer-encoding" or (name == "content-length" and value.strip(" \t") not in ("", "0"))
            for name, value in given
        )
        body = None if announced or body_sha256 is not None else b""
        return cls(_wsgi(method), path, query, given, body, body_sha256)

    @property
    def body_hash(self) -> str | None:
        """The SHA-256 of the body, in hexadecimal, where it is known."""
        return self.body_sha256 if self.body is None else hashlib.sha256(self.body).hexdigest()


def canonical_request(
    request: SignedRequest,
    signed_headers: Collection[str],
    *,
    presigned: bool = False,
    normalize_path: bool = True,
    double_encode: bool = True,
    payload: str | None = None,
) -> bytes:
    """Step 1 of SigV4. S3's rules are ``normalize_path=False, double_encode=False``; ``payload`` is the body's hash.

    A presigned request's query stands without its signature. Its payload hash is the body's like any other's: so
    botocore's SigV4QueryAuth signs for IAM and STS, and only S3's signs UNSIGNED-PAYLOAD.
    """
    path = _canonical_path(request.path, normalize_path, double_encode)
    query = _canonical_query(request.query, without=b"X-Amz-Signature" if presigned else None)
    headers = (_canonical_header(request, name) for name in signed_headers)
    ending = (b"", octets(";".join(signed_headers)), octets(payload or request.body_hash or ""))
    return b"\n".join((octets(request.method), path, query, *headers, *ending))


def _canonical_path(path: str, normalize: bool, double_encode: bool) -> bytes:
    """The path with dot segments and empty segments resolved, encoded as sent (so a sent ``%`` becomes ``%25``)."""
    raw = octets(path) or b"/"
    if normalize:
        kept: list[bytes] = []
        for segment in raw.split(b"/"):
            if segment == b"..":
                del kept[-1:]
            elif segment not in (b"", b"."):
                kept.append(segment)
        raw = b"/" + b"/".join(kept) + (b"/" if kept and raw.endswith(b"/") else b"")
    if not double_encode:
        raw = unquote_to_bytes(raw)
    return quote_from_bytes(raw, safe="/-_.~").encode("ascii")


def _canonical_query(query: str, *, without: bytes | None) -> bytes:
    pairs = sorted(
        (quote_from_bytes(name, safe="-_.~"), quote_from_bytes(value, safe="-_.~"))
        for name, value in query_pairs(query)
        if name != without
    )
    return "&".join(f"{name}={value}" for name, value in pairs).encode("ascii")


def query_pairs(query: str) -> Iterator[tuple[bytes, bytes]]:
    """The names and values of a query string, decoded; a valueless name has the empty value.

    A raw ``+`` is a space. AWS's servers read it so and sign ``%20`` for it; the Query protocol reads it so too, and
    that decides: were it taken for a plus here, whoever holds a signed URL with ``%2B`` could send ``+`` instead and
    change a parameter without touching the signature. SDKs never send one (botocore signs the query exactly as it
    sends it, with ``%20`` and ``%2B``).
    """
    for pair in octets(query).replace(b"+", b" ").split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            yield unquote_to_bytes(name), unquote_to_bytes(value)


def _canonical_header(request: SignedRequest, name: str) -> bytes:
    values = (b" ".join(octets(value).split()) for header, value in request.headers if header == name)
    return octets(name) + b":" + b",".join(values)


def octets(text: str) -> bytes:
    """The bytes that a text of WSGI's stands for."""
    return text.encode("latin-1")


def _wsgi(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")
