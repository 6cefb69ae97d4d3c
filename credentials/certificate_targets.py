"""Server certificates as what operations are about."""

from dataclasses import dataclass, replace
from typing import Any

from accounts import arns
from accounts.caller import Caller
from credentials.certificate_models import ServerCertificate
from credentials.targets import lock_account
from iamconsole.asked import Resolved
from iamconsole.errors import NoSuchEntity


def _named(caller: Caller, server_certificate_name: str, *, lock: bool) -> Resolved:
    certificates = ServerCertificate.objects.named(caller.account_id, server_certificate_name)
    certificate = (certificates.select_for_update(no_key=True) if lock else certificates).first()
    return Resolved(
        resource=certificate.arn
        if certificate
        else arns.server_certificate(caller.account_id, "/", server_certificate_name),
        entities={"certificate": certificate},
        label=f"server certificate {server_certificate_name}",
        missing=None
        if certificate
        else NoSuchEntity(f"The Server Certificate with name {server_certificate_name} cannot be found."),
        tags=certificate.tags if certificate else (),
    )


@dataclass(frozen=True)
class _ServerCertificate:
    """The account's server certificate named by ``server_certificate_name``."""

    consumes: frozenset[str] = frozenset({"server_certificate_name"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        return _named(caller, parameters.pop("server_certificate_name"), lock=lock)


@dataclass(frozen=True)
class _NewServerCertificate:
    """One that is about to be uploaded, decided on the ARN it will have. The account's row is what is locked."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        account = lock_account(caller, lock=lock)
        arn = arns.server_certificate(account.pk, parameters.get("path", "/"), parameters["server_certificate_name"])
        return Resolved(arn, {"account": account})


@dataclass(frozen=True)
class _RenamedServerCertificate:
    """One that is about to be renamed or moved: decided on the ARN it has and on the one it will have."""

    consumes: frozenset[str] = frozenset({"server_certificate_name"})

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        name = parameters.pop("server_certificate_name")
        lock_account(caller, lock=lock)
        target = _named(caller, name, lock=lock)
        certificate: ServerCertificate | None = target.entities["certificate"]
        new_arn = arns.server_certificate(
            caller.account_id,
            parameters.get("new_path", certificate.path if certificate else "/"),
            parameters.get("new_server_certificate_name", certificate.server_certificate_name if certificate else name),
        )
        return replace(target, further=(new_arn,))


@dataclass(frozen=True)
class _ServerCertificateList:
    """The account's server certificates under a path."""

    consumes: frozenset[str] = frozenset()

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        return Resolved(arns.iam(caller.account_id, f"server-certificate{parameters.get('path_prefix', '/')}"))


server_certificate = _ServerCertificate()
new_server_certificate = _NewServerCertificate()
renamed_server_certificate = _RenamedServerCertificate()
server_certificate_list = _ServerCertificateList()
