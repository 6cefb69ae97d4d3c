"""QR codes with which an authenticator app takes over a seed, drawn by qrcode."""

import base64
import io
from urllib.parse import quote, urlencode

import qrcode
from qrcode.image.pure import PyPNGImage
from qrcode.image.svg import SvgPathFillImage

ISSUER = "iamconsole"


def otpauth(device_name: str, owner: str, seed: bytes) -> str:
    """The text of the code: the device, whose it is (a user's or the account's label), and the seed."""
    label = quote(f"{device_name}@{owner}", safe="@")
    return f"otpauth://totp/{label}?{urlencode({'secret': base64.b32encode(seed).decode(), 'issuer': ISSUER})}"


def png(text: str) -> bytes:
    """A picture for programs."""
    return _drawn(text, PyPNGImage)


def svg(text: str) -> str:
    """A picture for pages, as an element to stand in them: without the XML declaration."""
    return _drawn(text, SvgPathFillImage).decode().partition("?>")[2].strip()


def _drawn(text: str, image_factory: type) -> bytes:
    picture = io.BytesIO()
    qrcode.make(text, image_factory=image_factory).save(picture)
    return picture.getvalue()
