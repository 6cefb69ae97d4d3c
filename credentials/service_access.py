"""Service-specific credentials at work: what a request names itself by in HTTP's Basic or Bearer scheme (RFC 7617, RFC 6750).

A service with user names and passwords takes Basic, as AWS's CodeCommit does, one with API keys Bearer. What is of one service is
nothing to another.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from credentials.access_keys import Signer, note_use_of_service_credential
from credentials.service_credentials import OF_PREFIX, Service, ServiceSpecificCredential
from iamconsole.errors import InvalidClientTokenId

NAME: Final = re.compile(r"[\w+=,.@-]{1,80}-at-[0-9]{12}", re.ASCII)
WRONG: Final = "The user name, password or API key is wrong, or no longer good for this service."


@dataclass(frozen=True)
class Claim:
    """The name of a service-specific credential, with the secret that should prove it."""

    service: Service
    name: str
    secret: str = field(repr=False)


def claim_of(headers: Iterable[Mapping[str, str]], action: str) -> Claim | None:
    """What the headers claim in the scheme that the action's service takes; None for everything else, such as a signature.

    ``headers`` are the service model's Header. A name that this server makes none like is the empty one here: what people type
    there by mistake is often a password, and must not get into a log.
    """
    service = OF_PREFIX.get(action.partition(":")[0])
    given = [header["value"].strip() for header in headers if header["name"].lower() == "authorization"]
    if service is None or len(given) != 1:
        return None
    scheme, _, credentials = given[0].partition(" ")
    if scheme.lower() != ("bearer" if service.key_prefix else "basic"):
        return None
    pair = credentials.strip()
    if not pair.startswith(service.key_prefix):
        return Claim(service, "", "")
    try:
        text = base64.b64decode(pair.removeprefix(service.key_prefix), validate=True).decode()
    except (binascii.Error, ValueError):
        return Claim(service, "", "")
    name, _, secret = text.partition(":")
    return Claim(service, name if NAME.fullmatch(name) else "", secret)


def challenge_of(action: str) -> str | None:
    """What WWW-Authenticate asks a client of the action's service for; None where only a signature will do."""
    service = OF_PREFIX.get(action.partition(":")[0])
    if service is None:
        return None
    return 'Bearer realm="iamconsole"' if service.key_prefix else 'Basic realm="iamconsole", charset="UTF-8"'


def signer_of(claim: Claim, now: datetime, *, account_id: str, address: str) -> Signer:
    """Who proved the claim, with the use noted: one query. Raises InvalidClientTokenId, in the same words whatever is wrong.

    This is the one place that says whose service-specific credentials count.
    """
    credentials = ServiceSpecificCredential.objects.select_related("user__account", "user__boundary")
    found = credentials.filter(service_name=claim.service.name, name=claim.name, user__account=account_id).first()
    # A name that nobody has takes the same work.
    right = (found or ServiceSpecificCredential.nobodys()).proves(claim.secret)
    if found is None or not right or not found.is_good(now) or not found.user.is_active_at(now):
        raise InvalidClientTokenId(WRONG)
    found.renew_digest(claim.secret)
    note_use_of_service_credential(found, now, address=address)
    return Signer(found.user, None, service_credential=found)
