"""Putting a credential away so that it can be brought back as it was. Only operations call these, on locked rows."""

from datetime import datetime

from accounts.models import User
from credentials.models import AccessKey, LoginProfile, PasswordHistory
from credentials.steps import end_sessions, remove_login_profile, switch_access_key
from credentials.unused.models import Deactivation
from iamconsole.errors import EntityAlreadyExists, InvalidInput


def put_away(user: User, credential: LoginProfile | AccessKey, now: datetime, *, automatic: bool) -> Deactivation:
    """Switch a key off, or take a password away and keep it. Whatever was announced is done with."""
    kept = Deactivation(account_id=user.account_id, user=user, deactivate_date=now, automatic=automatic)
    if isinstance(credential, AccessKey):
        switch_access_key(user, credential, AccessKey.Status.INACTIVE, now)
        kept.kind, kept.key = Deactivation.Kind.ACCESS_KEY, credential
    else:
        kept.kind, kept.encoded = Deactivation.Kind.PASSWORD, user.password
        kept.profile = {
            "create_date": credential.create_date.isoformat(),
            "password_reset_required": credential.password_reset_required,
            "password_expire_date": _text(credential.password_expire_date),
            "password_last_changed": _text(user.password_last_changed),
        }
        remove_login_profile(user)
    kept.save(force_insert=True)
    return kept


def bring_back(user: User, kept: Deactivation, now: datetime) -> None:
    """Undo `put_away`: the same key signs, the same password opens, which is as old as it was and expires as it would have.

    Raises InvalidInput for a key that somebody has switched since, EntityAlreadyExists for a user with another password.
    """
    if kept.key is not None:
        if not kept.has_stayed():
            raise InvalidInput(f"The access key {kept.access_key_id} was switched since. Switch it by its own page.")
        switch_access_key(user, kept.key, AccessKey.Status.ACTIVE, now)
        return
    if LoginProfile.objects.filter(user=user).exists():
        raise EntityAlreadyExists(f"Login Profile for user {user.user_name} already exists.")
    remembered = PasswordHistory.newest(user).filter(encoded=kept.encoded).first()
    if remembered is not None:
        remembered.delete()
    user.password, user.password_last_changed = kept.encoded, kept.moment("password_last_changed")
    user.save(update_fields=["password", "password_last_changed"])
    LoginProfile.objects.create(
        user=user,
        create_date=kept.moment("create_date") or now,
        password_reset_required=kept.profile["password_reset_required"],
        password_expire_date=kept.moment("password_expire_date"),
        status_date=now,
    )
    kept.delete()
    end_sessions(user)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
