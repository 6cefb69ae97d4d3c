"""Signing certificates of users: upload, list, switch on and off, delete. Two a user, so that one can follow the other."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import targets
from accounts.caller import Caller
from accounts.models import User
from accounts.quotas import refuse_beyond
from accounts.tags import RESOURCE_TAGS
from credentials import certificates
from credentials.certificate_models import SigningCertificate
from credentials.certificates import Signing
from iamconsole.errors import DuplicateCertificate, InvalidInput, NoSuchEntity
from iamconsole.operation import operation
from iamconsole.paging import Page


def _checking(admitted: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"certificate_body": certificates.signing_certificate(admitted["certificate_body"], timezone.now())}


@operation(
    "iam:UploadSigningCertificate",
    on=targets.user_or_root,
    lock=True,
    sensitive=True,
    before=_checking,
    keys=RESOURCE_TAGS,
)
def upload_signing_certificate(caller: Caller, *, user: User, certificate_body: Signing) -> SigningCertificate:
    """Keep a certificate for the named user, or for the caller. It is active at once.

    Raises MalformedCertificate, InvalidCertificate, DuplicateCertificate when a user of the account has it, LimitExceeded at two.
    """
    refuse_beyond("CertificatesPerUser", user.account, SigningCertificate.objects.filter(user=user))
    certificate = SigningCertificate(
        account=user.account,
        user=user,
        certificate_id=certificate_body.certificate_id,
        certificate_body=certificate_body.body,
    )
    try:
        with transaction.atomic():  # of two users at once the constraint lets one have it
            certificate.save(force_insert=True)
    except IntegrityError as error:
        raise DuplicateCertificate("The certificate is a user's of this account already.") from error
    return certificate


@operation("iam:ListSigningCertificates", on=targets.user_or_root, reads=True, keys=RESOURCE_TAGS)
def list_signing_certificates(
    caller: Caller, *, user: User, max_items: int | None = None, marker: str | None = None
) -> Page[SigningCertificate]:
    """The user's certificates, in the order they were uploaded."""
    return Page.of(
        user.signing_certificates.select_related("user"),
        by="id",
        scope=f"ListSigningCertificates {user.user_id}",
        max_items=max_items,
        marker=marker,
    )


@operation("iam:UpdateSigningCertificate", on=targets.user_or_root, lock=True, sensitive=True, keys=RESOURCE_TAGS)
def update_signing_certificate(caller: Caller, *, user: User, certificate_id: str, status: str) -> None:
    """Switch a certificate on or off. Raises NoSuchEntity for one that is not the user's."""
    if status not in SigningCertificate.Status.values:
        raise InvalidInput(f"Operation does not support status {status}")
    certificate = _certificate(user, certificate_id)
    certificate.status = status
    certificate.save(update_fields=["status"])


@operation("iam:DeleteSigningCertificate", on=targets.user_or_root, lock=True, sensitive=True, keys=RESOURCE_TAGS)
def delete_signing_certificate(caller: Caller, *, user: User, certificate_id: str) -> None:
    """Delete a certificate. Raises NoSuchEntity for one that is not the user's."""
    _certificate(user, certificate_id).delete()


def _certificate(user: User, certificate_id: str) -> SigningCertificate:
    certificates_of_user = SigningCertificate.objects.select_for_update(no_key=True).filter(user=user)
    certificate = certificates_of_user.filter(certificate_id=certificate_id).first()
    if certificate is None:
        raise NoSuchEntity(f"The Certificate with id {certificate_id} cannot be found.")
    return certificate
