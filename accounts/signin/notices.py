"""What is said once after signing in: the sign-in before, what failed since, and what became of one's credentials meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import HttpRequest

from accounts.browsers import browser_name
from accounts.models import User
from accounts.signin.who import ACTION
from audit.models import Event, EventKey
from audit.record import digest
from credentials.mfa import recovery_codes
from credentials.unused.models import Deactivation

MOST_CHANGES: Final = 5
FEW_CODES: Final = 3
CHANGES: Final[Mapping[str, str]] = {
    "iam:CreateLoginProfile": "console access was given",
    "iam:UpdateLoginProfile": "the password was set",
    "iam:DeleteLoginProfile": "console access was taken away",
    "iam:ChangePassword": "the password was changed",
    "iam:UpdateUser": "the user was renamed or moved",
    "iam:EnableMFADevice": "an MFA device was added",
    "iam:ResyncMFADevice": "an MFA device was set right",
    "iam:DeactivateMFADevice": "an MFA device was taken away",
    "iam:CreateAccessKey": "an access key was created",
    "iam:UpdateAccessKey": "an access key was switched on or off",
    "iam:DeleteAccessKey": "an access key was deleted",
    "iam:UploadSSHPublicKey": "an SSH public key was uploaded",
    "iam:UpdateSSHPublicKey": "an SSH public key was switched on or off",
    "iam:DeleteSSHPublicKey": "an SSH public key was deleted",
    "iam:UploadSigningCertificate": "a signing certificate was uploaded",
    "iam:UpdateSigningCertificate": "a signing certificate was switched on or off",
    "iam:DeleteSigningCertificate": "a signing certificate was deleted",
    "iam:CreateServiceSpecificCredential": "a service-specific credential was created",
    "iam:ResetServiceSpecificCredential": "a service-specific credential was given a new password",
    "iam:UpdateServiceSpecificCredential": "a service-specific credential was switched on or off",
    "iam:DeleteServiceSpecificCredential": "a service-specific credential was deleted",
    "iamconsole:UpdateAccessKeyDetails": "the description or the end of an access key was changed",
    "iamconsole:CreateServiceToken": "a service token was created",
    "iamconsole:DeleteServiceToken": "a service token was deleted",
    "iamconsole:CreateRecoveryCodes": "recovery codes were made",
    "iamconsole:EnableRootMFADevice": "an MFA device was added",
    "iamconsole:ResyncRootMFADevice": "an MFA device was set right",
    "iamconsole:UpdateRootUserEmail": "the e-mail address was changed",
    "iamconsole:UpdateRootUserPassword": "the password was changed",
    "iamconsole:RecoverRootUser": "the root user was recovered",
}
# A password one changes oneself in the console is not told: the form that changed it has said so.
TOLD_BY_THE_FORM: Final = frozenset({"iam:ChangePassword", "iamconsole:UpdateRootUserPassword"})


@dataclass(frozen=True)
class Notices:
    """What there is to say: the sign-in before this one, how many failed since, the latest changes and how many there are.

    ``announced``: what the nightly run will deactivate because nobody uses it.
    """

    last: Event | None
    failures: int
    changes: tuple[Event, ...]
    number: int
    announced: tuple[Deactivation, ...] = ()


def before_this(user: User) -> Notices:
    """What there is to say to a user who is about to come in."""
    chain = Event.objects.filter(chain=user.account_id)
    signing_in = chain.filter(actor_id=user.user_id, action=ACTION)
    last = signing_in.filter(result="Success").order_by("-sequence").first()
    failed = signing_in.exclude(result="Success").filter(sequence__gt=last.sequence if last else 0)
    announced = tuple(Deactivation.objects.filter(user=user, deactivate_date__isnull=True).select_related("key"))
    if last is None:
        return Notices(None, failed.count(), (), 0, announced)
    # By the id, for the user may have had another name or path then.
    of_user = EventKey.objects.filter(chain=user.account_id, key=digest(user.user_id), sequence__gt=last.sequence)
    changes = of_user.filter(event__action__in=CHANGES, event__result="Success").select_related("event")
    changes = changes.exclude(event__action__in=TOLD_BY_THE_FORM, event__door="console")
    latest = tuple(found.event for found in changes.order_by("-event_time", "-sequence")[:MOST_CHANGES])
    return Notices(last, failed.count(), latest, changes.count() if latest else 0, announced)


def tell(request: HttpRequest, user: User, notices: Notices) -> None:
    """Say it on the next page."""
    told = "You have signed in for the first time."
    if notices.last is not None:
        told = f"Last sign-in: {notices.last.event_time:%Y-%m-%d %H:%M} UTC"
        told += f" from {notices.last.source_ip} with {browser_name(notices.last.user_agent)}."
    if notices.failures:
        attempts = "attempt" if notices.failures == 1 else "attempts"
        told += f" {notices.failures} sign-in {attempts} failed since then."
    level = messages.WARNING if notices.failures else messages.INFO
    messages.add_message(request, level, told, fail_silently=True)
    if notices.changes:
        lines = "; ".join(_change(user, each) for each in notices.changes)
        more = f"; and {notices.number - MOST_CHANGES} more" if notices.number > MOST_CHANGES else ""
        told = f"Changed since then: {lines}{more}. If that was not meant, tell your administrator."
        messages.add_message(request, messages.WARNING, told, fail_silently=True)
    for each in notices.announced:
        messages.add_message(request, messages.WARNING, _announcement(each), fail_silently=True)


def tell_recovery_codes_left(request: HttpRequest, user: User) -> None:
    """Say, after one was used, how many there are."""
    left = recovery_codes.left(user)
    codes = "1 recovery code is" if left == 1 else f"{left or 'No'} recovery codes are"
    told = f"{codes} left. Each signs in once: new ones are made under My security credentials."
    messages.add_message(request, messages.INFO if left > FEW_CODES else messages.WARNING, told, fail_silently=True)


def _announcement(of: Deactivation) -> str:
    """What the nightly run will do; a password is in use from this very sign-in on."""
    if of.key is None:
        return "Your password was unused for so long that it would have been deactivated. Signing in has kept it."
    return (
        f"Nobody uses your access key {of.key.access_key_id}. It will be deactivated in the night after"
        f" {of.due_date:%Y-%m-%d %H:%M} UTC, unless it is used before. Delete it if you need it no more."
    )


def _change(user: User, event: Event) -> str:
    """One change: what, by whom, when."""
    # With a word before it: somebody may be named "you".
    who = f"user {event.actor_arn.rpartition('/')[2]}"
    if event.actor_id == user.user_id:
        who = "you"
    elif event.actor_arn.endswith(":root"):
        who = "the root user"
    if event.door == "shell":
        who = "the operator"
    return f"{CHANGES[event.action]} by {who} ({event.event_time:%Y-%m-%d %H:%M} UTC)"
