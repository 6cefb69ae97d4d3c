"""SSH public keys of users."""

from typing import ClassVar, Self

from django.db import models
from django.utils import timezone

from accounts import arns
from accounts.models import Account, User
from credentials.ssh.public_keys import PublicKey, of_sshd


class SSHPublicKeyQuerySet(models.QuerySet["SSHPublicKey"]):
    """SSH public keys, asked for by what they open."""

    def that_open(self, account: Account) -> Self:
        """The account's keys by which somebody may come in now: active, of users who may authenticate."""
        return self.filter(user__in=User.objects.who_may_authenticate(account), status=SSHPublicKey.Status.ACTIVE)

    def with_sharing(self, account: Account) -> Self:
        """The account's keys, each told whether somebody else of the account comes in by the same one: ``is_shared``."""
        # Asked one by one: of a key there are few others, of an account many users.
        good = models.Exists(User.objects.who_may_authenticate(account).filter(pk=models.OuterRef("user")))
        others = SSHPublicKey.objects.filter(good, digest=models.OuterRef("digest"), status=SSHPublicKey.Status.ACTIVE)
        return self.annotate(is_shared=models.Exists(others.exclude(user=models.OuterRef("user"))))

    def shared(self, account: Account) -> Self:
        """The account's keys that open and that somebody else of it comes in by too."""
        return self.that_open(account).with_sharing(account).filter(is_shared=True)


class SSHPublicKey(models.Model):
    """An SSH public key. What was uploaded is not kept: ``body`` is re-made from the key's numbers, ``type base64``."""

    class Status(models.TextChoices):
        """Whether it opens."""

        ACTIVE = "Active"
        INACTIVE = "Inactive"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="ssh_public_keys")
    ssh_public_key_id = models.CharField(max_length=20, unique=True)
    body = models.TextField()
    digest = models.CharField(max_length=64, db_index=True)  # SHA-256 of SSH's encoding, hexadecimal
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    upload_date = models.DateTimeField(default=timezone.now)
    last_used_date = models.DateTimeField(null=True)

    objects = SSHPublicKeyQuerySet.as_manager()
    is_shared: bool = False  # of ``with_sharing``

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(status__in=["Active", "Inactive"]), name="ssh_public_key_status"),
            models.UniqueConstraint(fields=["user", "digest"], name="ssh_public_key_once_per_user"),
        ]

    def __str__(self) -> str:
        return self.ssh_public_key_id

    @classmethod
    def keep(cls, user: User, key: PublicKey) -> "SSHPublicKey":
        """Save a key of ``user``."""
        kept = cls(
            user=user,
            ssh_public_key_id=arns.new_access_key_id(user.account_id, "APKA"),
            body=key.line,
            digest=key.digest,
        )
        kept.save(force_insert=True)
        return kept

    @property
    def key(self) -> PublicKey:
        """The key itself."""
        return of_sshd(*self.body.split(" "))

    @property
    def key_type(self) -> str:
        """SSH's name of its kind."""
        return self.body.partition(" ")[0]

    @property
    def user_name(self) -> str | None:
        """The owner's name."""
        return self.user.user_name

    @property
    def active(self) -> bool:
        """Whether it opens."""
        return self.status == self.Status.ACTIVE

    @property
    def opens_by_id_alone(self) -> bool:
        """Whether it opens, and does not say by itself who comes: see ``with_sharing``."""
        return self.active and self.is_shared

    @property
    def fingerprint(self) -> str:
        """AWS's fingerprint: MD5 with colons."""
        return self.key.fingerprint

    @property
    def sha256_fingerprint(self) -> str:
        """OpenSSH's fingerprint."""
        return self.key.sha256_fingerprint

    @property
    def ssh_public_key_body(self) -> str:
        """The key in SSH's encoding, without a comment."""
        return self.body
