"""Single-use nonces of the forms that show a one-time secret.

A nonce is signed for one user and kept nowhere until it is spent; spending is an insert under a unique constraint in the
operation's own transaction, so a reload or a double click finds it spent, and a refused attempt leaves it unspent.
"""

import hashlib
import secrets
from datetime import timedelta

from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import SpentNonce, User
from iamconsole.errors import AlreadyShown, ValidationError

LIFETIME = timedelta(hours=12)
_SALT = "one-time form"


def new_nonce(user: User) -> str:
    """A nonce for a form shown to ``user``."""
    return signing.dumps([user.pk, secrets.token_hex(16)], salt=_SALT)


def spend(nonce: str | None, user: User) -> None:
    """Spend the nonce inside the running transaction. Raises AlreadyShown when it was spent before."""
    try:
        owner, _ = signing.loads(nonce or "", salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature as error:
        raise ValidationError("This form is out of date. Open it again and send it once more.") from error
    if owner != user.pk:
        raise ValidationError("This form was made for another user. Open it again.")
    SpentNonce.objects.filter(spent_date__lt=timezone.now() - 2 * LIFETIME).delete()
    try:
        with transaction.atomic():
            SpentNonce.objects.create(nonce=hashlib.sha256((nonce or "").encode()).hexdigest())
    except IntegrityError as error:
        raise AlreadyShown(
            "The secret of this form was already shown and cannot be shown again. If it is lost, delete what it belongs to"
            " and create another."
        ) from error
