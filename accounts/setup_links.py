"""Set-up links: one-time addresses by which a user chooses a password.

Redeeming one is authentication, like signing in: there is no caller yet, so it writes its event itself.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import SetupLink, User
from audit.record import Origin, record
from credentials.models import LoginProfile
from credentials.passwords import NewPassword
from credentials.secrets import new_token
from credentials.steps import forget_password, set_password
from iamconsole.errors import NoSuchEntity

_PURPOSE = "set-up link"


def issue(user: User) -> str:
    """Make a link for ``user`` and return its address. Earlier links of the user stop working."""
    return _new_link(user)[1]


def give_access(user: User) -> tuple[SetupLink, str]:
    """Give a locked IAM user access to the console by a link, which is returned with its address.

    A password there was stops working and the sessions end: the user chooses one by the link.
    """
    profile, is_new = LoginProfile.objects.get_or_create(user=user)
    if not is_new:
        profile.password_reset_required, profile.password_expire_date = False, None
        profile.save(update_fields=["password_reset_required", "password_expire_date"])
    forget_password(user)
    return _new_link(user)


def _new_link(user: User) -> tuple[SetupLink, str]:
    SetupLink.objects.open_of(user).delete()
    token, now = new_token(), timezone.now()
    link = SetupLink.objects.create(
        user=user,
        token_digest=settings.KEY_RING.digests(token, purpose=_PURPOSE)[0],
        create_date=now,
        expire_date=now + timedelta(days=settings.SETUP_LINK_DAYS),
    )
    return link, f"{settings.PUBLIC_URL}/setup/{token}/"


def find(token: str) -> SetupLink:
    """The open link of that token. Raises NoSuchEntity alike for one that is used, expired, made up or a suspended user's."""
    digests = settings.KEY_RING.digests(token, purpose=_PURPOSE)
    link = SetupLink.objects.select_related("user__account").filter(token_digest__in=digests).first()
    now = timezone.now()
    if link is None or not link.is_open(now) or not link.user.is_active_at(now):
        raise NoSuchEntity("This set-up link was used, has expired or never was.")
    return link


def redeem(token: str, password: str, *, source_ip: str, user_agent: str, request_id: str) -> User:
    """Set the password and spend the link. Raises NoSuchEntity, PasswordPolicyViolation."""
    owner = find(token).user
    hashed = NewPassword.of(password, owner)
    with transaction.atomic(durable=True):
        user = User.objects.select_related("account").select_for_update(no_key=True, of=("self",)).get(pk=owner.pk)
        link = find(token)  # with its user locked nobody else can spend it
        link.used_date = timezone.now()
        link.save(update_fields=["used_date"])
        set_password(user, hashed)
        record(
            Origin(
                chain=user.account_id,
                actor_arn=user.arn,
                actor_id=user.user_id,
                door="console",
                source_ip=source_ip,
                user_agent=user_agent,
                request_id=request_id,
            ),
            action="iamconsole:RedeemSetupLink",
            resource=user.arn,
        )
    return user
