"""What an account should mend, counted by a fixed number of queries, the worst first: each named after Prowler's check for it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Coalesce

from accounts.models import Account, User
from audit.models import Event
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey, LoginProfile, PasswordPolicy
from credentials.ssh.models import SSHPublicKey
from credentials.unused import meaning
from credentials.unused.exemption import KEY, is_exempt
from credentials.unused.found import active_keys
from credentials.unused.meaning import CHECK_DAYS, limit_of, unused_since
from permissions.administrators import administrators
from permissions.models import AttachedUserPolicy, UserPolicy

OLD_DAYS: Final = 90
ROOT_DAYS: Final = 7
ADMINISTRATORS: Final = 2
EXAMPLES: Final = 5
# What a password policy should demand at least, with the check of it.
LENGTH, REUSE, AGE = 14, 24, 90


@dataclass(frozen=True)
class SecurityFinding:
    """One thing to mend: how bad, how many, why, and some of whom it is about."""

    name: str
    severity: str  # Critical, High, Medium, Low
    check: str  # Prowler's; several are parted by a space, and some things Prowler has none of
    title: str
    count: int
    reason: str
    user_names: list[str] = field(default_factory=list)


def security_findings(account: Account, now: datetime) -> list[SecurityFinding]:
    """What there is to mend, the worst first."""
    found = [
        *_of_root(account, now),
        *_of_administrators(account, now),
        *_of_credentials(account, now),
        *_of_ssh_keys(account),
    ]
    found += [*_of_policies(account), *_of_sign_ins(account, now)]
    return sorted((each for each in found if each.count), key=lambda each: ORDER.index(each.name))


ORDER: Final = (
    "root-keys",
    "root-mfa",
    "administrators-mfa",
    "users-mfa",
    "root-in-use",
    "password-policy",
    "lockouts",
    "old-keys",
    "unused",
    "never-used-keys",
    "shared-ssh-keys",
    "administrators",
    "two-keys",
    "direct-policies",
)


def _of_root(account: Account, now: datetime) -> Iterator[SecurityFinding]:
    has_device = Exists(MFADevice.objects.filter(user=OuterRef("pk")))
    root = User.objects.annotate(has_device=has_device).get(account=account, user_name__isnull=True)
    keys = list(AccessKey.objects.filter(user=root).order_by("pk"))
    bare = root.has_usable_password() and not root.has_device
    uses = [root.password_last_used, *(key.last_used_date for key in keys)]
    recent = [each for each in uses if each is not None and each >= limit_of(now, ROOT_DAYS)]
    yield SecurityFinding(
        "root-keys", "Critical", "iam_no_root_access_key", "The root user has access keys", len(keys),
        "Whoever finds such a key may do everything, and no policy can bound it.",
    )  # fmt: skip
    yield SecurityFinding(
        "root-mfa", "Critical", "iam_root_mfa_enabled", "The root user has no MFA device", int(bare),
        "Its password alone opens the whole account.",
    )  # fmt: skip
    yield SecurityFinding(
        "root-in-use", "High", "iam_avoid_root_usage", "The root user is in use", len(recent),
        f"Its password or a key was used in the last {ROOT_DAYS} days: daily work needs an IAM user only.",
    )  # fmt: skip


def _of_administrators(account: Account, now: datetime) -> Iterator[SecurityFinding]:
    found = administrators(account.pk).active(now)
    bare = Q(~Exists(MFADevice.objects.filter(user=OuterRef("pk"))), login_profile__isnull=False)
    counts = found.aggregate(all=Count("pk"), bare=Count("pk", filter=bare))
    names = _names(found.filter(bare)) if counts["bare"] else []
    yield SecurityFinding(
        "administrators-mfa", "Critical", "iam_administrator_access_with_mfa", "Administrators without MFA",
        counts["bare"], "They may do everything, and a password alone opens their console.", names,
    )  # fmt: skip
    yield SecurityFinding(
        "administrators", "Low", "", f"Fewer than {ADMINISTRATORS} administrators",
        max(0, ADMINISTRATORS - counts["all"]), "When the only one is away, only the root user is left to help.",
    )  # fmt: skip


def _of_credentials(account: Account, now: datetime) -> Iterator[SecurityFinding]:
    """What passwords and keys show, by one reading of each."""
    limit = limit_of(now, OLD_DAYS)
    profiles, passwords = LoginProfile.objects.filter(user__account=account), unused_since(limit, meaning.PASSWORD)
    bare = ~Q(user__in=MFADevice.objects.filter(account=account, user__isnull=False).values("user"))
    counts = profiles.aggregate(bare=Count("pk", filter=bare), unused=Count("pk", filter=passwords))
    yield SecurityFinding(
        "users-mfa", "High", "iam_user_mfa_enabled_console_access", "Console users without MFA", counts["bare"],
        "A password that is guessed or phished is enough to come in.",
    )  # fmt: skip
    active, keys = active_keys(account.pk, now), unused_since(limit, meaning.ACCESS_KEY)
    never = Q(last_used_date__isnull=True) & unused_since(limit_of(now, CHECK_DAYS), ("create_date", "status_date"))
    by_user = (
        active.order_by()
        .values("user")
        .annotate(
            number=Count("*"),
            old=Count("pk", filter=Q(create_date__lt=limit)),
            never=Count("pk", filter=never),
            unused=Count("pk", filter=keys),
        )
    )
    several = by_user.filter(number__gt=1)
    of_keys = by_user.aggregate(
        with_old=Count("user", filter=Q(old__gt=0)),
        all_never=Coalesce(Sum("never"), 0),
        all_unused=Coalesce(Sum("unused"), 0),
        several=Count("user", filter=Q(number__gt=1)),
    )
    found = counts["unused"] or of_keys["all_unused"] or of_keys["all_never"]
    exempt_users = _exempt_users(account, now) if found else []
    exempt, exempt_never = 0, 0
    if exempt_users:
        theirs = active.order_by().filter(user__in=exempt_users)
        exempt_keys = theirs.aggregate(unused=Count("pk", filter=keys), never=Count("pk", filter=never))
        exempt = profiles.filter(passwords, user__in=exempt_users).count() + exempt_keys["unused"]
        exempt_never = exempt_keys["never"]
    yield SecurityFinding(
        "unused", "Medium", "iam_user_console_access_unused iam_user_accesskey_unused",
        f"Credentials unused for more than {OLD_DAYS} days", counts["unused"] + of_keys["all_unused"] - exempt,
        "Nobody would notice if somebody else used them.",
    )  # fmt: skip
    yield SecurityFinding(
        "old-keys", "Medium", "iam_rotate_access_key_90_days", f"Users with access keys older than {OLD_DAYS} days",
        of_keys["with_old"], "The longer a key lives, the more copies of it there are.",
    )  # fmt: skip
    yield SecurityFinding(
        "never-used-keys", "Medium", "iam_user_accesskey_unused", "Access keys that were never used",
        of_keys["all_never"] - exempt_never,
        f"They were made more than {CHECK_DAYS} days ago, and nothing was ever signed with them.",
    )  # fmt: skip
    yield SecurityFinding(
        "two-keys", "Low", "iam_user_two_active_access_key", "Users with two active access keys",
        of_keys["several"],
        "Two are for the time of a rotation: the older one should be gone when it is over.",
        _names(User.objects.filter(pk__in=several.order_by("user").values_list("user", flat=True)[:EXAMPLES])),
    )  # fmt: skip


def _of_ssh_keys(account: Account) -> Iterator[SecurityFinding]:
    holders = SSHPublicKey.objects.shared(account).order_by().values_list("user", flat=True).distinct()
    number = holders.count()
    yield SecurityFinding(
        "shared-ssh-keys", "Medium", "", "Users with an SSH public key that others have too", number,
        "Such a key does not say who comes, so as git it lets nobody in: who uploads another's shuts the owner out of that way.",
        _names(User.objects.filter(pk__in=holders)) if number else [],
    )  # fmt: skip


def _exempt_users(account: Account, now: datetime) -> list[int]:
    """Whose unused credentials are left alone; few, for each was exempted by hand."""
    tagged = User.objects.filter(account=account).exclude(tags=[]).alias(tags_text=Cast("tags", TextField()))
    found = tagged.filter(tags_text__icontains=KEY).order_by()
    return [pk for pk, tags in found.values_list("pk", "tags") if is_exempt(tags, now)]


def _of_policies(account: Account) -> Iterator[SecurityFinding]:
    # The users are asked for one by one: there are more of them than policies that are given to one.
    in_account = Exists(User.objects.filter(account=account, pk=OuterRef("user")))
    rows = (model.objects.filter(in_account).order_by() for model in (AttachedUserPolicy, UserPolicy))
    attached, own = (each.values("user") for each in rows)
    users = attached.union(own)
    number = users.count()
    names = _names(User.objects.filter(pk__in=[each["user"] for each in users[:EXAMPLES]])) if number else []
    yield SecurityFinding(
        "direct-policies", "Low", "iam_policy_attached_only_to_group_or_roles", "Users with policies of their own",
        number, "What is given by groups is seen at one place, and goes when the user leaves the group.", names,
    )  # fmt: skip
    policy = PasswordPolicy.of(account)
    least, reuse = (policy.minimum_password_length, policy.password_reuse_prevention or 0) if policy else (0, 0)
    age = policy.max_password_age if policy else None
    weak = {
        f"passwords of {LENGTH} characters": ("iam_password_policy_minimum_length_14", least < LENGTH),
        f"other ones than the last {REUSE}": ("iam_password_policy_reuse_24", reuse < REUSE),
        f"a new one after {AGE} days": (
            "iam_password_policy_expires_passwords_within_90_days_or_less", not age or age > AGE,
        ),
    }  # fmt: skip
    missing = {words: check for words, (check, is_weak) in weak.items() if is_weak}
    yield SecurityFinding(
        "password-policy", "High", " ".join(missing.values()), "The password policy is weak", len(missing),
        f"It does not demand {', nor '.join(missing)}.",
    )  # fmt: skip


def _of_sign_ins(account: Account, now: datetime) -> Iterator[SecurityFinding]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    locked = Event.objects.filter(
        chain=account.pk, result="Throttling", event_time__gte=midnight, action="iamconsole:SignIn"
    )
    yield SecurityFinding(
        "lockouts", "High", "", "Sign-in lockouts today", locked.order_by().values("resource").distinct().count(),
        "So many users or names were tried so often that no more tries were taken: somebody may be guessing.",
    )  # fmt: skip


def _names(rows: QuerySet[User]) -> list[str]:
    return _texts(rows.order_by("user_name_key").values_list("user_name", flat=True))


def _texts(names: QuerySet[Any, Any]) -> list[str]:
    return [str(name) for name in names[:EXAMPLES]]
