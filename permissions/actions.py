"""Which services and actions AWS has, by its Service Authorization Reference (actions.json, ``manage.py vendor_policy_data``).

It advises whoever writes a policy, and decides nothing: a policy may name what is not here.
"""

import json
import re
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
PLENTY: Final = 1_000_000  # steps for holding a pattern against one action, whose name is short: more than any can take
# Where a context key ends in a name of one's own, a tag's mostly, the reference has one of these.
_OPEN_END = re.compile(r"(?<=[/:])(?:\$\{[^}]*\}|<key>|tag-key)$")
_TAGS: Final = ("aws:PrincipalTag/", "aws:RequestTag/", "aws:ResourceTag/")
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
    """IAM's own actions in full, each as ``resources``, ``keys`` and ``resource_keys``, sorted, tags without their names.

    ``resources`` are types that ``resource_types`` knows; ``keys`` are the context keys that the reference lists at the
    action, ``resource_keys`` those that it lists at any of the resource types.
    """
    reference: Mapping[str, Any] = _data()["iam_actions"]
    return reference


def reference_of_sts() -> Mapping[str, Any]:
    """The actions of STS in full, as ``reference_of_iam`` has those of IAM."""
    reference: Mapping[str, Any] = _data()["sts_actions"]
    return reference


def resource_types(prefix: str) -> Mapping[str, str]:
    """The ARN format of each resource type of ``iam`` or ``sts``: ``arn:${Partition}:iam::${Account}:…``.

    Raises KeyError for another service.
    """
    types: Mapping[str, str] = _data()["resource_types"][prefix]
    return types


@cache
def _data() -> Any:
    return json.loads(FILE.read_text(encoding="utf-8"))


@cache
def _levels() -> Mapping[str, str]:
    """The access level of every action, by the form in which actions are compared."""
    return {
        fold(f"{prefix}:{action}"): level
        for prefix, service in services().items()
        for action, level in service.actions.items()
    }


def matching(pattern: str) -> list[str]:
    """The actions that a policy's entry such as ``s3:Get*`` stands for, in the order of the services. Variables are none."""
    pattern = re.sub(r"[*?]+", _in_order, fold(pattern))
    pieces, least = split(pattern), len(pattern) - pattern.count("*")
    prefix = pattern.partition(":")[0]
    searched = services()
    if "*" not in prefix and "?" not in prefix:
        searched = {prefix: searched[prefix]} if prefix in searched else {}
    return [
        f"{service.prefix}:{action}"
        for service in searched.values()
        for action in service.actions
        if len(service.prefix) + 1 + len(action) >= least
        and matches(pieces, fold(f"{service.prefix}:{action}"), Steps(PLENTY))
    ]


def _in_order(wildcards: re.Match[str]) -> str:
    """The same wildcards with at most one ``*``, and that last: nothing is searched for between two of them."""
    return "?" * wildcards[0].count("?") + "*" * ("*" in wildcards[0])


def is_known(pattern: str) -> bool:
    """Whether the entry stands for any action there is."""
    return bool(matching(pattern))


def access_level(action: str) -> str | None:
    """List, Read, Write, Permissions management or Tagging; None for an action that is not there."""
    return _levels().get(fold(action))


@cache
def known_context_keys() -> frozenset[str]:
    """The context keys of every service and the global ones, as they are written.

    A key that ends in a name of one's own has ``${TagKey}``, or the like, there.
    """
    names = {key for service in services().values() for key in service.context_keys}
    return frozenset(GLOBAL_KEYS | names | {f"{tag}${{TagKey}}" for tag in _TAGS})


@cache
def _keys() -> tuple[frozenset[str], tuple[str, ...]]:
    """The known keys as they are compared, and how those begin whose end is open."""
    found = [(fold(_OPEN_END.sub("", key)), _OPEN_END.search(key)) for key in known_context_keys()]
    return (
        frozenset(key[:-1] if is_open else key for key, is_open in found),
        tuple(sorted({key for key, is_open in found if is_open})),
    )


def is_known_key(key: str) -> bool:
    """Whether a context key is a global one or a service's, in any case, whatever tag it names or with none named."""
    key = fold(key)
    names, beginnings = _keys()
    return key in names or (key.startswith(beginnings) and key not in beginnings)
