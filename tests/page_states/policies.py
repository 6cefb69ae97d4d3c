"""States of policies, managed and inline."""

from playwright.sync_api import Page

from tests.page_states.acts import TIDY, edit_policy
from tests.page_states.stage import Stage
from tests.page_states.state import State, press


def find_actions(page: Page, stage: Stage) -> None:
    """Make the form longer, and look for actions."""
    edit_policy("Form", "Add statement", "Add condition to statement 2", document=TIDY)(page, stage)
    edit_policy("Find", find="listbucket")(page, stage)


POLICIES, NEW_POLICY = "admin:permissions_managedpolicy_changelist", "admin:permissions_managedpolicy_add"
POLICY, ADMINISTRATOR = "admin:permissions_managedpolicy_change", "arn:aws:iam::aws:policy/AdministratorAccess"
BROKEN = '{\n"Version": "2012-10-17",\n"Statement": {\n"Effect": "Allow",\n"Actions": "s3:*",\n"Resource": "*"\n}\n}'
DUBIOUS = """{"Version": "2012-10-17", "Statement": [
{"Sid": "", "Effect": "Allow", "Action": ["s3:GetObjekt", "iam:*"], "Resource": "*",
 "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}},
{"Effect": "Deny", "NotAction": "s3:*", "NotResource": "arn:aws:s3:::reports"}]}"""
STATES = [
    State("admin:user-policy-create", "form", "alice", "Policy document", ("bob",)),
    State(
        "admin:user-policy-create",
        "error",
        "alice",
        "Check what you entered",
        ("bob",),
        then=press("Save policy", policy_name="p", policy_document=""),
    ),
    State("admin:user-policy-create", "not permitted", "helper", "iam:PutUserPolicy", ("bob",)),
    State("admin:user-policy-edit", "typical", "alice", "Edit everything", ("carol", "everything")),
    State(
        "admin:user-policy-edit",
        "error",
        "alice",
        "This is not JSON",
        ("carol", "everything"),
        then=press("Save policy", policy_document='{"Version": "2012-10-17"'),
    ),
    State("admin:user-policy-edit", "not there", "alice", "cannot be found", ("carol", "nothing")),
    State("admin:user-policy-edit", "not permitted", "helper", "iam:GetUserPolicy", ("carol", "everything")),
    State("admin:user-policy-delete", "typical", "alice", "loses what this policy allows", ("carol", "everything")),
    State(POLICIES, "empty", "beginner", "No policy of your own yet", query="?type=customer"),
    State(POLICIES, "typical", "alice", "reports"),
    State(POLICIES, "filtered", "alice", "reports", query="?type=customer&used=boundary"),
    State(POLICIES, "nothing matches", "alice", "Nothing matches", query="?q=zzz"),
    State(POLICIES, "not permitted", "nobody", "iam:ListPolicies"),
    State(NEW_POLICY, "form", "alice", "Permissions defined in this policy"),
    State(NEW_POLICY, "copy", "beginner", "every action on every resource", query=f"?copy={ADMINISTRATOR}"),
    State(NEW_POLICY, "error", "alice", "Do you mean “Action”?", then=edit_policy("Create policy", document=BROKEN)),
    State(
        NEW_POLICY, "validated", "alice", "Do you mean s3:GetObject?", then=edit_policy("Validate", document=DUBIOUS)
    ),
    State(NEW_POLICY, "no JSON", "alice", "This is not JSON", then=edit_policy("Format", document="{")),
    State(NEW_POLICY, "as a form", "alice", "Condition 1", then=edit_policy("Form", document=DUBIOUS)),
    State(
        NEW_POLICY,
        "a form with more",
        "alice",
        "s3:ListBucketVersions",
        then=find_actions,
    ),
    State(NEW_POLICY, "form error", "alice", "Statement 2", then=edit_policy("Form", "Add statement", "Create policy")),
    State(NEW_POLICY, "form validated", "alice", "Statement 2", then=edit_policy("Form", "Add statement", "Validate")),
    State(NEW_POLICY, "no form", "alice", "without errors", then=edit_policy("Form", document=BROKEN)),
    State(
        NEW_POLICY, "name taken", "alice", "already exists", then=edit_policy("Create policy", policy_name="Reports")
    ),
    State(NEW_POLICY, "not permitted", "nobody", "iam:CreatePolicy"),
    State(POLICY, "typical", "alice", "Permissions defined in this policy", ("@reports",)),
    State(POLICY, "typical entities", "alice", "Group of 1", ("@reports",), "?tab=entities"),
    State(POLICY, "typical versions", "alice", "In force", ("@reports",), "?tab=versions"),
    State(POLICY, "typical tags", "alice", "blue", ("@reports",), "?tab=tags"),
    State(POLICY, "empty entities", "alice", "Attached to nobody", ("@plain",), "?tab=entities"),
    State(POLICY, "full versions", "alice", "keeps up to 5 versions", ("@full",), "?tab=versions"),
    State(POLICY, "empty tags", "alice", "No tag yet", ("@plain",), "?tab=tags"),
    State(POLICY, "aws", "alice", "copy it into a policy of your own", ("@aws",)),
    State(POLICY, "partly permitted", "helper", "iam:GetPolicyVersion", ("@reports",)),
    State(POLICY, "partly permitted entities", "helper", "iam:ListEntitiesForPolicy", ("@reports",), "?tab=entities"),
    State(POLICY, "partly permitted versions", "helper", "iam:ListPolicyVersions", ("@reports",), "?tab=versions"),
    State(POLICY, "partly permitted tags", "helper", "iam:ListPolicyTags", ("@reports",), "?tab=tags"),
    State(POLICY, "not permitted", "nobody", "iam:GetPolicy", ("@reports",)),
    State(POLICY, "not there", "alice", "was not found", ("arn:aws:iam::123456789012:policy/nothing",)),
    State(POLICY, "no ARN", "alice", "is not valid", ("nonsense-that-is-no-arn",)),
    State("admin:policy-version-create", "form", "alice", "Put this version in force", ("@reports",)),
    State(
        "admin:policy-version-create",
        "review",
        "alice",
        "Who is affected",
        ("@reports",),
        then=edit_policy("Save version", document=DUBIOUS),
    ),
    State(
        "admin:policy-version-create",
        "error",
        "alice",
        "up to 5 versions",
        ("@full",),
        then=edit_policy("Save version", document=TIDY),
    ),
    State("admin:policy-version-create", "aws", "alice", "AWS wrote this policy", ("@aws",)),
    State("admin:policy-version-create", "not permitted", "helper", "iam:GetPolicyVersion", ("@reports",)),
    State("admin:policy-version", "typical", "alice", "Permissions defined in this version", ("@reports", "v2")),
    State("admin:policy-version", "not there", "alice", "does not exist", ("@reports", "v9")),
    State("admin:policy-compare", "typical", "alice", "From line", ("@reports",)),
    State("admin:policy-compare", "same", "alice", "the same to the letter", ("@plain",)),
    State("admin:policy-version-default", "typical", "alice", "Answers that change", ("@reports", "v2")),
    State("admin:policy-version-default", "unused", "alice", "Nobody: it is attached", ("@full", "v2")),
    State("admin:policy-version-default", "not permitted", "helper", "iam:GetPolicyVersion", ("@reports", "v2")),
    State("admin:policy-version-delete", "typical", "alice", "It is not in force", ("@reports", "v2")),
    State("admin:policy-version-delete", "in force", "alice", "put another one in force first", ("@reports", "v1")),
    State("admin:policy-attach", "typical", "alice", "Attached", ("@reports",)),
    State("admin:policy-attach", "nothing matches", "alice", "has “zzz” in its name", ("@reports",), "?q=zzz"),
    State("admin:policy-attach", "partly permitted", "helper", "Needs iam:AttachUserPolicy", ("@reports",)),
    State("admin:policy-attach", "not permitted", "nobody", "iam:GetPolicy", ("@reports",)),
    State("admin:policy-detach-user", "typical", "alice", "bob loses", ("@reports", "bob")),
    State("admin:policy-detach-user", "not permitted", "helper", "iam:DetachUserPolicy", ("@reports", "bob")),
    State(
        "admin:policy-detach-user",
        "error",
        "alice",
        "was not found",
        ("@plain", "bob"),
        then=press("Detach policy"),
    ),
    State("admin:policy-tags", "empty", "alice", "Add a tag", ("@plain",)),
    State("admin:policy-tags", "typical", "alice", "blue", ("@reports",)),
    State("admin:policy-tags", "error", "alice", "reserved", ("@reports",), then=press("Save tag", key="aws:team")),
    State("admin:policy-tags", "not permitted", "helper", "iam:TagPolicy", ("@reports",)),
    State("admin:permissions_managedpolicy_delete", "typical", "alice", "This cannot be undone", ("@plain",)),
    State("admin:permissions_managedpolicy_delete", "blocked", "alice", "It cannot be deleted yet", ("@reports",)),
    State("admin:permissions_managedpolicy_delete", "versions", "alice", "Delete its versions", ("@full",)),
    State("admin:permissions_managedpolicy_delete", "aws", "alice", "AWS wrote this policy", ("@aws",)),
    State(
        "admin:permissions_managedpolicy_delete",
        "error",
        "alice",
        "not the name",
        ("@plain",),
        then=press("Delete policy", typed_name="x"),
    ),
    State("admin:permissions_managedpolicy_delete", "not permitted", "helper", "iam:DeletePolicy", ("@plain",)),
]
