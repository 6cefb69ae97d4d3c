"""Importing what AWS's GetAccountAuthorizationDetails told: what would be made, and making it by operations.

Each managed policy, group and user is made by one call of an operation, in a transaction of its own and in the order in which
one needs the other: it is there whole, or not at all. What has failed keeps nothing else from being made but what needs it. A
name that is taken is left alone, so the second run of a file changes nothing and goes on where the first one failed; what differs
between it and the file is told.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from accounts import arns
from accounts.caller import Caller
from accounts.import_words import KINDS, LATER, LEFT_ALONE, MADE, THERE, WILL, WRONG, names_of
from accounts.operations.groups import list_groups
from accounts.operations.users import list_users
from accounts.operations.whole_groups import create_group_with_policies
from accounts.operations.whole_users import create_user_with_access
from accounts.quotas import quota_of
from accounts.tags import checked
from api import shapes
from iamconsole.errors import EntityAlreadyExists, Fault, SudoRequired
from iamconsole.forms import may
from iamconsole.operation import Operation
from permissions import language
from permissions.authorization_differences import Here, differences, found_here
from permissions.authorization_files import Details, Entity, local_arn
from permissions.aws_managed import catalogue
from permissions.operations.managed import list_policies
from permissions.operations.whole_policies import create_policy_with_versions, numbered

MAKING: Final[Mapping[str, Operation[Any]]] = {
    "policy": create_policy_with_versions,
    "group": create_group_with_policies,
    "user": create_user_with_access,
}
LISTING: Final[Mapping[str, tuple[Operation[Any], str, Mapping[str, str]]]] = {
    "policy": (list_policies, "arn", {"scope": "Local"}),
    "group": (list_groups, "group_name_key", {}),
    "user": (list_users, "user_name_key", {}),
}
UNKNOWN: Final = (
    "a password or set-up link, access keys, MFA devices, SSH keys and certificates, as far as there were any"
)
NOT_COMPARED: Final = "You may not compare it: iam:GetAccountAuthorizationDetails."
AWS: Final = "arn:aws:iam::aws:policy/"
# Whose documents together, or each, are measured by which quota; and how many of what one may have.
SIZES: Final = {"user": "UserPolicySize", "group": "GroupPolicySize", "policy": "PolicySize"}
NUMBERS: Final = {
    "user": (("GroupsPerUser", "group_names"), ("PoliciesPerUser", "policy_arns")),
    "group": (("PoliciesPerGroup", "policy_arns"),),
    "policy": (("VersionsPerPolicy", "policy_versions"),),
}


@dataclass(frozen=True)
class Line:
    """An entity of the file with what will become or has become of it, and what of it is left out."""

    entity: Entity
    parameters: Mapping[str, Any]
    word: str = WILL
    detail: str = ""
    notes: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()  # between what is in the file and what is here already

    @property
    def shown_as(self) -> str:
        """How the word is shown."""
        return KINDS[self.word]


def preview(caller: Caller, details: Details) -> list[Line]:
    """What would be made, as far as the caller may know, and what differs of what is there. Changes nothing."""
    lines = list(_checked(caller, details))
    wanted = {(line.entity.kind, line.entity.name.lower()) for line in lines if line.word == THERE}
    here = found_here(caller, wanted) if wanted else {}
    return [
        _foreseen(caller, line) if line.word == WILL else _compared(line, here) if line.word == THERE else line
        for line in lines
    ]


def run(caller_for_each: Callable[[], Caller], details: Details, *, most: int | None = None) -> list[Line]:
    """Make it, so many entities at most. ``caller_for_each``: the caller, anew for each that is made."""
    done, made = [], 0
    for line in _checked(caller_for_each(), details):
        if line.word != WILL:
            done.append(line)
            continue
        made += 1
        done.append(_make(caller_for_each(), line) if most is None or made <= most else replace(line, word=LATER))
    return done


def _checked(caller: Caller, details: Details) -> Iterator[Line]:
    """Each entity with its parameters here, and what is wrong with it as far as it can be said beforehand."""
    there = {kind: names_of(caller, listing, key, **only) for kind, (listing, key, only) in LISTING.items()}
    policies = there["policy"]
    if policies is not None:
        there["policy"] = {arn.rpartition("/")[2].lower() for arn in policies}
    coming: dict[str, set[str]] = {kind: set() for kind in MAKING}
    for entity in details.entities:
        line = _translated(caller, entity, details.account_id)
        known, name = there[entity.kind], entity.name.lower()
        if known is not None and name in known:
            yield replace(line, word=THERE, detail=LEFT_ALONE, notes=())
            continue
        groups = there["group"]
        errors = _errors(caller, line)
        if groups is not None:
            wanted = line.parameters.get("group_names", ())
            errors += [f"There is no group {each}." for each in wanted if each.lower() not in groups | coming["group"]]
        if policies is not None:
            errors += _policies_missing(line, policies | coming["policy"])
        if not errors:  # what cannot be made is there for nobody
            is_policy = entity.kind == "policy"
            path = str(line.parameters.get("path", "/"))
            coming[entity.kind].add(arns.policy(caller.account_id, path, entity.name) if is_policy else name)
        yield replace(line, word=WRONG, detail=" ".join(errors)) if errors else line


def _policies_missing(line: Line, known: set[str]) -> list[str]:
    """What is said of the account's own policies that the entity needs and that are neither here nor made before it."""
    wanted, bounding = line.parameters.get("policy_arns", ()), line.parameters.get("permissions_boundary")
    missing = [
        f"There is no policy {arn}, here or in the file." for arn in wanted if not _is_aws(arn) and arn not in known
    ]
    if bounding and not _is_aws(bounding) and bounding not in known:
        missing.append(f"There is no policy {bounding} for the permissions boundary, here or in the file.")
    return missing


def _translated(caller: Caller, entity: Entity, source: str) -> Line:
    """The entity as it can be made here; what cannot is told."""
    parameters, notes = dict(entity.parameters), list[str]()
    local = {arn: local_arn(arn, caller.account_id) for arn in entity.policy_arns}
    for arn, here in local.items():
        if not _is_there(here):
            notes.append(f"{arn} is not attached: AWS's policy of this name is not among those that are known here.")
    if attached := [each for each in local.values() if _is_there(each)]:
        parameters["policy_arns"] = attached
    if entity.boundary:
        parameters["permissions_boundary"] = local_arn(entity.boundary, caller.account_id)
    if source and source != caller.account_id and any(source in document for document in entity.documents):
        notes.append(f"Its policies name the account {source}: they are taken as they are.")
    return Line(entity, parameters, notes=tuple(notes))


def _is_aws(arn: str) -> bool:
    return arn.startswith(AWS)


def _is_there(arn: str) -> bool:
    return not _is_aws(arn) or arn in catalogue()


def _errors(caller: Caller, line: Line) -> list[str]:
    kind, parameters, errors = line.entity.kind, line.parameters, []
    boundary = parameters.get("permissions_boundary")
    if boundary and not _is_there(boundary):
        errors.append(
            f"The permissions boundary {line.entity.boundary} is not among AWS's policies that are known here."
        )
    for name, counted in NUMBERS[kind]:
        if len(parameters.get(counted, ())) > (quota := quota_of(caller.account, name)):
            errors.append(f"Cannot exceed quota for {name}: {quota}.")
    sizes = [language.quota_size(document) for document in line.entity.documents]
    size = max(sizes, default=0) if kind == "policy" else sum(sizes)
    if size > (quota := quota_of(caller.account, SIZES[kind])):
        errors.append(f"Cannot exceed quota for {SIZES[kind]}: {quota}.")
    try:
        shapes.validate(MAKING[kind].model, parameters)
        checked(parameters.get("tags", ()), minds_case=kind == "policy")
        if kind == "policy":
            numbered(parameters["policy_versions"])
        for document in line.entity.documents:
            language.parse(document)
    except Fault as fault:
        errors.append(fault.message)
    return errors


def _foreseen(caller: Caller, line: Line) -> Line:
    try:
        allowed = may(caller, MAKING[line.entity.kind], **line.parameters)
    except Fault as fault:  # finding what it is about fails already
        return replace(line, word=WRONG, detail=fault.message)
    if allowed.allowed:
        return line
    return replace(line, word=WRONG, detail=f"You may not: {allowed.action} on {allowed.resource}.")


def _compared(line: Line, here: Here | None) -> Line:
    if here is None:
        return replace(line, detail=f"{LEFT_ALONE} {NOT_COMPARED}")
    own = here.get((line.entity.kind, line.entity.name.lower()))
    if own is None:  # it has been deleted since
        return line
    found = tuple(differences(line.entity.kind, line.parameters, own))
    return replace(
        line, detail=f"{'It differs' if found else 'It is the same'}, and is left as it is.", differences=found
    )


def _make(caller: Caller, line: Line) -> Line:
    try:
        MAKING[line.entity.kind](caller, **line.parameters)
    except SudoRequired:  # at the first one: nothing is done yet, and the same comes again
        raise
    except EntityAlreadyExists as fault:
        return replace(line, word=THERE, detail=fault.message, notes=())
    except Fault as fault:
        return replace(line, word=WRONG, detail=fault.message)
    return replace(line, word=MADE)


def counted(lines: Sequence[Line]) -> list[tuple[str, int]]:
    """How many entities have which word, in a fixed order."""
    counts = Counter(line.word for line in lines)
    return [(word, counts[word]) for word in KINDS if counts[word]]


def credentials_to_give(lines: Sequence[Line], had: Mapping[str, Sequence[str]] | None = None) -> list[tuple[str, str]]:
    """Which credentials each user of the file who is there now must be given anew, since none ever leave AWS.

    ``had``: what the credential report of AWS tells. The file itself does not.
    """
    names = [line.entity.name for line in lines if line.entity.kind == "user" and line.word in (MADE, THERE)]
    return [(name, _to_give(name, had)) for name in names]


def _to_give(user_name: str, had: Mapping[str, Sequence[str]] | None) -> str:
    if had is None or user_name not in had:
        return UNKNOWN
    return ", ".join(had[user_name]) or "nothing: there were no credentials"
