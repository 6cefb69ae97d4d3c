"""Inline policies of users."""

from accounts import targets
from accounts.caller import Caller
from accounts.models import User
from iamconsole.errors import NoSuchEntity
from iamconsole.operation import Page, operation
from permissions.models import UserPolicy
from permissions.steps import put_user_policy as put


@operation("iam:PutUserPolicy", on=targets.user, lock=True, changes_permissions=True)
def put_user_policy(caller: Caller, *, user: User, policy_name: str, policy_document: str) -> None:
    """Set an inline policy, new or in the place of the one with that name. Raises MalformedPolicyDocument, LimitExceeded."""
    put(user, policy_name, policy_document)


@operation("iam:GetUserPolicy", on=targets.user, reads=True)
def get_user_policy(caller: Caller, *, user: User, policy_name: str) -> UserPolicy:
    """An inline policy, its document as it was given. Raises NoSuchEntity."""
    return _policy(user, policy_name)


@operation("iam:ListUserPolicies", on=targets.user, reads=True)
def list_user_policies(
    caller: Caller, *, user: User, max_items: int | None = None, marker: str | None = None
) -> Page[str]:
    """The names of the user's inline policies, by name without regard to case."""
    page = Page.of(
        user.policies.all(),
        by="policy_name_key",
        scope=f"ListUserPolicies {user.user_id}",
        max_items=max_items,
        marker=marker,
    )
    return Page([policy.policy_name for policy in page.items], page.marker)


@operation("iam:DeleteUserPolicy", on=targets.user, lock=True, changes_permissions=True)
def delete_user_policy(caller: Caller, *, user: User, policy_name: str) -> None:
    """Delete an inline policy. Raises NoSuchEntity."""
    _policy(user, policy_name).delete()


def _policy(user: User, policy_name: str) -> UserPolicy:
    policy = UserPolicy.objects.select_related("user").filter(user=user, policy_name_key=policy_name.lower()).first()
    if policy is None:
        raise NoSuchEntity(f"The user policy with name {policy_name} cannot be found.")
    return policy
