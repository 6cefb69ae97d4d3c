"""The caller: who asks, by which door, from where, and what the policies say to it."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from accounts.models import Account, User
from audit.models import INSTALLATION
from audit.record import Origin
from credentials.access_keys import Signer
from credentials.models import AccessKey
from credentials.session_tokens import Session
from iamconsole.errors import AccessDenied, InvalidClientTokenId, SudoRequired
from permissions import engine, language, reach
from permissions.compiled import policies_of
from permissions.wildcard import fold

OF_SESSIONS = ("GetCallerIdentity", "AssumeRole")  # what temporary credentials may ask of STS
SUDO_WINDOW = timedelta(minutes=15)
MOST_NEAR = 10  # how many statements that would have allowed it a refusal tells of
# What the root user may do where a resource-based policy or another account has a say too.
ROOTS_OWN = engine.Source(
    name="root user",
    kind="given",
    policy=language.parse('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'),
)
Door = Literal["console", "api", "shell", "verifier"]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One who asks for operations.

    ``user`` is loaded with its account. It is None for the operator of the installation, who has the shell and makes
    and closes accounts, and for nobody else.
    """

    user: User | None
    door: Door
    access_key: AccessKey | None = None
    session: Session | None = field(default=None, repr=False)  # of temporary credentials, got with the access key
    source_ip: str = ""
    user_agent: str = ""
    request_id: str = ""
    secure_transport: bool = False
    region: str = ""  # that the signature names
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    # When the session began that the caller came in by, and when a second factor was shown in it; a key has neither.
    session_start: datetime | None = None
    mfa_time: datetime | None = None
    # Of a console session: its id, and when who is in last proved it by a password or a second factor.
    session_id: str = ""
    sudo_time: datetime | None = None
    # Half-way in at sign-in, where the account demands a first MFA device: may do nothing but enable one.
    enrolling: bool = False
    # What a console form that shows a one-time secret carries; spent in the operation's transaction.
    nonce: str | None = field(default=None, repr=False)

    @classmethod
    def who_signed(cls, signer: Signer, *, door: Door, **facts: Any) -> "Caller":
        """Who signed a request, with what else is known of it."""
        session = signer.session
        return cls(
            user=signer.user,
            door=door,
            access_key=signer.key,
            session=session,
            session_start=session.start if session else None,
            mfa_time=session.mfa_time if session else None,
            **facts,
        )

    @property
    def is_operator(self) -> bool:
        """Whether this is the operator of the installation."""
        return self.user is None

    @property
    def principal(self) -> User:
        """The user; an operator has none."""
        if self.user is None:
            raise AccessDenied("The operator of the installation is no user of an account: name an account.")
        return self.user

    @property
    def account(self) -> Account:
        """The account everything happens in."""
        return self.principal.account

    @property
    def account_id(self) -> str:
        """Its twelve digits."""
        return self.principal.account_id

    @property
    def arn(self) -> str:
        """AWS's name for the caller."""
        return self.user.arn if self.user else "operator"

    @property
    def label(self) -> str:
        """What the console calls the caller."""
        return f"{self.principal.label} @ {self.account.label}"

    @property
    def access_key_id(self) -> str:
        """The id of the access key, long-term or temporary, that signed; empty where none did."""
        if self.session is not None:
            return self.session.access_key_id
        return self.access_key.access_key_id if self.access_key else ""

    def refuse_beyond_session(self, action: str) -> None:
        """Raise unless temporary credentials may call the operation at all, whatever policies say (STS, GetSessionToken).

        They call no operation of IAM, nor of this product, unless a second factor was shown for them, and of STS's only
        GetCallerIdentity and AssumeRole.
        """
        if self.session is None:
            return
        service, _, name = action.partition(":")
        if service == "sts" and name not in OF_SESSIONS:
            raise AccessDenied(f"Cannot call {name} with session credentials")
        if service != "sts" and self.mfa_time is None:
            raise InvalidClientTokenId("The security token included in the request is invalid.")

    def origin(self, chain: str | None = None) -> Origin:
        """The caller's part of an event, in the own account's chain unless another is named."""
        return Origin(
            chain=chain or (self.user.account_id if self.user else INSTALLATION),
            actor_arn=self.arn,
            actor_id=self.user.user_id if self.user else "",
            access_key_id=self.access_key_id,
            door=self.door,
            source_ip=self.source_ip,
            user_agent=self.user_agent,
            request_id=self.request_id,
        )

    def read_again(self) -> "Caller":
        """The caller as the database has it now. Raises when what it came in by is no longer good.

        Asked when the locks of a write are held: what was revoked while it waited is revoked for it too.
        """
        if self.user is None:
            return self
        if self.access_key is not None:
            key = AccessKey.objects.select_related("user__account").filter(pk=self.access_key.pk).first()
            if key is None or not key.active or not key.user.is_active_at(datetime.now(UTC)):
                raise InvalidClientTokenId("The security token included in the request is invalid.")
            if self.session is not None and key.user.auth_epoch != self.session.auth_epoch:
                raise InvalidClientTokenId("The security token included in the request is invalid.")
            return replace(self, user=key.user, access_key=key)
        active = User.objects.active(datetime.now(UTC))
        user = active.select_related("account").filter(pk=self.user.pk, auth_epoch=self.user.auth_epoch).first()
        if user is None or (self.session_id and not user.sessions.filter(session_id=self.session_id).exists()):
            raise AccessDenied("Your session has ended. Sign in again.")
        return replace(self, user=user)

    def require_sudo(self) -> None:
        """Raise SudoRequired in a console session in which nothing was proved for a quarter of an hour."""
        if self.door == "console" and (self.sudo_time is None or self.time - self.sudo_time > SUDO_WINDOW):
            raise SudoRequired("Confirm that it is you.")

    def decide(
        self,
        action: str,
        resource: str,
        context: Mapping[str, Sequence[str]] | None = None,
        *,
        resource_owner: str = "",
        resource_policy: language.Policy | None = None,
        thorough: bool = False,
    ) -> engine.Decision:
        """Ask the engine; the one place where a permission is decided.

        ``context`` has the keys of this request, in lower case, beside those of every request of the caller. The root user may
        do everything in the own account unless a resource-based policy denies it, and in another one what such a policy gives.
        ``resource_owner`` is the account of a resource that a service asks about. What this server does itself it does to
        the own account's resources only: no target is found in another.
        """
        user = self.principal
        request = self.request(action, resource, context, resource_owner=resource_owner)
        if user.is_root and resource_policy is None and not request.crosses_accounts:
            return engine.Decision.root()
        policies = engine.Policies(identity=(ROOTS_OWN,)) if user.is_root else policies_of(user)
        if resource_policy is not None:
            given = engine.Source(name="resource policy", kind="given", policy=resource_policy)
            policies = replace(policies, resource=given)
        decision = engine.decide(request, policies, thorough=thorough)
        return engine.Decision.root() if decision.source is ROOTS_OWN else decision

    def may_on_every(self, action: str, resources: str) -> bool:
        """Whether the action is surely allowed on everything that an ARN ending in ``*`` stands for."""
        user = self.principal
        return user.is_root or reach.allows_every(self.request(action, resources), policies_of(user))

    def may_on_some(
        self, action: str, resource: str, context: Mapping[str, Sequence[str]], open_keys: Sequence[str]
    ) -> bool:
        """Whether the action may be allowed on something that an ARN ending in ``*`` stands for, whatever the open keys hold."""
        user = self.principal
        asked = self.request(action, resource, context)
        return user.is_root or reach.allows_some(asked, policies_of(user), open_keys)

    def request(
        self,
        action: str,
        resource: str,
        context: Mapping[str, Sequence[str]] | None = None,
        *,
        resource_owner: str = "",
    ) -> engine.Request:
        """What the engine is asked, with all that is known of the caller."""
        user = self.principal
        owner = resource_owner or user.account_id
        keys = {**self.context, "aws:resourceaccount": (owner,)}
        keys |= {key: tuple(values) for key, values in (context or {}).items()}
        return engine.Request(
            action,
            resource,
            keys,
            principal_arn=user.arn,
            principal_id=user.user_id,
            principal_account=user.account_id,
            resource_account=owner,
        )

    @cached_property
    def context(self) -> Mapping[str, tuple[str, ...]]:
        """The context keys of every request of the caller, in lower case (IAM User Guide, global condition context keys).

        A key that is not known is not there: a signature by a long-term key says nothing of MFA.
        """
        user = self.principal
        keys = {
            "aws:currenttime": self.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "aws:epochtime": str(int(self.time.timestamp())),
            "aws:securetransport": "true" if self.secure_transport else "false",
            "aws:sourceip": plain_address(self.source_ip),
            "aws:useragent": self.user_agent or None,
        }
        if self.session_start is not None:
            keys["aws:tokenissuetime"] = self.session_start.strftime("%Y-%m-%dT%H:%M:%SZ")
            keys["aws:multifactorauthpresent"] = "true" if self.mfa_time else "false"
        if self.mfa_time is not None:
            keys["aws:multifactorauthage"] = str(int((self.time - self.mfa_time).total_seconds()))
        return {**principal_context(user), **{key: (value,) for key, value in keys.items() if value is not None}}

    def require(
        self,
        action: str,
        resource: str,
        context: Mapping[str, Sequence[str]] | None = None,
        *,
        named: str,
        denial: str = "",
        unless_denied: bool = False,
    ) -> None:
        """Raise AccessDenied in AWS's words unless the action is allowed on the resource.

        ``named`` is what AWS calls the resource in the message; ``denial`` a whole message for the operations whose refusals
        AWS words in a way of their own; ``unless_denied`` asks for no policy that allows it.
        """
        decision = self.decide(action, resource, context)
        if unless_denied and decision.reason is engine.Reason.IMPLICIT_DENY:
            return
        if not decision.allowed:
            raise AccessDenied(
                denial
                or f"User: {self.arn} is not authorized to perform: {action} on resource: {named}"
                f" {decision.explanation}",
                decision={**self._reasons(decision, resource, context), "named": named},
            )

    def _reasons(
        self, decision: engine.Decision, resource: str, context: Mapping[str, Sequence[str]] | None
    ) -> dict[str, object]:
        """Why it was denied, for the trail: what decided, what would have allowed it, and what was known of the request."""
        request = self.request(decision.action, resource, context)
        near = engine.almost(request, policies_of(self.principal))
        return {
            **decision.told,
            "resource": resource,
            "almost": [
                {
                    "policy": {"name": match.source.name, "arn": match.source.arn, "via": match.source.via},
                    "statement": {"index": match.statement.index, "sid": match.statement.sid},
                    "condition": {"operator": condition.operator, "key": condition.name},
                }
                for match, condition in near[:MOST_NEAR]
            ],
            "context": {key: list(values) for key, values in sorted(request.context.items())},
        }


def principal_context(user: User) -> Mapping[str, tuple[str, ...]]:
    """The context keys that are the user's own, whatever is asked."""
    keys = {
        "aws:userid": user.user_id,
        "aws:username": user.user_name,
        "aws:principalarn": user.arn,
        "aws:principalaccount": user.account_id,
        "aws:principaltype": "Account" if user.is_root else "User",
    }
    keys |= {f"aws:principaltag/{fold(tag['key'])}": tag["value"] for tag in user.tags}
    return {key: (value,) for key, value in keys.items() if value is not None}


def context_of_arn(user_arn: str) -> Mapping[str, tuple[str, ...]]:
    """The context keys of a user of whom nothing is known but the ARN."""
    return {
        "aws:username": (user_arn.rpartition("/")[2],),
        "aws:principalarn": (user_arn,),
        "aws:principalaccount": (user_arn.split(":")[4],),
        "aws:principaltype": ("User",),
    }


def plain_address(text: str) -> str | None:
    """A client's address; an IPv4 one that came in by an IPv6 socket is the IPv4 one. None for what is no address."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)
