"""Service-specific credentials: a user name and a password, or an API key, that one service takes and no other does.

Of the secret there is a digest only. AWS: "Generates a set of credentials consisting of a user name and password that can be
used to access the service specified in the request" (IAM API Reference, CreateServiceSpecificCredential).
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts import arns
from accounts.models import User
from credentials.secrets import new_token

PURPOSE = "credentials.ServiceSpecificCredential"


@dataclass(frozen=True)
class Service:
    """A service that has such credentials. ``key_prefix`` begins its API keys; without one it has user names and passwords."""

    name: str
    label: str
    key_prefix: str = ""

    @property
    def kind(self) -> str:
        """What its credentials are, in words."""
        return "API key" if self.key_prefix else "user name and password"

    @property
    def prefix(self) -> str:
        """What its actions begin with in policies."""
        return self.name.partition(".")[0]


GIT: Final = "codecommit.amazonaws.com"
SERVICES: Final[Mapping[str, Service]] = {
    service.name: service
    for service in (
        Service(GIT, "Git over HTTPS (CodeCommit)"),
        Service("cassandra.amazonaws.com", "Cassandra (Keyspaces)"),
        Service("bedrock.amazonaws.com", "Bedrock", key_prefix="ABSK"),
        Service("logs.amazonaws.com", "CloudWatch Logs", key_prefix="ACWL"),
    )
}
OF_PREFIX: Final[Mapping[str, Service]] = {service.prefix: service for service in SERVICES.values()}


class ServiceSpecificCredential(models.Model):
    """What proves a user to one service. Its name stays what it was when the user is renamed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="service_specific_credentials")
    service_specific_credential_id = models.CharField(max_length=21, unique=True)
    service_name = models.CharField(max_length=64)
    name = models.CharField(max_length=100)  # a user name, a number and the account
    secret_digest = models.CharField(max_length=64)  # HMAC-SHA-256 under the key ring, hexadecimal
    digest_date = models.DateTimeField(default=timezone.now)
    active = models.BooleanField(default=True)
    create_date = models.DateTimeField(default=timezone.now)
    expiration_date = models.DateTimeField(null=True)
    last_used_date = models.DateTimeField(null=True)
    last_used_address = models.CharField(max_length=45, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service_name", "name"], name="service_credential_name_once")
        ]

    def __str__(self) -> str:
        return self.service_specific_credential_id

    @property
    def user_name(self) -> str | None:
        """The owner's name."""
        return self.user.user_name

    @property
    def service(self) -> Service:
        """The service it is for."""
        return SERVICES[self.service_name]

    @property
    def service_user_name(self) -> str | None:
        """AWS's name of the name that goes with a password."""
        return None if self.service.key_prefix else self.name

    @property
    def service_credential_alias(self) -> str | None:
        """AWS's name of the public part of an API key."""
        return self.name if self.service.key_prefix else None

    @property
    def status(self) -> str:
        """AWS's word for whether it counts: Active, Inactive, or Expired."""
        if self.has_expired:
            return "Expired"
        return "Active" if self.active else "Inactive"

    @property
    def has_expired(self) -> bool:
        """Whether its time is over."""
        return self.expiration_date is not None and timezone.now() >= self.expiration_date

    def is_good(self, now: datetime) -> bool:
        """Whether it proves anything: switched on and not expired."""
        return self.active and (self.expiration_date is None or now < self.expiration_date)

    @classmethod
    def issue(
        cls, user: User, service: Service, *, life: timedelta | None
    ) -> tuple["ServiceSpecificCredential", Mapping[str, str]]:
        """Make and save one for a locked ``user``; returns it with its secret member, which is not to be had again."""
        now = timezone.now()
        made = cls(
            user=user,
            service_specific_credential_id=arns.new_unique_id("ACCA"),
            service_name=service.name,
            name=_free_name(user, service),
            create_date=now,
            expiration_date=now + life if life else None,
        )
        told = made._new_secret()
        made.save(force_insert=True)
        return made, told

    def reset(self) -> Mapping[str, str]:
        """Put another secret in the place of the one it has; returns the secret member."""
        told = self._new_secret()
        self.save(update_fields=["secret_digest", "digest_date"])
        return told

    @classmethod
    def nobodys(cls) -> "ServiceSpecificCredential":
        """One that no secret proves."""
        return cls(user=User(), secret_digest="")

    def proves(self, secret: str) -> bool:
        """Whether this is its secret. What is compared are digests, in constant time."""
        matches = [hmac.compare_digest(self.secret_digest, digest) for digest in self._digests(secret)]
        return any(matches)

    def renew_digest(self, secret: str) -> None:
        """Keep a digest of the secret, which proved it, under the active key: an older one may then leave the ring."""
        active = self._digests(secret)[0]
        if self.secret_digest != active:
            unchanged = ServiceSpecificCredential.objects.filter(pk=self.pk, secret_digest=self.secret_digest)
            unchanged.update(secret_digest=active, digest_date=timezone.now())

    def _new_secret(self) -> Mapping[str, str]:
        secret = new_token()
        self.secret_digest, self.digest_date = self._digests(secret)[0], timezone.now()
        if not self.service.key_prefix:
            return {"service_password": secret}
        pair = base64.b64encode(f"{self.name}:{secret}".encode()).decode()
        return {"service_credential_secret": self.service.key_prefix + pair}

    def _digests(self, secret: str) -> tuple[str, ...]:
        """Of the secret with the row's identity: a digest moved to another row, user or account proves nothing there."""
        row = f"{self.user.account_id}/{self.user.user_id}/{self.service_specific_credential_id}"
        found: tuple[str, ...] = settings.KEY_RING.digests(f"{row}:{secret}", purpose=PURPOSE)
        return found


def _free_name(user: User, service: Service) -> str:
    """The first of ``alice-at-123456789012``, ``alice+1-at-123456789012``, … that nobody has at the service."""
    of_service = ServiceSpecificCredential.objects.filter(service_name=service.name, user__account=user.account_id)
    taken = frozenset(of_service.filter(name__startswith=str(user.user_name)).values_list("name", flat=True))
    names = (f"{user.user_name}{f'+{number}' if number else ''}-at-{user.account_id}" for number in count())
    return next(name for name in names if name not in taken)
