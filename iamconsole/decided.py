"""What an operation is decided on: its target, or the parts of a composite; and what the policies would say, before it is run.

Pages ask by these what to show and what to grey out. Running an operation is in `iamconsole.operation`, and decides again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.caller import Caller
from iamconsole.asked import Asked, Each, Performs, Resolved, Target
from iamconsole.context_keys import context_of, open_keys
from iamconsole.looking import looking
from permissions.engine import Decision

_declared: dict[str, tuple[str, ...]] = {}  # the context keys of each action that is an operation


@dataclass(frozen=True, eq=False, kw_only=True)
class Decided:
    """The part of an operation that policies decide."""

    action: str
    on: Target
    performs: Performs
    tags_by: str
    keys: tuple[str, ...]

    def __post_init__(self) -> None:
        _declared[self.action] = self.keys

    def allows(self, caller: Caller, asked: Asked, **entities: Any) -> bool:
        """Whether the policies allow it on a row that is loaded already, for lists that show many. Enforces nothing.

        A composite reads from the ``entities`` what it would do.
        """
        return all(self._allows(caller, *each) for each in self._performed(entities, asked))

    def foresee(self, caller: Caller, /, **parameters: Any) -> tuple[Decision, str]:
        """What the policies would say and on what, for a page to show or grey out. Enforces and records nothing.

        What is named is what a refusal would name: never more of the target than the caller has said.

        A composite's parts are foreseen as if all of them would happen, with those that depend on what is chosen.
        """
        asked = self._foreseen(caller, parameters)
        decided = [(caller.decide(action, each.resource, self._context(action, each)), each) for action, each in asked]
        decision, named = next((each for each in decided if not each[0].allowed), decided[0])
        return decision, named.named

    def foresee_some(self, caller: Caller, /, **parameters: Any) -> tuple[bool, str, str]:
        """Whether there is anything that the policies may allow, where ``*`` or a policy stands for what is yet to be chosen.

        With it the action and resource that are missing, as ``foresee`` would name them.
        """
        asked = self._foreseen(caller, parameters)
        chosen = "permissions_boundary" in parameters
        refused = (
            (False, action, each.named)
            for action, each in asked
            if not caller.may_on_some(
                action,
                each.resource,
                self._context(action, each),
                open_keys(_declared.get(action, self.keys), each.resource, boundary=chosen),
            )
        )
        return next(refused, (True, asked[0][0], asked[0][1].named))

    def foresee_now(self, caller: Caller, /, **parameters: Any) -> tuple[Decision, str]:
        """The same where nothing is left to choose: a composite is allowed if all of its parts are that would happen now."""
        remaining = dict(parameters)
        with looking():
            target = self.on(caller, remaining, lock=False)
        if target.missing is None:
            first, *_ = self._asked(target, parameters)
            asked = self._performed({**remaining, **target.entities}, first) + self._tagged(first)
            decided = [caller.decide(action, each.resource, self._context(action, each)) for action, each in asked]
            if decided and all(each.allowed for each in decided):
                return decided[0], first.named
        return self.foresee(caller, **parameters)

    def _foreseen(self, caller: Caller, parameters: Mapping[str, Any]) -> list[tuple[str, Asked]]:
        """What would be decided on, each with its action."""
        given = {name: value for name, value in parameters.items() if value is not None}
        remaining = dict(given)
        with looking():
            target = self.on(caller, remaining, lock=False)
        first, *further = self._asked(target, given)
        plain = self._plain_parts() if self.performs else [self.action]
        needed = [(action, asked) for action in plain for asked in (first, *further)] + self._tagged(first)
        if target.missing is None:
            admitted = {**remaining, **target.entities}
            parts = [
                (action, part)
                for action, part in self.performs.items()
                if isinstance(part, Each) and not part.on_target
            ]
            needed += [(action, asked) for action, part in parts for asked in part.of(admitted)]
        return needed or [(self.action, asked) for asked in (first, *further)]

    def _plain_parts(self) -> list[str]:
        """The parts of a composite that are decided on its target."""
        return [action for action, part in self.performs.items() if not isinstance(part, Each) or part.on_target]

    def _performed(self, admitted: Mapping[str, Any], target: Asked) -> list[tuple[str, Asked]]:
        """The actions that happen, each with what it is done to; a composite's are those of its parts."""
        if not self.performs:
            return [(self.action, target)]
        performed: list[tuple[str, Asked]] = []
        for action, part in self.performs.items():
            if isinstance(part, Each):
                performed += [(action, each) for each in part.of(admitted)]
            elif part(admitted):
                performed.append((action, target))
        return performed

    def _asked(self, target: Resolved, parameters: Mapping[str, Any]) -> list[Asked]:
        """What the permission is decided on: the target, and the further ARNs it names."""
        return [
            Asked(resource, {**parameters, **target.facts}, target.label, target.denial, target.tags, target.boundary)
            for resource in (target.resource, *target.further)
        ]

    def _tagged(self, asked: Asked) -> list[tuple[str, Asked]]:
        """The tagging of what is made, if it is made with tags: it is decided by itself."""
        return [(self.tags_by, asked)] if self.tags_by and asked.parameters.get("tags") else []

    def _allows(self, caller: Caller, action: str, asked: Asked) -> bool:
        return caller.decide(action, asked.resource, self._context(action, asked)).allowed

    def _context(self, action: str, asked: Asked) -> Mapping[str, tuple[str, ...]]:
        """The context keys that the action's own operation declares."""
        return context_of(_declared.get(action, self.keys), asked, asked.parameters)
