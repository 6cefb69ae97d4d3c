"""The context keys of one request, beyond those of its caller: its tags, and the policies it is about.

An operation declares which it has (``keys=``), as AWS's Service Authorization Reference lists them for IAM.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from permissions.wildcard import fold

Values = Mapping[str, tuple[str, ...]]


class Tagged(Protocol):
    """What a target tells of the entity it found."""

    @property
    def tags(self) -> Sequence[Any]:
        """The entity's tags."""

    @property
    def boundary(self) -> str:
        """The ARN of the permissions boundary of a user, empty when there is none."""


def _request_tags(target: Tagged, parameters: Mapping[str, Any]) -> Values:
    return _by_key("aws:requesttag", parameters.get("tags") or ())


def _tag_keys(target: Tagged, parameters: Mapping[str, Any]) -> Values:
    keys = [tag["key"] for tag in parameters.get("tags") or ()] or parameters.get("tag_keys") or ()
    return {"aws:tagkeys": tuple(keys)}


def _resource_tags(prefix: str) -> Callable[[Tagged, Mapping[str, Any]], Values]:
    return lambda target, parameters: _by_key(f"{prefix}:resourcetag", target.tags)


def _by_key(prefix: str, tags: Sequence[Any]) -> Values:
    """A key for each tag. Those of a policy may differ in case alone: one key then has the values of all, and is in doubt."""
    found: dict[str, tuple[str, ...]] = {}
    for tag in tags:
        key = f"{prefix}/{fold(tag['key'])}"
        found[key] = (*found.get(key, ()), tag["value"])
    return found


def _policy_arn(target: Tagged, parameters: Mapping[str, Any]) -> Values:
    return {"iam:policyarn": (parameters["policy_arn"],)}


def _boundary(target: Tagged, parameters: Mapping[str, Any]) -> Values:
    arn = parameters.get("permissions_boundary") or target.boundary
    return {"iam:permissionsboundary": (arn,)} if arn else {}


def _security_key(target: Tagged, parameters: Mapping[str, Any]) -> Values:
    """Of EnableMFADevice when it enables a passkey or security key, which is created and activated in one."""
    return {"iam:registersecuritykey": ("Activate",)} if parameters.get("credential") else {}


def _no_certification(target: Tagged, parameters: Mapping[str, Any]) -> Values:
    """No passkey is asked for an attestation, so none is certified."""
    return {}


def _credential_service(target: Tagged, parameters: Mapping[str, Any]) -> Values:
    name = parameters.get("service_name")
    return {"iam:servicespecificcredentialservicename": (name,)} if name else {}


def _credential_age(target: Tagged, parameters: Mapping[str, Any]) -> Values:
    days = parameters.get("credential_age_days")
    return {} if days is None else {"iam:servicespecificcredentialagedays": (str(days),)}


KEYS: Final[Mapping[str, Callable[[Tagged, Mapping[str, Any]], Values]]] = {
    "aws:RequestTag": _request_tags,
    "aws:TagKeys": _tag_keys,
    "aws:ResourceTag": _resource_tags("aws"),
    "iam:ResourceTag": _resource_tags("iam"),
    "iam:PolicyARN": _policy_arn,
    "iam:PermissionsBoundary": _boundary,
    "iam:RegisterSecurityKey": _security_key,
    "iam:ServiceSpecificCredentialServiceName": _credential_service,
    "iam:ServiceSpecificCredentialAgeDays": _credential_age,
    "iam:FIDO-certification": _no_certification,
    "iam:FIDO-FIPS-140-2-certification": _no_certification,
    "iam:FIDO-FIPS-140-3-certification": _no_certification,
}


def context_of(keys: Sequence[str], target: Tagged, parameters: Mapping[str, Any]) -> Values:
    """The values of the declared ``keys`` for one request; ``parameters`` are those it was sent with."""
    found: dict[str, tuple[str, ...]] = {}
    for key in keys:
        found |= {name: values for name, values in KEYS[key](target, parameters).items() if values}
    return found


def open_keys(keys: Sequence[str], resource: str, *, boundary: bool) -> tuple[str, ...]:
    """Which of the declared ``keys`` are open, in lower case, as long as a form is not filled in.

    Open is what is sent with the request; and what is known of the target, if ``resource``, ending in ``*``, is not chosen yet.
    ``boundary``: the form is about a user's permissions boundary.
    """
    known = {"aws:ResourceTag", "iam:ResourceTag"} | (set() if boundary else {"iam:PermissionsBoundary"})
    if resource.endswith("*"):
        known = set()
    return tuple(fold(key) for key in keys if key not in known)
