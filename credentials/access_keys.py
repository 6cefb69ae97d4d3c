"""Opening an access key's secret, to check a signature. The only place that does."""

from django.conf import settings

from credentials.models import SEALED_SECRET, AccessKey


def secret_of(key: AccessKey) -> str:
    """The secret of a key (loaded with its user). Raises `sealing.SealBrokenError`."""
    secret: str = settings.KEY_RING.unseal(key.sealed_secret, column=SEALED_SECRET, row=key.sealed_row)
    return secret
