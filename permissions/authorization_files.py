"""The answer of AWS's GetAccountAuthorizationDetails as a file: ``aws iam get-account-authorization-details``.

What is read of it is what can be made here: managed policies with their versions, groups, users, and what they are given. The
file is understood whole or refused, with the place that is wrong as a JSON pointer (RFC 6901). It holds no credentials: AWS
has no way to get them out.
"""

import base64
import csv
import io
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote

from accounts.tags import Tag
from iamconsole.errors import InvalidInput
from permissions import strict_json
from permissions.strict_json import NotStrictError

LARGEST_FILE: Final = 64 * 1024 * 1024
LARGEST_PACKED: Final = 2 * 1024 * 1024  # of 10 MiB that AWS writes about a tenth is left
LISTS: Final = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
KINDS: Final[Mapping[type, str]] = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
POLICY_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>aws|[0-9]{12}):policy(?P<rest>/.+)", re.DOTALL)
ACCOUNT: Final = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):")


CREDENTIALS: Final = (  # AWS's columns of the credential report, and what they tell of
    ("password_enabled", "a password or set-up link"),
    ("mfa_active", "MFA devices"),
    ("access_key_1_active", "an access key"),
    ("access_key_2_active", "a second access key"),
    ("cert_1_active", "a signing certificate"),
    ("cert_2_active", "a second signing certificate"),
)


@dataclass(frozen=True)
class Entity:
    """A policy, group or user of the file: the parameters of the operation that makes it here.

    ``policy_arns`` and ``boundary`` are kept as they are in AWS; ``pointer`` is where it stands.
    """

    kind: str
    name: str
    pointer: str
    parameters: Mapping[str, Any]
    policy_arns: tuple[str, ...] = ()
    boundary: str | None = None

    @property
    def documents(self) -> list[str]:
        """Its policy documents."""
        versions = [each["document"] for each in self.parameters.get("policy_versions", ())]
        return versions + [each["policy_document"] for each in self.parameters.get("policies", ())]


@dataclass(frozen=True)
class Details:
    """What a file holds: the entities in the order in which they can be made, and the names of roles, which are left out."""

    account_id: str
    entities: tuple[Entity, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True)
class _At:
    """A value of the file, and where it stands."""

    value: Any
    pointer: str

    def fail(self, what: str) -> InvalidInput:
        return InvalidInput(f"At {self.pointer or '/'}: {what}")

    def get(self, name: str, kind: type, default: Any = None) -> Any:
        """A member of an object. One without a default must be there."""
        value = self.value.get(name, default)
        if not isinstance(value, kind):
            is_missing = name not in self.value
            there = self if is_missing else _At(value, f"{self.pointer}/{name}")
            raise there.fail(f"{name} is missing." if is_missing else f"this must be {KINDS[kind]}.")
        return value

    def each(self, name: str, kind: type = dict) -> "list[_At]":
        """The elements of a list, which may be missing."""
        found = [_At(value, f"{self.pointer}/{name}/{number}") for number, value in enumerate(self.get(name, list, []))]
        for one in found:
            if not isinstance(one.value, kind):
                raise one.fail(f"this must be {KINDS[kind]}.")
        return found


def read(file: bytes) -> Details:
    """Understand a file. Raises InvalidInput, naming the place."""
    if len(file) > LARGEST_FILE:
        raise InvalidInput(f"The file is larger than {LARGEST_FILE // 1024 // 1024} MiB.")
    try:
        root = _At(strict_json.load(file.decode("utf-8-sig")), "")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The file is not text in UTF-8 (byte {error.start + 1}).") from error
    except NotStrictError as error:
        raise InvalidInput(f"The file is not JSON as AWS writes it. {error}") from error
    if not isinstance(root.value, dict) or not any(name in root.value for name in LISTS):
        raise root.fail(f"this is no answer of GetAccountAuthorizationDetails, an object with {', '.join(LISTS)}.")
    if root.value.get("IsTruncated") is True or root.value.get("NextToken") or root.value.get("Marker"):
        raise root.fail(
            "the answer was cut off and has more pages. Get it whole: without --max-items and --no-paginate."
        )
    policies = [_policy(each) for each in root.each("Policies") if ":iam::aws:" not in each.get("Arn", str)]
    groups = [_owner(each, "group", "GroupName", "GroupPolicyList") for each in root.each("GroupDetailList")]
    users = [_owner(each, "user", "UserName", "UserPolicyList") for each in root.each("UserDetailList")]
    roles = [each.get("RoleName", str) for each in root.each("RoleDetailList")]
    entities = (*policies, *groups, *users)
    _refuse_twice(entities)
    return Details(_account(root), entities, tuple(roles))


def pack(file: bytes) -> str:
    """A file in a few letters, for a form to carry. Raises InvalidInput for one that does not get small enough."""
    packed = base64.urlsafe_b64encode(zlib.compress(file)).decode()
    if len(packed) > LARGEST_PACKED:
        raise InvalidInput("The file holds too much for a page: import it by manage.py import_authorization_details.")
    return packed


def unpack(packed: str, largest: int) -> bytes:
    """What was packed. Raises InvalidInput for what was not, and for more than so many bytes."""
    try:
        unpacking = zlib.decompressobj()
        file = unpacking.decompress(base64.b64decode(packed, altchars=b"-_", validate=True), largest + 1)
    except (ValueError, zlib.error) as error:
        raise InvalidInput("The file has not come whole: choose it again.") from error
    if len(file) > largest or not unpacking.eof:
        raise InvalidInput("The file has not come whole: choose it again.")
    return file


def _account(root: _At) -> str:
    """The account that the file is of, empty where no ARN tells."""
    arns = [each.value.get("Arn") for name in LISTS for each in root.each(name)]
    found = next((ACCOUNT.match(arn) for arn in arns if isinstance(arn, str) and ACCOUNT.match(arn)), None)
    return found[1] if found else ""


def _refuse_twice(entities: Sequence[Entity]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for each in entities:
        before = seen.setdefault((each.kind, each.name.lower()), each.pointer)
        if before != each.pointer:
            raise _At(None, each.pointer).fail(f"the {each.kind} {each.name} stands at {before} already.")


def _policy(at: _At) -> Entity:
    name, in_force = at.get("PolicyName", str), at.get("DefaultVersionId", str, "")
    versions = [
        {
            "version_id": each.get("VersionId", str),
            "document": _document(each, "Document"),
            "is_default_version": each.get("IsDefaultVersion", bool, each.value.get("VersionId") == in_force),
        }
        for each in at.each("PolicyVersionList")
    ]
    if not versions:
        raise at.fail("the policy has no PolicyVersionList.")
    return Entity(
        "policy",
        name,
        at.pointer,
        {
            "policy_name": name,
            "path": at.get("Path", str, "/"),
            "policy_versions": versions,
            **_if_any(description=at.get("Description", str, ""), tags=_tags(at)),
        },
    )


def _owner(at: _At, kind: str, named: str, inline: str) -> Entity:
    """A user or group."""
    name = at.get(named, str)
    policies = [
        {"policy_name": each.get("PolicyName", str), "policy_document": _document(each, "PolicyDocument")}
        for each in at.each(inline)
    ]
    attached = [_arn(each, "PolicyArn") for each in at.each("AttachedManagedPolicies")]
    groups = [each.value for each in at.each("GroupList", str)]
    boundary = _At(at.get("PermissionsBoundary", dict, {}), f"{at.pointer}/PermissionsBoundary")
    return Entity(
        kind,
        name,
        at.pointer,
        {
            f"{kind}_name": name,
            "path": at.get("Path", str, "/"),
            **_if_any(policies=policies, group_names=groups, tags=_tags(at)),
        },
        tuple(dict.fromkeys(attached)),
        _arn(boundary, "PermissionsBoundaryArn") if boundary.value else None,
    )


def _if_any(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value}


def _tags(at: _At) -> list[Tag]:
    return [{"key": each.get("Key", str), "value": each.get("Value", str)} for each in at.each("Tags")]


def _arn(at: _At, name: str) -> str:
    arn = str(at.get(name, str))
    if not POLICY_ARN.fullmatch(arn):
        raise _At(arn, f"{at.pointer}/{name}").fail("this is no ARN of a managed policy.")
    return arn


def _document(at: _At, name: str) -> str:
    """A policy as the operations take it: the CLI and the SDKs decode it, the API's own answer is URL-encoded."""
    value = at.value.get(name)
    if isinstance(value, str):
        return unquote(value) if value.lstrip().startswith("%7B") else value
    return json.dumps(at.get(name, dict), ensure_ascii=False, separators=(",", ":"), default=_number)


def _number(value: Decimal) -> float:
    return float(value)


def read_credential_report(file: bytes) -> dict[str, list[str]]:
    """Which credentials each user had, as AWS's credential report tells. Raises InvalidInput."""
    try:
        rows = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput("The credential report is no CSV in UTF-8.") from error
    if not rows or not {"user", *(column for column, _ in CREDENTIALS)} <= rows[0].keys():
        raise InvalidInput("The credential report does not have AWS's columns.")
    return {row["user"]: [what for column, what in CREDENTIALS if row[column] == "true"] for row in rows}


def local_arn(arn: str, account_id: str) -> str:
    """A policy's ARN in AWS as the ARN it has here: AWS's own under the same name, the account's own in this account."""
    found = POLICY_ARN.fullmatch(arn)
    owner = found["account"] if found else ""
    return f"arn:aws:iam::{'aws' if owner == 'aws' else account_id}:policy{found['rest'] if found else ''}"
