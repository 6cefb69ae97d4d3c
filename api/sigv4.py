"""AWS Signature Version 4, the checking side: what a request claims of itself, and whether its signature proves it.

``read_claim`` makes every check that needs no secret, so that only a request that could be good costs a look-up and
the opening of a secret; ``verify`` then proves the claim. Both read the same ``SignedRequest``: the bytes that came in,
never a re-encoded form of them. The format is that of the IAM User Guide, "AWS Signature Version 4 for API requests";
codes, messages and the order of the checks are those of IAM and STS ("Troubleshoot Signature Version 4").
"""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from api.canonical import SignedRequest, canonical_request, octets, query_pairs
from iamconsole.errors import (
    IncompleteSignature,
    InvalidClientTokenId,
    MissingAuthenticationToken,
    SignatureDoesNotMatch,
)

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
SKEW = timedelta(minutes=15)
LONGEST_EXPIRES = 604_800

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)
INVALID_KEY = "The security token included in the request is invalid."
UNSEEN_BODY = (
    "The request has a body, and no signed 'x-amz-content-sha256' header says what its SHA-256 is: who checks this"
    " signature does not see the body."
)

S3 = "s3"
UNSIGNED = "UNSIGNED-PAYLOAD"
# What S3's clients state where no signature covers the body. The STREAMING-AWS4-* forms are not among them: their chunks
# are signed one by one, and nobody behind this check could verify those.
_UNSIGNED_FORMS = frozenset({UNSIGNED, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"})

# What a query-signed request must carry, in the order of AWS's messages.
_QUERY_FIELDS = tuple(
    f"X-Amz-{name}" for name in ("Algorithm", "Credential", "Signature", "SignedHeaders", "Date", "Expires")
)
_SIGV2_FIELDS = frozenset({"awsaccesskeyid", "signatureversion"})
# Any of these in the query, in any case, makes it a source of credentials: a second one beside a header is refused.
_QUERY_SOURCE = frozenset({*(name.lower() for name in _QUERY_FIELDS), "x-amz-security-token", *_SIGV2_FIELDS})
# Headers whose one value decides something here: which of two would win must never be a question.
_SINGLE_HEADERS = ("authorization", "date", "host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token")

_KEY_ID = re.compile(r"[A-Za-z0-9_]{16,128}")
_HEX_256 = re.compile(r"[0-9a-f]{64}")
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_PRINTABLE = re.compile(r"[ -~]*")
_EXPIRES = re.compile(r"[0-9]{1,6}")
_BASIC = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
# botocore writes -0000, which RFC 5322 has for "UTC, zone not stated".
_RFC_1123 = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|[+-]0000)"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of itself, well-formed and current but not yet proved: only ``verify`` proves it."""

    access_key_id: str
    timestamp: datetime
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str = field(repr=False)
    session_token: str | None = field(repr=False)
    presigned: bool


class _Parts(NamedTuple):
    """The texts of a signature, from the Authorization header or from the query. ``dated_by`` names the date header."""

    credential: str
    signed_headers: str
    signature: str
    date: str
    dated_by: str | None
    expires: timedelta | None
    session_token: str | None


def read_claim(
    request: SignedRequest, *, now: datetime, services: Collection[str] | None, skew: timedelta = SKEW
) -> Claim:
    """Check everything about a request's signature that needs no secret, in AWS's order, and return what it claims.

    ``now`` is aware. ``services`` are the credential scopes' services this endpoint answers to, None for any.
    Raises MissingAuthenticationToken, IncompleteSignature, SignatureDoesNotMatch or InvalidClientTokenId.
    """
    parts = _read_parts(request)
    signed_headers = tuple(parts.signed_headers.split(";"))
    _check_signed_headers(request, signed_headers, parts.dated_by)
    timestamp = _read_timestamp(parts.date, http_date=parts.dated_by == "date")
    _check_time(timestamp, now.astimezone(UTC).replace(microsecond=0), skew, parts.expires)

    access_key_id, date, region, service = _read_scope(parts.credential, _basic(timestamp), services)
    if not _KEY_ID.fullmatch(access_key_id):
        raise InvalidClientTokenId(INVALID_KEY)
    if not _HEX_256.fullmatch(parts.signature):
        raise SignatureDoesNotMatch(MISMATCH)
    presigned = parts.expires is not None
    scope = (access_key_id, timestamp, date, region, service)
    claim = Claim(*scope, signed_headers, parts.signature, parts.session_token, presigned)
    payload_hash(claim, request)
    return claim


def claimed_key_id(request: SignedRequest) -> str:
    """The access key that a request names, nothing else about it being checked; empty when it names none."""
    try:
        access_key_id = _read_parts(request).credential.partition("/")[0]
    except (IncompleteSignature, MissingAuthenticationToken):
        return ""
    return access_key_id if _KEY_ID.fullmatch(access_key_id) else ""


def payload_hash(claim: Claim, request: SignedRequest) -> str:
    """What the claim's signature says of the body: its SHA-256, or, of S3's requests, that it does not cover it.

    A stated ``x-amz-content-sha256`` is held against the body; where nobody has seen that, it is taken as it was signed.
    """
    stated = {value.strip(" \t") for name, value in request.headers if name == "x-amz-content-sha256"}
    stated |= {
        value.decode("latin-1") for name, value in query_pairs(request.query) if name.lower() == b"x-amz-content-sha256"
    }
    if claim.service == S3 and not stated and claim.presigned:
        return UNSIGNED
    if claim.service == S3 and len(stated) == 1 and stated <= _UNSIGNED_FORMS:
        return stated.pop()
    known = request.body_hash
    if known is None:
        if not stated:
            raise SignatureDoesNotMatch(UNSEEN_BODY)
        known = next(filter(_HEX_256.fullmatch, stated), None)
    if known is None or (stated and stated != {known}):
        raise SignatureDoesNotMatch(
            "The provided 'x-amz-content-sha256' is not the SHA-256 of the body as received; unsigned and streaming"
            " payloads are not supported."
        )
    return known


def verify(claim: Claim, request: SignedRequest, secret_access_key: str) -> None:
    """Prove the claim ``read_claim`` made of this very request, or raise SignatureDoesNotMatch."""
    of_s3 = claim.service == S3
    canonical = canonical_request(
        request,
        claim.signed_headers,
        presigned=claim.presigned,
        normalize_path=not of_s3,
        double_encode=not of_s3,
        payload=payload_hash(claim, request),
    )
    key = signing_key(secret_access_key, claim.date, claim.region, claim.service)
    expected = hmac.digest(key, string_to_sign(claim, canonical), "sha256").hex()
    if not hmac.compare_digest(expected.encode("ascii"), octets(claim.signature)):
        raise SignatureDoesNotMatch(MISMATCH)


def string_to_sign(claim: Claim, canonical: bytes) -> bytes:
    """Step 2 of SigV4: the algorithm, the time, the scope and the canonical request's hash, a line each."""
    scope = f"{claim.date}/{claim.region}/{claim.service}/{TERMINATOR}"
    return octets("\n".join((ALGORITHM, _basic(claim.timestamp), scope, hashlib.sha256(canonical).hexdigest())))


def signing_key(secret_access_key: str, date: str, region: str, service: str) -> bytes:
    """Step 3 of SigV4: the key of one secret for one day, region and service."""
    return _scoped_key(hmac.digest(f"AWS4{secret_access_key}".encode(), octets(date), "sha256"), region, service)


@lru_cache(maxsize=512)
def _scoped_key(date_key: bytes, region: str, service: str) -> bytes:
    # Cached under the day's key, a digest of secret and date: the process keeps no secret access key here, and a
    # changed secret can never meet an old entry.
    region_key = hmac.digest(date_key, octets(region), "sha256")
    service_key = hmac.digest(region_key, octets(service), "sha256")
    return hmac.digest(service_key, TERMINATOR.encode("ascii"), "sha256")


def _read_parts(request: SignedRequest) -> _Parts:
    """The signature's parts from the one place they are in."""
    headers: dict[str, str] = {}
    for name, value in request.headers:
        if name in _SINGLE_HEADERS:
            if name in headers:
                raise IncompleteSignature(f"The header '{name}' is present more than once.")
            headers[name] = value.strip(" \t")
    query = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in query_pairs(request.query)]
    query = [(name, value) for name, value in query if name.lower() in _QUERY_SOURCE]
    if query:
        for header in ("Authorization", "X-Amz-Security-Token"):
            if header.lower() in headers:
                raise IncompleteSignature(
                    f"Found both '{query[0][0]}' as a query-string param and '{header}' as HTTP header."
                )
        return _read_query_parts(query)
    if not headers.get("authorization"):
        raise MissingAuthenticationToken("Request is missing Authentication Token")
    return _read_header_parts(headers)


def _read_header_parts(headers: dict[str, str]) -> _Parts:
    algorithm, _, rest = headers["authorization"].partition(" ")
    if algorithm != ALGORITHM:
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{_shown(algorithm)}'.")
    found: dict[str, str] = {}
    for pair in rest.split(",") if rest else ():
        name, equals, value = pair.strip(" \t").partition("=")
        if not equals:
            raise IncompleteSignature(
                f"'{_shown(name)}' not a valid key=value pair (missing equal-sign) in Authorization header."
            )
        if name not in ("Credential", "SignedHeaders", "Signature"):
            raise IncompleteSignature(f"Authorization header has an unknown parameter '{_shown(name)}'.")
        if name in found:
            raise IncompleteSignature(f"Authorization header has the parameter '{name}' more than once.")
        found[name] = value
    missing = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not found.get(name)
    ]
    dated_by = "x-amz-date" if "x-amz-date" in headers else "date"
    if dated_by not in headers:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing:
        raise IncompleteSignature(f"{' '.join(missing)} Authorization={ALGORITHM}")
    signature = (found["Credential"], found["SignedHeaders"], found["Signature"])
    return _Parts(*signature, headers[dated_by], dated_by, None, headers.get("x-amz-security-token"))


def _read_query_parts(query: list[tuple[str, str]]) -> _Parts:
    found = dict(query)
    if any(name.lower() in _SIGV2_FIELDS for name in found):
        raise IncompleteSignature(f"Unsupported AWS signature version: only {ALGORITHM} is supported.")
    for name, times in Counter(name.lower() for name, _ in query).items():
        if times > 1:
            raise IncompleteSignature(f"AWS query-string parameter '{name}' is present more than once.")
    if (algorithm := found.get("X-Amz-Algorithm") or ALGORITHM) != ALGORITHM:
        raise IncompleteSignature(f"Unsupported AWS 'algorithm': '{_shown(algorithm)}'.")
    missing = [f"AWS query-string parameters must include '{name}'." for name in _QUERY_FIELDS if not found.get(name)]
    if missing:
        raise IncompleteSignature(f"{' '.join(missing)} Re-examine the query-string parameters.")
    expires = found["X-Amz-Expires"]
    if not _EXPIRES.fullmatch(expires) or not 1 <= int(expires) <= LONGEST_EXPIRES:
        raise IncompleteSignature(f"'X-Amz-Expires' must be a whole number of seconds from 1 to {LONGEST_EXPIRES}.")
    signature = (found["X-Amz-Credential"], found["X-Amz-SignedHeaders"], found["X-Amz-Signature"])
    life = timedelta(seconds=int(expires))
    return _Parts(*signature, found["X-Amz-Date"], None, life, found.get("X-Amz-Security-Token"))


def _check_signed_headers(request: SignedRequest, signed: tuple[str, ...], dated_by: str | None) -> None:
    if not all(_HEADER_NAME.fullmatch(name) for name in signed) or list(signed) != sorted(set(signed)):
        raise IncompleteSignature("'SignedHeaders' must be header names in lower case, sorted, each of them once.")
    present = {name for name, _ in request.headers}
    required = {"host": "'Host' or ':authority'"}
    if dated_by == "date":
        required["date"] = "'Date'"
    # AWS signs them all by convention; here it is a rule, so that no x-amz-* header can be added on the way.
    required |= {name: f"'{_shown(name)}'" for name in sorted(present) if name.startswith("x-amz-")}
    for name, shown in required.items():
        if name not in signed:
            raise SignatureDoesNotMatch(f"{shown} must be a 'SignedHeader' in the AWS Authorization.")
    for name in signed:
        if name not in present:
            raise SignatureDoesNotMatch(f"The 'SignedHeader' '{_shown(name)}' is not in the request.")


def _read_scope(credential: str, signed_at: str, services: Collection[str] | None) -> tuple[str, str, str, str]:
    """Key id, date, region and service of a credential whose scope is right."""
    # A region is any text, but text that can be kept: a NUL would break PostgreSQL, far from here.
    if not _PRINTABLE.fullmatch(credential):
        raise IncompleteSignature("Credential must be printable ASCII.")
    try:
        access_key_id, date, region, service, terminator = credential.split("/")
    except ValueError:
        raise IncompleteSignature(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term,"
            f" got '{_shown(credential)}'"
        ) from None
    wrong = []
    if services is not None and service not in services:
        names = "' or '".join(sorted(services))
        wrong.append(f"Credential should be scoped to correct service: '{names}'.")
    if terminator != TERMINATOR:
        shown = _shown(terminator)
        wrong.append(f"Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{shown}'.")
    if date != signed_at[:8]:
        wrong.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP:"
            f" '{_shown(date)}' != '{signed_at[:8]}', from '{signed_at}'."
        )
    if wrong:
        raise SignatureDoesNotMatch(" ".join(wrong))
    return access_key_id, date, region, service


def _check_time(timestamp: datetime, now: datetime, skew: timedelta, expires: timedelta | None) -> None:
    """A header's signature is good for ``skew``, a presigned one for ``expires``; neither before ``now + skew``."""
    life = skew if expires is None else expires
    if now - timestamp > life:
        raise SignatureDoesNotMatch(
            f"Signature expired: {_basic(timestamp)} is now earlier than {_basic(now - life)}"
            f" ({_basic(now)} - {_minutes(life)} min.)"
        )
    if timestamp - now > skew:
        raise SignatureDoesNotMatch(
            f"Signature not yet current: {_basic(timestamp)} is still later than {_basic(now + skew)}"
            f" ({_basic(now)} + {_minutes(skew)} min.)"
        )


def _read_timestamp(text: str, *, http_date: bool) -> datetime:
    # Not strptime: its month names follow the locale, and it takes digits of any script.
    try:
        if match := _BASIC.fullmatch(text):
            year, month, day, hour, minute, second = map(int, match.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        if http_date and (match := _RFC_1123.fullmatch(text)):
            day, year, hour, minute, second = map(int, match.group(1, 3, 4, 5, 6))
            return datetime(year, _MONTHS.index(match[2]) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        pass  # no such month, day or time: no date either
    raise IncompleteSignature(
        f"Date must be in ISO-8601 'basic format'. Got '{_shown(text)}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )


def _basic(moment: datetime) -> str:
    # Not strftime: its %Y has no leading zeros for early years.
    return moment.replace(tzinfo=None).isoformat(timespec="seconds").replace("-", "").replace(":", "") + "Z"


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.10g}"


def _shown(text: str) -> str:
    """Someone's text, fit for a message: printable ASCII, not long."""
    return re.sub(r"[^ -~]", "?", text[:128])
