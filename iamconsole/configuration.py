"""What the settings read: the data folder, the secrets of the embedded mode, the public address.

Each function either returns a usable value or raises ``ImproperlyConfigured`` with one sentence that says what to set.
"""

import ipaddress
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

# What `restrict` takes away from an SSH session and the operator may give back.
GIVEN_BACK = ("agent-forwarding", "port-forwarding", "pty", "user-rc", "X11-forwarding")
LOGIN_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}", re.ASCII)

# Of apprise's services those that send text messages, and json(s), which posts to a gateway of one's own.
SMS_SCHEMES = frozenset(
    {
        *(
            "bulksms",
            "burstsms",
            "clickatell",
            "clicksend",
            "d7sms",
            "httpsms",
            "json",
            "jsons",
            "kavenegar",
            "msgbird",
        ),
        *("nexmo", "octopush", "plivo", "seven", "sinch", "smseagle", "smseagles", "sns", "telnyx", "twilio", "voipms"),
        *("vonage",),
    }
)


def data_folder(path: Path) -> Path:
    """Return the folder that holds all state, made if missing and readable by its owner only (mode 0700)."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data folder {path} cannot be made private ({error.strerror}): set IAMCONSOLE_DATA to a folder you own."
        ) from error
    return path


def embedded_secret(path: Path, make: Callable[[], str], *, sealed: Path | None = None) -> str:
    """Read the secret in ``path``; on the first start make it, readable by its owner only.

    What it has ``sealed`` would be lost under another one, so none is made beside that.

    The file appears whole or not at all, and of two processes that start at once one wins and both read its secret.
    """
    if not path.exists():
        if sealed is not None and sealed.exists() and not path.exists():
            raise ImproperlyConfigured(
                f"{path} is missing, and {sealed} holds what was sealed with it: put the file back from your copy."
            )
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # the other process was first: its secret counts
        finally:
            draft.unlink()
    return path.read_text().strip()


def is_loopback(host: str) -> bool:
    """Whether a host name or address without a port can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def public_url(text: str, name: str = "PUBLIC_URL") -> str:
    """Return the address people use, without a trailing slash: https, or http on a loopback host."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or parts.path.strip("/") or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name} must look like https://iam.example.org, without a path; it is {text!r}.")
    if parts.scheme == "http" and not is_loopback(host):
        raise ImproperlyConfigured(
            f"{name} {text!r} is plain HTTP on a host that is not this machine: passwords would cross the network in"
            f" the clear. Put a TLS proxy in front (deploy/nginx.conf) and set {name} to its https:// address."
        )
    return f"{parts.scheme}://{parts.netloc}"


def git_url(text: str) -> str:
    """Return the address of the Git host that relies on this server (deploy/nginx-git.conf); empty where none is named."""
    return public_url(text, "GIT_URL") if text else ""


def allowed_hosts(hosts: list[str], url: str) -> list[str]:
    """Return the Host names that are answered: those given, or else the public one, and this machine's own for probes."""
    if "*" in hosts:
        raise ImproperlyConfigured("ALLOWED_HOSTS may not hold '*': name the hosts people use, separated by commas.")
    return [*(hosts or [urlsplit(url).hostname or ""]), "localhost", "127.0.0.1", "[::1]"]


def networks(texts: list[str], name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Parse addresses and networks in CIDR form."""
    try:
        return [ipaddress.ip_network(text) for text in texts]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be addresses or networks like 10.0.0.0/8: {error}.") from error


def sms_url(value: str) -> str:
    """The gateway of text messages: none, ``outbox:``, or an address of one of the schemes with {number} in it."""
    if value in ("", "outbox:"):
        return value
    if value.partition("://")[0] not in SMS_SCHEMES:
        raise ImproperlyConfigured(
            f"SMS_URL must be outbox: or begin with one of {', '.join(sorted(SMS_SCHEMES))}, and ://."
        )
    if value.count("{number}") != 1:
        raise ImproperlyConfigured("SMS_URL must have {number} in it once, where the recipient's number belongs.")
    return value


def ssh_login_names(value: list[str]) -> list[str]:
    """The names under which any key of an account may come in, as the operating system has them. Key ids are always such."""
    if unfit := [name for name in value if not LOGIN_NAME.fullmatch(name) or name == "root"]:
        raise ImproperlyConfigured(f"SSH_LOGIN_NAMES must be names such as git, and never root; {unfit[0]!r} is not.")
    return value


def ssh_key_options(value: list[str]) -> list[str]:
    """What of that which ``restrict`` takes away sshd gives back to whoever comes in by a key."""
    if unknown := [option for option in value if option not in GIVEN_BACK]:
        raise ImproperlyConfigured(f"SSH_KEY_OPTIONS may have {', '.join(GIVEN_BACK)}; {unknown[0]!r} is none of them.")
    return value
