"""Server certificates of accounts and signing certificates of users."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Left
from django.utils import timezone

from accounts import arns
from accounts.fields import ByteOrderedCharField
from accounts.models import Account, User

SEALED_PRIVATE_KEY = "credentials_servercertificate.sealed_private_key"
WARNINGS = (7, 30, 60)  # days before the end at which it is told, the most urgent first


class ServerCertificateQuerySet(models.QuerySet["ServerCertificate"]):
    """Server certificates, always asked for as those of one account."""

    def in_account(self, account_id: str) -> "ServerCertificateQuerySet":
        """The account's."""
        return self.filter(account=account_id)

    def named(self, account_id: str, server_certificate_name: str) -> "ServerCertificateQuerySet":
        """The account's of that name, in whatever case; or none."""
        return self.in_account(account_id).filter(name_key=server_certificate_name.lower())

    def under(self, path_prefix: str) -> "ServerCertificateQuerySet":
        """Those whose path begins with the prefix, its case minded."""
        return self.alias(path_start=Left("path", len(path_prefix))).filter(path_start=path_prefix)

    def listed(self) -> "ServerCertificateQuerySet":
        """Without their long texts."""
        return self.defer("certificate_body", "certificate_chain", "sealed_private_key")


class ServerCertificate(models.Model):
    """A certificate for a TLS server. Its private key is sealed; `private_key_of` alone opens it, for the operator's export."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="server_certificates")
    server_certificate_id = models.CharField(max_length=21, unique=True)
    server_certificate_name = models.CharField(max_length=128)
    name_key = ByteOrderedCharField(max_length=128)
    path = models.CharField(max_length=512, default="/")
    tags = models.JSONField(default=list)  # [{"key": …, "value": …}, …] in the order they were set
    certificate_body = models.TextField()
    certificate_chain = models.TextField(null=True)  # noqa: DJ001 - None is what AWS's answer leaves out
    sealed_private_key = models.TextField()
    upload_date = models.DateTimeField(default=timezone.now)
    expiration = models.DateTimeField()

    objects = ServerCertificateQuerySet.as_manager()

    class Meta:
        verbose_name = "server certificate"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "name_key"], name="server_certificate_name_once_per_account")
        ]

    def __str__(self) -> str:
        return self.server_certificate_id

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arns.server_certificate(self.account_id, self.path, self.server_certificate_name)

    @property
    def server_certificate_metadata(self) -> "ServerCertificate":
        """AWS's ServerCertificateMetadata, whose members are this one's."""
        return self

    @property
    def sealed_row(self) -> str:
        """The row's identity in the seal: a key moved to another certificate or another account does not open."""
        return f"{self.account_id}/{self.server_certificate_id}"

    def seal(self, private_key: str) -> None:
        """Take a private key; saves nothing."""
        self.sealed_private_key = settings.KEY_RING.seal(private_key, column=SEALED_PRIVATE_KEY, row=self.sealed_row)

    @property
    def days_left(self) -> int:
        """Whole days until it expires; negative when it has."""
        return (self.expiration - timezone.now()).days

    @property
    def has_expired(self) -> bool:
        """Whether it is over."""
        return timezone.now() >= self.expiration

    @property
    def expires_within(self) -> int | None:
        """The narrowest of 7, 30 and 60 days that it expires within, 0 when it has; None when there is time."""
        if self.has_expired:
            return 0
        return next((days for days in WARNINGS if self.days_left < days), None)


class SigningCertificate(models.Model):
    """A user's X.509 certificate, by which signatures of the user's can be told. It holds no secret."""

    class Status(models.TextChoices):
        """Whether it counts."""

        ACTIVE = "Active"
        INACTIVE = "Inactive"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="signing_certificates")
    certificate_id = models.CharField(max_length=32)
    certificate_body = models.TextField()
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    upload_date = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "certificate_id"], name="signing_certificate_once_per_account"),
            models.CheckConstraint(
                condition=models.Q(status__in=["Active", "Inactive"]), name="signing_certificate_status"
            ),
        ]

    def __str__(self) -> str:
        return self.certificate_id

    @property
    def user_name(self) -> str | None:
        """The owner's name, or None for the root user."""
        return self.user.user_name

    @property
    def active(self) -> bool:
        """Whether it counts."""
        return self.status == self.Status.ACTIVE


class EncryptionKey(models.Model):
    """A key of the ring that has sealed something here, with a text it sealed: a ring that does not open it is the wrong one."""

    key_id = models.CharField(max_length=32, primary_key=True)
    canary = models.TextField()
    create_date = models.DateTimeField(default=timezone.now)
    # When all was first sealed anew with this key: what keeps only digests has none of an older key since then.
    rotate_date = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.key_id


def private_key_of(certificate: ServerCertificate) -> str:
    """The private key of a certificate, as PEM. Raises `sealing.SealBrokenError`."""
    text: str = settings.KEY_RING.unseal(
        certificate.sealed_private_key, column=SEALED_PRIVATE_KEY, row=certificate.sealed_row
    )
    return text


def soonest(certificates: list[ServerCertificate]) -> list[ServerCertificate]:
    """Those that expire within sixty days or have, the first to end first."""
    return sorted(
        (each for each in certificates if each.expires_within is not None),
        key=lambda each: (each.expiration, each.name_key),
    )
