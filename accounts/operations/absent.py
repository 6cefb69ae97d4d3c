"""Kinds of AWS that this release has none of: their listings are empty, so that scanners and Terraform go on."""

from typing import Any

from accounts import targets
from accounts.caller import Caller
from accounts.models import Account
from iamconsole.operation import operation
from iamconsole.paging import Page


@operation("iam:ListRoles", on=targets.everything, reads=True)
def list_roles(
    caller: Caller,
    *,
    account: Account,
    path_prefix: str = "/",
    max_items: int | None = None,
    marker: str | None = None,
) -> Page[Any]:
    """No role."""
    return Page([])


@operation("iam:ListInstanceProfiles", on=targets.everything, reads=True)
def list_instance_profiles(
    caller: Caller,
    *,
    account: Account,
    path_prefix: str = "/",
    max_items: int | None = None,
    marker: str | None = None,
) -> Page[Any]:
    """No instance profile."""
    return Page([])


@operation("iam:ListOpenIDConnectProviders", on=targets.everything, reads=True)
def list_open_id_connect_providers(caller: Caller, *, account: Account) -> Page[Any]:
    """No identity provider."""
    return Page([])


@operation("iam:ListSAMLProviders", on=targets.everything, reads=True)
def list_saml_providers(caller: Caller, *, account: Account) -> Page[Any]:
    """No identity provider."""
    return Page([])
