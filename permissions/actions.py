"""Which services and actions AWS has, by its Service Authorization Reference (actions.json, ``manage.py vendor_policy_data``).

It advises whoever writes a policy, and decides nothing: a policy may name what is not here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from permissions.wildcard import Steps, fold, matches, split

FILE = Path(__file__).with_name("actions.json")
LEVELS: Final[Mapping[str, str]] = {
    "L": "List",
    "R": "Read",
    "W": "Write",
    "P": "Permissions management",
    "T": "Tagging",
}
PLENTY: Final = 10_000_000  # steps for holding one pattern against every action of AWS
# The keys that are of no service (IAM User Guide, "AWS global condition context keys").
GLOBAL_KEYS: Final = frozenset(
    {
        *(
            "aws:AssumedRoot",
            "aws:CalledVia",
            "aws:CalledViaFirst",
            "aws:CalledViaLast",
            "aws:ChatbotSourceArn",
            "aws:CurrentTime",
        ),
        *(
            "aws:Ec2InstanceSourcePrivateIPv4",
            "aws:Ec2InstanceSourceVpc",
            "aws:EpochTime",
            "aws:FederatedProvider",
            "aws:IsMcpServiceAction",
        ),
        *(
            "aws:MultiFactorAuthAge",
            "aws:MultiFactorAuthPresent",
            "aws:PrincipalAccount",
            "aws:PrincipalArn",
            "aws:PrincipalIsAWSService",
        ),
        *(
            "aws:PrincipalOrgID",
            "aws:PrincipalOrgPaths",
            "aws:PrincipalServiceName",
            "aws:PrincipalServiceNamesList",
            "aws:PrincipalTag",
        ),
        *(
            "aws:PrincipalType",
            "aws:referer",
            "aws:RequestedRegion",
            "aws:RequestTag",
            "aws:ResourceAccount",
            "aws:ResourceOrgID",
        ),
        *(
            "aws:ResourceOrgPaths",
            "aws:ResourceTag",
            "aws:SecureTransport",
            "aws:SourceAccount",
            "aws:SourceArn",
            "aws:SourceIdentity",
        ),
        *(
            "aws:SourceIp",
            "aws:SourceOrgID",
            "aws:SourceOrgPaths",
            "aws:SourceVpc",
            "aws:SourceVpcArn",
            "aws:SourceVpce",
            "aws:TagKeys",
        ),
        *(
            "aws:TokenIssueTime",
            "aws:UserAgent",
            "aws:userid",
            "aws:username",
            "aws:ViaAWSService",
            "aws:VpceAccount",
            "aws:VpceOrgID",
        ),
        *("aws:VpceOrgPaths", "aws:VpcSourceIp", "aws:ViaAWSMCPService", "aws:CalledViaAWSMCP", "aws:SignInSessionArn"),
    }
)


@dataclass(frozen=True)
class Service:
    """A service: the prefix of its actions, its name, the access level of each action, and its own context keys."""

    prefix: str
    name: str
    actions: Mapping[str, str]
    context_keys: frozenset[str]


@cache
def services() -> Mapping[str, Service]:
    """Every service, by prefix."""
    return {
        prefix: Service(
            prefix=prefix,
            name=given["name"],
            actions={
                action: LEVELS[letter] for letter, actions in given["actions"].items() for action in actions.split()
            },
            context_keys=frozenset(given["keys"]),
        )
        for prefix, given in _data()["services"].items()
    }


def reference_of_iam() -> Mapping[str, Any]:
    """IAM's own actions in full: ``resources`` by their types, context ``keys``, and ``resource_keys`` of those types."""
    reference: Mapping[str, Any] = _data()["iam_actions"]
    return reference


@cache
def _data() -> Any:
    return json.loads(FILE.read_text(encoding="utf-8"))


@cache
def _folded() -> tuple[tuple[str, str], ...]:
    """Every action in the form in which actions are compared, and as it is written."""
    return tuple(
        (fold(f"{prefix}:{action}"), f"{prefix}:{action}")
        for prefix, service in services().items()
        for action in service.actions
    )


def matching(pattern: str) -> list[str]:
    """The actions that a policy's entry such as ``s3:Get*`` stands for, in the order of the services."""
    pieces, steps = split(fold(pattern)), Steps(PLENTY)
    prefix = fold(pattern).partition(":")[0]
    if "*" in prefix or "?" in prefix:
        return [action for folded, action in _folded() if matches(pieces, folded, steps)]
    service = services().get(prefix)
    names = [f"{prefix}:{action}" for action in service.actions] if service else []
    return [action for action in names if matches(pieces, fold(action), steps)]


def is_known(pattern: str) -> bool:
    """Whether the entry stands for any action there is."""
    return bool(matching(pattern))


def access_level(action: str) -> str | None:
    """List, Read, Write, Permissions management or Tagging; None for an action that is not there."""
    prefix, _, name = fold(action).partition(":")
    service = services().get(prefix)
    levels = {fold(known): level for known, level in service.actions.items()} if service else {}
    return levels.get(name)


def is_known_key(key: str) -> bool:
    """Whether a context key is a global one, or one of its service's, tags left open."""
    prefix = fold(key).partition(":")[0]
    service = services().get(prefix)
    known = {
        fold(each).partition("/")[0] for each in (GLOBAL_KEYS | (service.context_keys if service else frozenset()))
    }
    return fold(key).partition("/")[0] in known
