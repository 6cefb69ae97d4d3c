"""What of an AWS account's entity differs from the one that has its name here, in sentences."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from accounts.caller import Caller
from iamconsole.forms import may
from permissions.operations.authorization_details import get_account_authorization_details

PAGE: Final = 1000
# The kinds by the filter, the list and the name that the operation has for them.
KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "policy": ("LocalManagedPolicy", "policies", "policy_name"),
    "group": ("Group", "group_detail_list", "group_name"),
    "user": ("User", "user_detail_list", "user_name"),
}
Here = Mapping[tuple[str, str], Mapping[str, Any]]  # by kind and lower-case name


def found_here(caller: Caller, wanted: set[tuple[str, str]]) -> Here | None:
    """What is here of the wanted kinds and names; None for a caller who may not read that."""
    if not may(caller, get_account_authorization_details).allowed:
        return None
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for kind, (filtered, listed, named) in KINDS.items():
        marker, more = None, any(each == kind for each, _ in wanted)
        while more:
            page = get_account_authorization_details(caller, filter=[filtered], max_items=PAGE, marker=marker)
            for one in page[listed]:
                if (key := (kind, one[named].lower())) in wanted:
                    found[key] = one
            marker, more = page["marker"], page["marker"] is not None
    return found


def differences(kind: str, there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What differs between the parameters that would make an entity and what is here under its name."""
    return list(_of_policy(there, here) if kind == "policy" else _of_owner(there, here))


def _of_policy(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    yield from _path(there, here)
    of_file = {each["version_id"]: each["document"] for each in there["policy_versions"]}
    own = {each.version_id: each.document for each in here["policy_version_list"]}
    default = next((each["version_id"] for each in there["policy_versions"] if each["is_default_version"]), "")
    in_force = here["default_version_id"]
    if default and default != in_force:
        yield f"The version in force is {default} in AWS and {in_force} here."
    if default and not _same(of_file[default], own[in_force]):
        yield "The version in force says something else here."
    others = sorted(of_file.keys() & own.keys() - {default, in_force})
    yield from (f"Version {each} says something else here." for each in others if not _same(of_file[each], own[each]))
    yield from _names("Versions", set(of_file), set(own))


def _of_owner(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    yield from _path(there, here)
    yield from _names("Groups", set(there.get("group_names", ())), set(here.get("group_list", ())), fold=True)
    attached = {each.policy_arn for each in here["attached_managed_policies"]}
    yield from _names("Attached policies", set(there.get("policy_arns", ())), attached)
    inline = {each["policy_name"]: each["policy_document"] for each in there.get("policies", ())}
    own_inline = here.get("user_policy_list") or here.get("group_policy_list") or ()
    own = {each.policy_name: each.policy_document for each in own_inline}
    yield from _names("Inline policies", set(inline), set(own))
    both = sorted(inline.keys() & own.keys())
    yield from (
        f"The inline policy {each} says something else here." for each in both if not _same(inline[each], own[each])
    )
    boundary, bound = there.get("permissions_boundary"), here.get("permissions_boundary")
    bound_by = bound["permissions_boundary_arn"] if bound else None
    if boundary != bound_by:
        yield f"The permissions boundary is {boundary or 'none'} in AWS and {bound_by or 'none'} here."
    tags, own_tags = _tags(there.get("tags", ())), _tags(here.get("tags", ()))
    yield from _names("Tags", set(tags), set(own_tags))
    for key in sorted(tags.keys() & own_tags.keys()):
        if tags[key] != own_tags[key]:
            yield f"The tag {key} is {tags[key]!r} in AWS and {own_tags[key]!r} here."


def _path(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    if there["path"] != here["path"]:
        yield f"The path is {there['path']} in AWS and {here['path']} here."


def _names(what: str, there: set[str], here: set[str], *, fold: bool = False) -> Iterator[str]:
    """What only one of the two has."""
    key: Callable[[str], str] = str.lower if fold else str
    sides = (({key(each) for each in here}, there, "missing here"), ({key(each) for each in there}, here, "only here"))
    for other, own, words in sides:
        if alone := sorted(each for each in own if key(each) not in other):
            yield f"{what} {words}: {', '.join(alone)}."


def _tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {each["key"]: each["value"] for each in tags}


def _same(document: str, other: str) -> bool:
    """Whether two documents hold the same, however they are written."""
    if document == other:
        return True
    try:
        return bool(json.loads(document) == json.loads(other))
    except ValueError:
        return False
