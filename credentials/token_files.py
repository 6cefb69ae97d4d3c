"""The files in which vendors hand over the seeds of hardware tokens: CSV, and PSKC (RFC 6030).

PSKC is the one XML that this product reads; defusedxml refuses DTDs, entities and references to elsewhere. Of its keys those are
read that stand in the clear (PlainValue): what is encrypted must be decrypted with the vendor's tool first.
"""

import base64
import binascii
import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from iamconsole.errors import InvalidInput

LARGEST_FILE = 2 * 1024 * 1024
MOST_TOKENS = 2000
PERIODS = range(15, 121)
SEED_BYTES = range(16, 65)  # RFC 4226 section 4: 128 bits at least
# AWS's form of a serial number (serialNumberType), without ARNs: those are the names of other kinds.
_SERIAL = re.compile(r"(?!arn:)[\w+=/:,.@-]{9,256}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,4}")
_PSKC = "{urn:ietf:params:xml:ns:keyprov:pskc}"
_TOTP = "urn:ietf:params:xml:ns:keyprov:pskc:totp"
_COLUMNS = {"serial_number", "seed_hex", "seed_base32", "digits", "period"}


@dataclass(frozen=True)
class Token:
    """One token of a file."""

    serial_number: str
    seed: bytes = field(repr=False)
    period: int


def read(file: bytes, form: str) -> list[Token]:
    """The tokens of a file in the form ``csv`` or ``pskc``. Raises InvalidInput, naming the line or key that is wrong."""
    if len(file) > LARGEST_FILE:
        raise InvalidInput("The file is larger than 2 MiB.")
    tokens: list[Token] = []
    seen: set[str] = set()
    for token in (_csv if form == "csv" else _pskc)(file):
        if token.serial_number in seen:
            raise InvalidInput(f"The serial number {token.serial_number} stands in the file twice.")
        seen.add(token.serial_number)
        tokens.append(token)
        if len(tokens) > MOST_TOKENS:
            raise InvalidInput(f"The file has more than {MOST_TOKENS} tokens: import it in parts.")
    if not tokens:
        raise InvalidInput("The file has no tokens.")
    return tokens


def _csv(file: bytes) -> Iterator[Token]:
    """Lines under a heading: serial_number, then seed_hex or seed_base32, and if they differ from 6 and 30, digits and period."""
    try:
        rows = csv.DictReader(file.decode("utf-8-sig").splitlines(), strict=True)
        columns = set(rows.fieldnames or ())
        if "serial_number" not in columns or len({"seed_hex", "seed_base32"} & columns) != 1 or columns - _COLUMNS:
            raise InvalidInput(
                "The first line must name the columns: serial_number, seed_hex or seed_base32, and if need be digits, period."
            )
        for row in rows:
            where = f"line {rows.line_num}"
            if None in row or None in row.values():
                raise InvalidInput(f"In {where} there are not as many values as columns.")
            decode = _hexadecimal if "seed_hex" in columns else _base32
            seed = row["seed_hex" if "seed_hex" in columns else "seed_base32"]
            yield _token(
                where,
                row["serial_number"].strip(),
                partial(decode, "".join(seed.split())),
                digits=row.get("digits") or "6",
                period=row.get("period") or "30",
            )
    except UnicodeDecodeError as error:
        raise InvalidInput("The file is not text in UTF-8.") from error
    except csv.Error as error:
        raise InvalidInput(f"The file is no CSV: {error}.") from error


def _pskc(file: bytes) -> Iterator[Token]:
    """Each Key of each KeyPackage."""
    try:
        root = fromstring(file, forbid_dtd=True)
    except DefusedXmlException as error:
        raise InvalidInput("The file has a DTD, entities or external references: a PSKC file needs none.") from error
    except (ParseError, ValueError, LookupError) as error:
        raise InvalidInput("The file is no well-formed XML.") from error
    if root.tag != f"{_PSKC}KeyContainer":
        raise InvalidInput("The file is no PSKC key container (RFC 6030).")
    for number, package in enumerate(root.iterfind(f"{_PSKC}KeyPackage"), 1):
        where = f"key package {number}"
        key = package.find(f"{_PSKC}Key")
        if key is None:
            raise InvalidInput(f"In {where} there is no key.")
        if key.get("Algorithm") != _TOTP:
            raise InvalidInput(f"The algorithm of {where} is not {_TOTP}.")
        if (suite := _text(key, "AlgorithmParameters/Suite")) not in ("", "HMAC-SHA1", "SHA1", "SHA-1"):
            raise InvalidInput(f"The suite of {where}, {suite[:40]}, is not HMAC-SHA1.")
        if key.find(_path("Data/Secret/PlainValue")) is None:
            raise InvalidInput(
                f"The secret of {where} is encrypted or missing: decrypt the file with its vendor's tool."
            )
        form = key.find(_path("AlgorithmParameters/ResponseFormat"))
        yield _token(
            where,
            _text(package, "DeviceInfo/SerialNo"),
            partial(_base64, "".join(_text(key, "Data/Secret/PlainValue").split())),
            digits="6" if form is None else form.get("Length", ""),
            period=_text(key, "Data/TimeInterval/PlainValue") or "30",
        )


def _token(where: str, serial_number: str, read_seed: Callable[[], bytes], *, digits: str, period: str) -> Token:
    if not _SERIAL.fullmatch(serial_number):
        raise InvalidInput(
            f"The serial number of {where} is not of 9 to 256 letters, digits and _+=/:,.@- (or is an ARN)."
        )
    try:
        seed = read_seed()
    except (ValueError, binascii.Error) as error:
        raise InvalidInput(f"The seed of {where} cannot be read.") from error
    if len(seed) not in SEED_BYTES:
        raise InvalidInput(f"The seed of {where} has {len(seed) * 8} bits: 128 to 512 are accepted.")
    if digits.strip() != "6":
        raise InvalidInput(f"The token of {where} does not show 6 digits: AWS's operations take no others.")
    if not _NUMBER.fullmatch(period.strip()) or int(period) not in PERIODS:
        raise InvalidInput(f"The period of {where} is not from {PERIODS[0]} to {PERIODS[-1]} seconds.")
    return Token(serial_number, seed, int(period))


def _hexadecimal(text: str) -> bytes:
    return bytes.fromhex(text)


def _base32(text: str) -> bytes:
    return base64.b32decode(text.upper() + "=" * (-len(text) % 8))


def _base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _path(path: str) -> str:
    return "/".join(f"{_PSKC}{part}" for part in path.split("/"))


def _text(element: Element, path: str) -> str:
    return (element.findtext(_path(path)) or "").strip()
