"""The rotation of the encryption keys: every sealed column sealed anew, and whether a ring is the one this database wants.

``SEALED`` is the registry of what is sealed. What keeps only digests under the ring (recovery codes, text codes, set-up links,
service-specific credentials) cannot be made anew without what the digests are of: it ends, or keeps its key in the ring.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import SetupLink
from credentials.certificate_models import SEALED_PRIVATE_KEY, EncryptionKey, ServerCertificate
from credentials.mfa.models import SEALED_SEED, MFADevice, RecoveryCode, TextCode
from credentials.models import SEALED_SECRET, AccessKey
from credentials.sealing import KeyRing, SealBrokenError
from credentials.service_credentials import ServiceSpecificCredential

CANARY = "credentials_encryptionkey.canary"
BATCH = 100  # rows whose locks are held at a time
LONGEST_TOKEN = timedelta(hours=36)  # a session token's life at most; it is sealed and kept nowhere


class WrongKeyRingError(Exception):
    """The ring is not the one that this database was sealed with. Its text is a sentence that says what to do."""


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed values. Its rows know their identity in the seal: ``sealed_row``."""

    model: Any
    attribute: str
    column: str
    what: str
    related: tuple[str, ...] = ()

    def rows(self) -> models.QuerySet[Any]:
        """The rows that hold a sealed value, loaded with what their identity is made of."""
        rows: models.QuerySet[Any] = self.model.objects.exclude(**{self.attribute: ""})
        return rows.select_related(*self.related) if self.related else rows

    def under(self, *key_ids: str) -> Q:
        """Sealed with one of these keys."""
        found = Q(pk__in=[])
        for key_id in key_ids:
            found |= Q(**{f"{self.attribute}__startswith": f"{key_id}:"})
        return found


SEALED = (
    SealedColumn(AccessKey, "sealed_secret", SEALED_SECRET, "secrets of access keys", ("user",)),
    SealedColumn(MFADevice, "sealed_seed", SEALED_SEED, "seeds of MFA devices"),
    SealedColumn(ServerCertificate, "sealed_private_key", SEALED_PRIVATE_KEY, "private keys of server certificates"),
)


@dataclass(frozen=True)
class Progress:
    """How far one column is: rows sealed anew by this run, of so many that were due when it began."""

    what: str
    done: int
    due: int


def check_ring() -> None:
    """Raise WrongKeyRingError unless the ring opens what it is known to have sealed. Reads a few rows; changes nothing."""
    ring: KeyRing = settings.KEY_RING
    for key in EncryptionKey.objects.order_by("create_date"):
        if key.key_id not in dict(ring.keys):
            raise WrongKeyRingError(
                f"ENCRYPTION_KEYS lacks the key {key.key_id}, with which this database was sealed: put it back, from your copy"
                " of the keys. (A key that is to go is let go by manage.py rotate_encryption_key --let-go.)"
            )
        _open(ring, key.canary, CANARY, key.key_id)


def adopt_ring() -> None:
    """Check the ring, and note the keys that are new in it. Raises WrongKeyRingError and then notes none."""
    check_ring()
    ring: KeyRing = settings.KEY_RING
    known = set(EncryptionKey.objects.values_list("key_id", flat=True))
    strange = next(_sealed_otherwise([key_id for key_id, _ in ring.keys]), None)
    if strange is not None:
        raise WrongKeyRingError(
            f"ENCRYPTION_KEYS lacks the key {strange}, with which values of this database are sealed: put it back, from your"
            " copy of the keys."
        )
    fresh = [(key_id, key) for key_id, key in ring.keys if key_id not in known]
    for key_id, _ in fresh:
        for sealed in SEALED:
            row = sealed.rows().filter(sealed.under(key_id)).first()
            if row is not None:
                _open(ring, getattr(row, sealed.attribute), sealed.column, row.sealed_row)
    for key_id, key in fresh:
        canary = KeyRing(((key_id, key),)).seal("canary", column=CANARY, row=key_id)
        EncryptionKey.objects.get_or_create(key_id=key_id, defaults={"canary": canary})


def require_known(key_id: str) -> None:
    """Raise WrongKeyRingError for a key that no server was started with: it could not open what the key seals."""
    if not EncryptionKey.objects.filter(key_id=key_id).exists():
        raise WrongKeyRingError(f"No server was started with the key {key_id} in its ring yet: restart it first.")


def _open(ring: KeyRing, sealed: str, column: str, row: str) -> str:
    try:
        return ring.unseal(sealed, column=column, row=row)
    except SealBrokenError as error:
        key_id = sealed.partition(":")[0]
        raise WrongKeyRingError(
            f"The key {key_id} in ENCRYPTION_KEYS is not the key of that name with which this database was sealed: put the right"
            " one back, from your copy of the keys."
        ) from error


def _sealed_otherwise(key_ids: list[str]) -> Iterator[str]:
    """The ids of keys that are not among these and that something is sealed with, one a column."""
    for sealed in SEALED:
        row = sealed.rows().exclude(sealed.under(*key_ids)).order_by("pk").first()
        if row is not None:
            yield str(getattr(row, sealed.attribute)).partition(":")[0]


def rotate(batch: int = BATCH, *, servers_follow: bool = True) -> Iterator[Progress]:
    """Seal every value anew that is not sealed with the active key, yielding after each batch, which is then committed.

    ``servers_follow``: every server has this key as its active one, so that nothing is made with an older one from now on.
    A run that is killed is finished by the next one: what is done already is not due. Raises SealBrokenError for a value that no
    key of the ring opens, all batches before it being done; WrongKeyRingError while no server knows the active key.
    """
    ring: KeyRing = settings.KEY_RING
    require_known(ring.active)
    resealed = 0
    for sealed in SEALED:
        due = sealed.rows().exclude(sealed.under(ring.active)).count()
        done, after = 0, 0
        yield Progress(sealed.what, done, due)
        while True:
            last, number = _next_batch(ring, sealed, after, batch)
            if last is None:
                break
            after, done = last, done + number
            yield Progress(sealed.what, done, max(due, done))
        resealed += done
    if servers_follow:
        _note_rotation(again=resealed > 0)


def _next_batch(ring: KeyRing, sealed: SealedColumn, after: int, size: int) -> tuple[int | None, int]:
    """Seal the next rows anew in one transaction, their locks held. Returns the last one's number and how many they were."""
    with transaction.atomic(durable=True):
        due = sealed.rows().filter(pk__gt=after).exclude(sealed.under(ring.active)).order_by("pk")
        rows = list(due.select_for_update(no_key=True, of=("self",))[:size])
        for row in rows:
            text = ring.unseal(getattr(row, sealed.attribute), column=sealed.column, row=row.sealed_row)
            anew = ring.seal(text, column=sealed.column, row=row.sealed_row)
            sealed.model.objects.filter(pk=row.pk).update(**{sealed.attribute: anew})
    return (rows[-1].pk if rows else None), len(rows)


def _note_rotation(*, again: bool) -> None:
    """Write down since when nothing is sealed or digested with another key: anew if something was found that still was."""
    active = EncryptionKey.objects.filter(key_id=settings.KEY_RING.active)
    (active if again else active.filter(rotate_date__isnull=True)).update(rotate_date=timezone.now())


@dataclass(frozen=True)
class Retirement:
    """What still needs the older keys of the ring. ``tokens_until`` is when the last session token sealed with one ends."""

    key_ids: tuple[str, ...]
    recovery_codes: int
    setup_links: int
    text_codes: int
    service_credentials: int
    tokens_until: datetime | None

    @property
    def is_safe(self) -> bool:
        """Whether the older keys may leave the ring: nothing needs them."""
        return not (
            self.recovery_codes or self.setup_links or self.text_codes or self.service_credentials or self.tokens_until
        )


def retirement(now: datetime) -> Retirement:
    """What would stop working if the older keys left the ring now, everything sealed being sealed with the active one."""
    ring: KeyRing = settings.KEY_RING
    older = tuple(key_id for key_id, _ in ring.keys[1:])
    since = EncryptionKey.objects.get(key_id=ring.active).rotate_date or now
    ends = since + LONGEST_TOKEN
    return Retirement(
        older,
        _old_codes(since).count(),
        _old_links(since, now).count(),
        TextCode.objects.filter(create_date__lte=since, spent=False, create_date__gt=now - timedelta(hours=1)).count(),
        _old_credentials(since).count(),
        ends if ends > now else None,
    )


def let_go() -> tuple[str, ...]:
    """Forget the older keys, with what only they know: codes, links, service-specific credentials. Returns their ids.

    Raises WrongKeyRingError while something is still sealed with one of them.
    """
    ring: KeyRing = settings.KEY_RING
    now = timezone.now()
    with transaction.atomic(durable=True):
        strange = next(_sealed_otherwise([ring.active]), None)
        if strange is not None:
            raise WrongKeyRingError(f"Something is still sealed with the key {strange}: rotate first.")
        since = EncryptionKey.objects.get(key_id=ring.active).rotate_date or now
        _old_codes(since).delete()
        _old_links(since, now).delete()
        _old_credentials(since).delete()
        older = tuple(
            EncryptionKey.objects.exclude(key_id=ring.active).order_by("create_date").values_list("key_id", flat=True)
        )
        EncryptionKey.objects.exclude(key_id=ring.active).delete()
    return older


def _old_codes(since: datetime) -> models.QuerySet[RecoveryCode]:
    return RecoveryCode.objects.filter(create_date__lte=since, used_date__isnull=True)


def _old_credentials(since: datetime) -> models.QuerySet[ServiceSpecificCredential]:
    """Those that were not used since: each use keeps a digest under the active key."""
    return ServiceSpecificCredential.objects.filter(digest_date__lte=since)


def _old_links(since: datetime, now: datetime) -> models.QuerySet[SetupLink]:
    return SetupLink.objects.filter(create_date__lte=since, expire_date__gt=now, used_date__isnull=True)
