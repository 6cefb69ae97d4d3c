"""Steps that operations share. Only operations call them, inside their transaction."""

from accounts.models import User
from accounts.quotas import quota_of
from iamconsole.errors import LimitExceeded
from permissions import language
from permissions.models import UserPolicy


def put_user_policy(user: User, policy_name: str, policy_document: str) -> UserPolicy:
    """Set an inline policy of a locked user. The name's first spelling is kept.

    Raises MalformedPolicyDocument, LimitExceeded.
    """
    language.parse(policy_document)
    key = policy_name.lower()
    others = UserPolicy.objects.filter(user=user).exclude(policy_name_key=key).values_list("policy_document", flat=True)
    quota = quota_of(user.account, "UserPolicySize")
    if sum(map(language.quota_size, others)) + language.quota_size(policy_document) > quota:
        raise LimitExceeded(f"Maximum policy size of {quota} bytes exceeded for user {user.user_name}")
    policy, _ = UserPolicy.objects.update_or_create(
        user=user,
        policy_name_key=key,
        defaults={"policy_document": policy_document},
        create_defaults={"policy_name": policy_name, "policy_document": policy_document},
    )
    return policy
