"""What the operator takes out of the installation: a server certificate with its private key, for a TLS server."""

import logging
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts import arns
from accounts.caller import Caller
from accounts.models import Account
from credentials.certificate_models import ServerCertificate, private_key_of
from credentials.sealing import SealBrokenError
from iamconsole.asked import Resolved
from iamconsole.errors import InvalidCertificate, NoSuchEntity
from iamconsole.operation import Issued, operation

log = logging.getLogger("iamconsole")


@dataclass(frozen=True)
class _OfAccount:
    """The server certificate of that name in the account with that id or alias."""

    consumes: frozenset[str] = frozenset({"account", "server_certificate_name"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        label, name = parameters.pop("account"), parameters.pop("server_certificate_name")
        account = Account.objects.filter(Q(pk=label) | Q(alias=label)).first()
        if account is None:
            return Resolved("*", missing=NoSuchEntity(f"There is no account with the id or alias {label}."))
        certificates = ServerCertificate.objects.named(account.pk, name)
        certificate = (certificates.select_for_update(no_key=True) if lock else certificates).first()
        if certificate is None:
            arn = arns.server_certificate(account.pk, "/", name)
            missing = NoSuchEntity(f"The Server Certificate with name {name} cannot be found.")
            return Resolved(arn, missing=missing, chain=account.pk)
        return Resolved(certificate.arn, {"certificate": certificate}, chain=account.pk)


@operation("iamconsole:ExportServerCertificate", on=_OfAccount(), lock=True, issues_secret=True, by_operator=True)
def export_server_certificate(caller: Caller, *, certificate: ServerCertificate) -> Issued[ServerCertificate]:
    """A certificate with its chain and its private key. The account's trail has a line of each time.

    Raises InvalidCertificate for one whose private key does not open, because its row was altered.
    """
    try:
        private_key = private_key_of(certificate)
    except SealBrokenError as error:
        log.critical("%s: this server certificate is not exported", error)
        raise InvalidCertificate(
            f"The private key of the server certificate {certificate.server_certificate_name} does not open: what is stored of it"
            " was altered or is of another certificate. Delete it and upload it again."
        ) from error
    return Issued(certificate, {"private_key": private_key})
