"""The caller: who asks, by which door, from where, and what the policies say to it."""

from dataclasses import dataclass, field, replace
from typing import Literal

from accounts.models import Account, User
from audit.models import INSTALLATION
from audit.record import Origin
from credentials.models import AccessKey
from iamconsole.errors import AccessDenied, InvalidClientTokenId
from permissions import engine
from permissions.compiled import policies_of

Door = Literal["console", "api", "shell"]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One who asks for operations.

    ``user`` is loaded with its account. It is None for the operator of the installation, who has the shell and makes
    and closes accounts, and for nobody else.
    """

    user: User | None
    door: Door
    access_key: AccessKey | None = None
    source_ip: str = ""
    user_agent: str = ""
    request_id: str = ""
    secure_transport: bool = False
    # What a console form that shows a one-time secret carries; spent in the operation's transaction.
    nonce: str | None = field(default=None, repr=False)

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

    def origin(self, chain: str | None = None) -> Origin:
        """The caller's part of an event, in the own account's chain unless another is named."""
        return Origin(
            chain=chain or (self.user.account_id if self.user else INSTALLATION),
            actor_arn=self.arn,
            actor_id=self.user.user_id if self.user else "",
            access_key_id=self.access_key.access_key_id if self.access_key else "",
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
            keys = AccessKey.objects.select_related("user__account").filter(status=AccessKey.Status.ACTIVE)
            key = keys.filter(pk=self.access_key.pk).first()
            if key is None:
                raise InvalidClientTokenId("The security token included in the request is invalid.")
            return replace(self, user=key.user, access_key=key)
        user = User.objects.select_related("account").filter(pk=self.user.pk, auth_epoch=self.user.auth_epoch).first()
        if user is None:
            raise AccessDenied("Your session has ended. Sign in again.")
        return replace(self, user=user)

    def decide(self, action: str, resource: str) -> engine.Decision:
        """Ask the engine; the one place where a permission is decided.

        The root user may do everything in the own account. What lies in another account is not found by any target, so
        a resource here is always the own account's, or ``*``.
        """
        user = self.principal
        if user.is_root:
            return engine.Decision.root()
        return engine.decide(self._request(action, resource), policies_of(user))

    def may_on_every(self, action: str, resources: str) -> bool:
        """Whether the action is surely allowed on everything that an ARN ending in ``*`` stands for."""
        user = self.principal
        return user.is_root or engine.allows_every(self._request(action, resources), policies_of(user))

    def _request(self, action: str, resource: str) -> engine.Request:
        user = self.principal
        context = {
            "aws:username": (user.user_name or "",),
            "aws:userid": (user.user_id,),
            "aws:principalarn": (user.arn,),
            "aws:principalaccount": (user.account_id,),
        }
        return engine.Request(action, resource, context)

    def require(self, action: str, resource: str, *, label: str = "", denial: str = "") -> None:
        """Raise AccessDenied in AWS's words unless the action is allowed on the resource.

        ``label`` is what AWS calls the resource in the message where it is not the ARN; ``denial`` a whole message for
        the operations whose refusals AWS words in a way of their own.
        """
        decision = self.decide(action, resource)
        if not decision.allowed:
            raise AccessDenied(
                denial
                or f"User: {self.arn} is not authorized to perform: {action} on resource: {label or resource}"
                f" {decision.explanation}"
            )
