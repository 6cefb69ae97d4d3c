"""The operation: one function for each action, and the one decorator that gives it permission, transaction and trail.

A door calls ``create_user(caller, user_name="alice")``. The decorator checks the parameters by the service model, loads the
target, decides, calls the function and writes the trail; the function holds only the change. A read opens no
transaction. A write is decided once before it locks anything, so that nobody who is refused holds up the others; then it is one
transaction: lock, read the caller anew, decide, change, event, commit. When a fault ends it, all is rolled back and the refusal
is recorded in a transaction of its own.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.caller import Caller
from accounts.models import Account
from accounts.nonces import spend
from api import shapes, wire
from audit.portraits import Watch, all_names, made_of
from audit.record import event_of, record_all, record_alone
from credentials.last_access import note_access
from iamconsole.asked import Asked, Before, Performs, Target
from iamconsole.decided import Decided
from iamconsole.errors import AccessDenied, ConcurrentModification, Fault, InvalidInput, SudoRequired
from iamconsole.logs import served
from iamconsole.looking import looking

R = TypeVar("R")
E = TypeVar("E")


@dataclass(frozen=True)
class Issued(Generic[E]):
    """What a creating operation returns: the entity, and the secret members that are shown this once."""

    entity: E
    secret: Mapping[str, Any] = field(repr=False)


@dataclass
class _Attempt:
    """What the trail will tell of one call, filled in on the way."""

    action: str
    asked: Asked = field(default_factory=lambda: Asked("*"))
    chain: str | None = None
    made_chain: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    about: Sequence[object] = ()
    changes: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True, eq=False, kw_only=True)
class Operation(Decided, Generic[R]):
    """One registered operation. Calling it is the only way to its function."""

    function: Callable[..., R]
    reads: bool
    lock: bool
    issues_secret: bool
    changes_permissions: bool
    public: bool
    unless_denied: bool
    by_operator: bool
    at_sign_in: bool
    sensitive: bool
    before: Before | None
    omits: tuple[str, ...]
    accepts: frozenset[str]

    @property
    def service(self) -> str:
        """The action's prefix."""
        return self.action.partition(":")[0]

    @property
    def name(self) -> str:
        """AWS's name of the operation."""
        return self.action.partition(":")[2]

    @property
    def model(self) -> shapes.OperationModel:
        """Its entry in the service model."""
        return shapes.services()[self.service].operations[self.name]

    def __call__(self, caller: Caller, /, **parameters: Any) -> R:
        """Run the operation for ``caller``. Parameters that are None count as not given."""
        given = {name: value for name, value in parameters.items() if value is not None}
        shapes.validate(self.model, given)
        for name in given.keys() - self.accepts:
            raise InvalidInput(f"The parameter {name} of {self.name} is not supported by this release.")
        attempt = _Attempt(self.action, parameters=shapes.mask(self.model, given))
        try:
            caller.refuse_beyond_session(self.action)
            if caller.user is not None and not self.public:
                note_access(caller.user, caller.time, action=self.action, tracked=True, region=caller.region)
            with looking() if self.reads else nullcontext():
                admitted = self._admit(caller, dict(given), attempt, lock=False)
            if self.reads:
                return self.function(caller, **admitted)
            if self.sensitive:
                caller.require_sudo()
            ready = self.before({**admitted, "caller": caller}) if self.before else {}
            return self._write_alone(caller, {**given, **ready}, attempt)
        except SudoRequired:  # nothing is refused: the console asks, and the same comes again
            raise
        except Fault as fault:
            if not self.reads or isinstance(fault, AccessDenied):
                self._record_refusal(caller, attempt, fault)
            raise

    def _record_refusal(self, caller: Caller, attempt: _Attempt, fault: Fault) -> None:
        event = record_alone(
            caller.origin(attempt.chain),
            action=attempt.action,
            resource=attempt.asked.resource,
            result=fault.code,
            message=fault.message,
            parameters=attempt.parameters,
            decision=fault.decision if isinstance(fault, AccessDenied) else {},
            names=all_names([*attempt.about, *attempt.asked.about]),
            read_only=self.reads,
        )
        if isinstance(fault, AccessDenied) and fault.decision:
            fault.recorded(str(event.event_id))

    def _write_alone(self, caller: Caller, given: dict[str, Any], attempt: _Attempt) -> R:
        """Write in the outermost transaction. What a constraint refuses in spite of every check was changed meanwhile."""
        this = served()
        this.seen.clear()
        try:
            with transaction.atomic(durable=True):
                result = self._write(caller, given, attempt)
        except IntegrityError as error:
            raise ConcurrentModification(
                "Another request changed the same thing at the same time. Nothing was changed: send the request again."
            ) from error
        finally:
            this.seen.clear()
        this.changes.extend(attempt.changes)
        return result

    def _write(self, caller: Caller, given: dict[str, Any], attempt: _Attempt) -> R:
        if caller.nonce is not None or (self.issues_secret and caller.door == "console"):
            spend(caller.nonce, caller.principal)
        if self.changes_permissions and not self.by_operator:
            # The account's row is locked first by this, as the lock order wants it.
            Account.objects.filter(pk=caller.account_id).update(policy_epoch=F("policy_epoch") + 1)
        admitted = self._admit(caller, given, attempt, lock=self.lock, again=True)
        performed = [
            each
            for each in self._performed(admitted, attempt.asked)
            if not getattr(_registry.get(each[0]), "reads", False)
        ]
        names = [all_names([*attempt.about, *asked.about]) for _, asked in performed]
        watch = Watch.over(attempt.about if self.lock else ())
        result = self.function(caller, **admitted)
        told = wire.pick(self.model.output, result, secrets=False, omits=self.omits)
        made, changes = all_names([*made_of(result), *attempt.about]), watch.changes(result)
        origin, events = caller.origin(attempt.made_chain or attempt.chain), []
        for (action, asked), before in zip(performed, names, strict=True):
            of_part = {} if asked is attempt.asked else asked.parameters
            attempt.changes.append((action, asked.resource, {**attempt.parameters, **of_part}))
            event = event_of(
                origin,
                action=action,
                resource=asked.resource,
                parameters={**attempt.parameters, **of_part},
                response=told if isinstance(told, dict) else {},
                names=[*before, *made],
                changes=changes,
            )
            events.append(event)
            changes = []  # what several actions did together is told with the first
        if events:
            record_all(events)
        return result

    def _admit(
        self, caller: Caller, given: dict[str, Any], attempt: _Attempt, *, lock: bool, again: bool = False
    ) -> dict[str, Any]:
        """Load the target and decide, ``again`` by what the caller may when the locks are held. Returns the arguments."""
        if caller.is_operator is not self.by_operator:
            raise AccessDenied(
                f"{self.action} is {'' if self.by_operator else 'not '}for the operator of the installation."
            )
        if caller.enrolling is not self.at_sign_in:
            raise AccessDenied(
                f"{self.action} is {'' if self.at_sign_in else 'not '}for a user half-way in at sign-in."
            )
        parameters = dict(given)
        target = self.on(caller, given, lock=lock)
        attempt.chain, attempt.made_chain = target.chain, target.made_chain
        attempt.about = tuple(target.entities.values())
        attempt.asked, *further = self._asked(target, parameters)
        if again:
            caller = caller.read_again()
        admitted = {**given, **target.entities}
        if not (self.by_operator or self.public or self.at_sign_in):
            self._require(caller, admitted, attempt, further, exists=target.missing is None)
        if target.missing:
            raise target.missing
        return admitted

    def _require(
        self, caller: Caller, admitted: Mapping[str, Any], attempt: _Attempt, further: Sequence[Asked], *, exists: bool
    ) -> None:
        """Raise AccessDenied unless the caller may do it: the parts of a composite that would happen, or all if none would."""
        target = attempt.asked
        performed = self._performed(admitted, target) if self.performs and exists else []
        plain = self._plain_parts()
        if not plain and not performed:
            plain = [self.action]
        needed = [(action, asked) for action in plain for asked in (target, *further)]
        if performed:
            # If one is denied, the first part that is denied is named, happening or not: which ones would tells what there is.
            denied = any(not self._allows(caller, *one) for one in performed)
            needed = needed + performed if denied else performed
        needed += self._tagged(target)
        for action, asked in needed:
            attempt.action, attempt.asked = action, asked
            caller.require(
                action,
                asked.resource,
                self._context(action, asked),
                named=asked.named,
                denial=asked.denial,
                unless_denied=self.unless_denied,
            )
        attempt.action, attempt.asked = self.action, target


_registry: dict[str, Operation[Any]] = {}


def operation(
    action: str,
    *,
    on: Target,
    reads: bool = False,
    lock: bool = False,
    issues_secret: bool = False,
    changes_permissions: bool = False,
    public: bool = False,
    unless_denied: bool = False,
    by_operator: bool = False,
    at_sign_in: bool = False,
    sensitive: bool = False,
    performs: Performs | None = None,
    before: Before | None = None,
    tags_by: str = "",
    keys: tuple[str, ...] = (),
    omits: tuple[str, ...] = (),
) -> Callable[[Callable[..., R]], Operation[R]]:
    """Register a function as the operation ``action``.

    on: what it is about, loaded and decided on. reads: changes nothing, opens no transaction. lock: its target is locked.
    issues_secret: its answer may carry members the model marks sensitive. changes_permissions: raises the account's policy
    epoch. public: needs no permission (AWS names them). unless_denied: needs none either, but a Deny holds. by_operator: for the
    shell's operator alone, no policy can grant it. at_sign_in: for the pending user alone whom the account forces to
    enable an MFA device and who may do nothing else; no policy grants it or takes it away. sensitive: in a console session it
    wants a proof of who asks that is not older than fifteen minutes; so does all that issues a secret or changes permissions.
    performs: the AWS actions a composite does, each with the condition under which it does; they are decided instead of
    ``action``. before: what takes long and needs no lock, such as hashing, or must stay done when the rest is refused, such as
    spending a code: it is given what was admitted, and the door, and returns arguments in the place of others. tags_by: the
    action that must be allowed besides when what is made is made with tags. keys: the context keys of the request that conditions
    may ask about, beyond those of every request, as AWS's Service Authorization Reference has them. omits: members that AWS's
    listing leaves out.
    """

    def register(function: Callable[..., R]) -> Operation[R]:
        if action in _registry:
            raise RuntimeError(f"{action} is registered twice")
        own = {
            name
            for name, parameter in inspect.signature(function).parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        }
        made = Operation(
            action=action,
            function=function,
            on=on,
            reads=reads,
            lock=lock,
            issues_secret=issues_secret,
            changes_permissions=changes_permissions,
            public=public,
            unless_denied=unless_denied,
            by_operator=by_operator,
            at_sign_in=at_sign_in,
            sensitive=sensitive or issues_secret or changes_permissions,
            performs=performs or {},
            before=before,
            tags_by=tags_by,
            keys=keys,
            omits=omits,
            accepts=on.consumes | own,
        )
        _registry[action] = made
        return made

    return register


def find(service: str, name: str) -> Operation[Any] | None:
    """The registered operation of that name, or None."""
    return _registry.get(f"{service}:{name}")


def every_operation() -> Iterator[Operation[Any]]:
    """Every registered operation, in the order of their actions."""
    return iter(sorted(_registry.values(), key=lambda each: each.action))
