"""The columns of the list of users, one cell a user. What the caller may not read of a user is not told: each cell asks."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince

from accounts.caller import Caller
from accounts.list_models import COLUMN_NAMES
from accounts.models import User
from accounts.operations.groups import list_groups_for_user
from accounts.operations.suspension import get_user_status
from accounts.status import status_of
from accounts.targets import asked_of
from credentials.models import AccessKey
from credentials.operations.access_keys import list_access_keys
from credentials.operations.login_profiles import get_login_profile
from credentials.operations.mfa_devices import list_mfa_devices
from credentials.operations.signing_certificates import list_signing_certificates
from iamconsole.operation import Operation

NOT_PERMITTED: Final = "Not permitted"
NEVER, NONE, NOT_ENABLED, NOT_CHOSEN = "Never", "None", "Not enabled", "No password yet"
MFA_KINDS = {"virtual": "Virtual", "passkey": "Security key", "hardware": "Hardware", "sms": "SMS"}
MOST_NAMED = 2  # groups: of more the number stands in the cell, and the names fold out


@dataclass(frozen=True)
class Cell:
    """What stands in a cell: as text for a file, as HTML for the page."""

    text: str
    html: str = ""

    @property
    def shown(self) -> str:
        """What the page shows; text that is no HTML is escaped by the template."""
        return self.html or self.text


@dataclass(frozen=True)
class Cells:
    """The cells of rows, for one caller at one moment. ``kinds``: of which kinds the MFA devices of each user are."""

    caller: Caller
    kinds: Mapping[int, Collection[str]]
    now: datetime = field(default_factory=timezone.now)
    _decided: dict[tuple[str, int], bool] = field(default_factory=dict)  # several columns ask the same of a user

    def _may(self, operation: Operation[Any], user: User) -> bool:
        asked = (operation.action, user.pk)
        if asked not in self._decided:
            self._decided[asked] = operation.allows(self.caller, asked_of(user))
        return self._decided[asked]

    def user_name(self, user: User) -> Cell:
        """The link to the user's page, with a badge unless the user is active."""
        name = str(user.user_name)
        page = reverse("admin:accounts_user_change", args=[name])
        link = format_html('<a href="{}"><bdi>{}</bdi></a>', page, name)
        if not self._may(get_user_status, user):
            return Cell(name, link)
        status = status_of(user, self.now)
        return Cell(name, format_html('{} <span class="status {}">{}</span>', link, status.kind, status.word))

    def status(self, user: User) -> Cell:
        """What keeps the user out, or that nothing does."""
        return Cell(status_of(user, self.now).word if self._may(get_user_status, user) else NOT_PERMITTED)

    def path(self, user: User) -> Cell:
        """The path."""
        return Cell(user.path)

    def groups(self, user: User) -> Cell:
        """The names of the user's groups."""
        if not self._may(list_groups_for_user, user):
            return Cell(NOT_PERMITTED)
        names = [group.group_name for group in user.groups.all()]
        text = ", ".join(names) or NONE
        if len(names) <= MOST_NAMED:
            return Cell(text)
        return Cell(text, format_html("<details><summary>{} groups</summary>{}</details>", len(names), text))

    def last_activity(self, user: User) -> Cell:
        """The latest use of the password or of an access key."""
        if not self._may(list_access_keys, user):
            return Cell(NOT_PERMITTED)
        uses = [user.password_last_used, *(key.last_used_date for key in user.access_keys.all())]
        return _ago(max((use for use in uses if use), default=None), self.now, NEVER)

    def mfa(self, user: User) -> Cell:
        """The kinds of the user's devices."""
        if not self._may(list_mfa_devices, user):
            return Cell(NOT_PERMITTED)
        return Cell(", ".join(name for kind, name in MFA_KINDS.items() if kind in self.kinds.get(user.pk, ())) or NONE)

    def password_age(self, user: User) -> Cell:
        """How many days ago the password was set."""
        if not self._may(get_login_profile, user):
            return Cell(NOT_PERMITTED)
        if not hasattr(user, "login_profile"):
            return Cell(NONE)
        if _has_not_chosen(user):
            return Cell(NOT_CHOSEN)
        return self._age(user.password_last_changed or user.login_profile.create_date)

    def last_sign_in(self, user: User) -> Cell:
        """A date; Never for a password that was not used, None without one."""
        unused = self._may(get_login_profile, user) and hasattr(user, "login_profile")
        return _moment(user.password_last_used, NEVER if unused else NONE)

    def access_keys(self, user: User) -> Cell:
        """Each key's id and status."""
        return self._of_keys(user, lambda key: (key.access_key_id, f"({key.state})"))

    def active_key_age(self, user: User) -> Cell:
        """How many days old each active key is."""
        if not self._may(list_access_keys, user):
            return Cell(NOT_PERMITTED)
        ages = [self._age(key.create_date).text for key in user.access_keys.all() if key.is_good(self.now)]
        return Cell(", ".join(ages) or NONE)

    def access_key_last_used(self, user: User) -> Cell:
        """When each key was last used."""

        def told(key: AccessKey) -> tuple[str, str]:
            return key.access_key_id, _moment(key.last_used_date, NEVER).text

        return self._of_keys(user, told)

    def arn(self, user: User) -> Cell:
        """The ARN."""
        return Cell(user.arn, format_html("<code>{}</code>", user.arn))

    def created(self, user: User) -> Cell:
        """When the user was made."""
        return _moment(user.create_date, NEVER, "%Y-%m-%d")

    def console_access(self, user: User) -> Cell:
        """Whether there is a password, and whether it must be changed."""
        if not self._may(get_login_profile, user):
            return Cell(NOT_PERMITTED)
        if not hasattr(user, "login_profile"):
            return Cell(NOT_ENABLED)
        if _has_not_chosen(user):
            return Cell(NOT_CHOSEN)
        return Cell("Must change password" if user.login_profile.must_change else "Enabled")

    def signing_certificates(self, user: User) -> Cell:
        """How many are active, and how many are not."""
        if not self._may(list_signing_certificates, user):
            return Cell(NOT_PERMITTED)
        statuses = [str(each.status) for each in user.signing_certificates.all()]
        told = [f"{statuses.count(each)} {each.lower()}" for each in ("Active", "Inactive") if each in statuses]
        return Cell(", ".join(told) or NONE)

    def _of_keys(self, user: User, told: Callable[[AccessKey], tuple[str, str]]) -> Cell:
        if not self._may(list_access_keys, user):
            return Cell(NOT_PERMITTED)
        rows = [told(key) for key in user.access_keys.all()]
        html = format_html_join("", '<div class="nowrap"><code>{}</code> {}</div>', rows)
        return Cell("; ".join(" ".join(row) for row in rows) or NONE, html)

    def _age(self, since: datetime) -> Cell:
        days = (self.now - since).days
        return Cell(f"{days} day{'' if days == 1 else 's'}")


@dataclass(frozen=True)
class Column:
    """A column: its heading, its cell, and the field it is sorted by where an index serves that."""

    name: str
    label: str
    cell: Callable[[Cells, User], Cell]
    sort: str = ""


COLUMNS: Final = {
    column.name: column
    for column in (
        Column("user_name", "User name", Cells.user_name, "user_name_key"),
        Column("path", "Path", Cells.path, "path"),
        Column("groups", "Groups", Cells.groups),
        Column("last_activity", "Last activity", Cells.last_activity),
        Column("mfa", "MFA", Cells.mfa),
        Column("password_age", "Password age", Cells.password_age, "password_last_changed"),
        Column("last_sign_in", "Console last sign-in", Cells.last_sign_in, "password_last_used"),
        Column("access_keys", "Access key ID", Cells.access_keys),
        Column("active_key_age", "Active key age", Cells.active_key_age),
        Column("access_key_last_used", "Access key last used", Cells.access_key_last_used),
        Column("arn", "ARN", Cells.arn),
        Column("created", "Created", Cells.created, "create_date"),
        Column("console_access", "Console access", Cells.console_access),
        Column("signing_certificates", "Signing certificates", Cells.signing_certificates),
    )
}
STATUS: Final = Column("status", "Status", Cells.status)  # of files: the page shows it as a badge beside the name
OPTIONAL: Final = [COLUMNS[name] for name in COLUMN_NAMES]  # all but the name, which always stands first


def chosen(names: Iterable[str]) -> list[Column]:
    """The columns of these names in their one order, behind the user's name."""
    names = set(names)
    return [COLUMNS["user_name"], *(column for column in OPTIONAL if column.name in names)]


def _has_not_chosen(user: User) -> bool:
    """Whether there is a set-up link, open or expired, in the place of a password."""
    return user.password_last_changed is None and not user.has_usable_password()


def _moment(value: datetime | None, otherwise: str, form: str = "%Y-%m-%d %H:%M") -> Cell:
    if value is None:
        return Cell(otherwise)
    return Cell(value.strftime(form), _time(value, value.strftime(form)))


def _ago(value: datetime | None, now: datetime, otherwise: str) -> Cell:
    if value is None:
        return Cell(otherwise)
    since = timesince(value, now, depth=1)
    return Cell(value.strftime("%Y-%m-%d %H:%M"), _time(value, "just now" if since.startswith("0") else f"{since} ago"))


def _time(value: datetime, text: str) -> str:
    exact = value.strftime("%Y-%m-%d %H:%M:%S UTC")
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact, text)
