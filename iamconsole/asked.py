"""What an operation is asked about: the target it loads, and each thing that its permission is decided on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from accounts.caller import Caller
from accounts.tags import Tag
from iamconsole.errors import Fault


@dataclass(frozen=True)
class Resolved:
    """A target, loaded: the ARN to decide on and the entities the function is handed.

    ``label`` is what AWS's AccessDenied calls it, ``denial`` a whole message of its own. ``missing`` is the fault for a
    target that does not exist: it is raised only after the decision, so that AccessDenied beats NoSuchEntity.
    ``tags`` are those of what exists (aws:ResourceTag), ``boundary`` the ARN of a user's permissions boundary
    (iam:PermissionsBoundary). ``further`` are more ARNs the same action is decided on, ``chain`` the trail it belongs to if
    not the caller's, and ``made_chain`` the trail of an account that is about to be made: it holds the event only if it is.
    ``facts`` of what exists are read by context keys like parameters.
    """

    resource: str
    entities: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    denial: str = ""
    missing: Fault | None = None
    tags: Sequence[Tag] = ()
    boundary: str = ""
    further: tuple[str, ...] = ()
    chain: str | None = None
    made_chain: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class Target(Protocol):
    """Finds what an operation is about, from the parameters it consumes (it takes them out of the mapping)."""

    @property
    def consumes(self) -> frozenset[str]:
        """The parameters it takes."""

    def __call__(self, caller: Caller, parameters: dict[str, Any], *, lock: bool) -> Resolved:
        """Load the target, locked where the operation writes to it."""


@dataclass(frozen=True)
class Asked:
    """One thing that an action is decided on: an ARN, with what the context keys of its operation are read from.

    ``about``: entities that it is about beside the target's, by which its line in the trail is found.
    """

    resource: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    denial: str = ""
    tags: Sequence[Tag] = ()
    boundary: str = ""
    about: Sequence[object] = ()

    @property
    def named(self) -> str:
        """What a refusal calls it: never more than the caller has said, who may not know what there is."""
        return self.label or ("" if self.denial else self.resource)


@dataclass(frozen=True)
class Each:
    """A part of a composite that has things of its own to be decided on, such as the groups a new user is put into.

    ``on_target``: all of them are the target itself, so the target stands for them when there are none to name.
    """

    of: Callable[[Mapping[str, Any]], Sequence[Asked]]
    on_target: bool = False


Performs = Mapping[str, Callable[[Mapping[str, Any]], bool] | Each]
Before = Callable[[Mapping[str, Any]], Mapping[str, Any]]
