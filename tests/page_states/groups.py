"""States of groups."""

from tests.page_states.acts import TIDY, edit_policy
from tests.page_states.state import State, press

GROUP, GROUPS = "admin:accounts_group_change", "admin:accounts_group_changelist"
STATES = [
    State(GROUPS, "empty", "beginner", "No groups"),
    State(GROUPS, "typical", "alice", "developers"),
    State(GROUPS, "nothing matches", "alice", "Nothing matches", query="?q=zzz"),
    State(GROUPS, "partly permitted", "helper", "Not permitted"),
    State(GROUPS, "not permitted", "nobody", "iam:ListGroups"),
    State("admin:accounts_group_add", "form", "alice", "Name it after"),
    State(
        "admin:accounts_group_add", "error", "alice", "already exists", then=press("Create group", group_name="EMPTY")
    ),
    State("admin:accounts_group_add", "not permitted", "nobody", "iam:CreateGroup"),
    State(GROUP, "typical", "alice", "carol", ("developers",)),
    State(GROUP, "typical permissions", "alice", "IAMReadOnlyAccess", ("developers",), "?tab=permissions"),
    State(GROUP, "empty", "alice", "Nobody is in this group yet", ("empty",)),
    State(GROUP, "empty permissions", "alice", "No policy yet", ("empty",), "?tab=permissions"),
    State(GROUP, "partly permitted", "helper", "iam:RemoveUserFromGroup", ("developers",)),
    State(
        GROUP, "partly permitted permissions", "helper", "iam:ListGroupPolicies", ("developers",), "?tab=permissions"
    ),
    State(GROUP, "not permitted", "nobody", "iam:GetGroup", ("developers",)),
    State(GROUP, "not there", "alice", "cannot be found", ("nothing",)),
    State("admin:group-rename", "form", "alice", "The ARN changes", ("developers",)),
    State(
        "admin:group-rename",
        "error",
        "alice",
        "already exists",
        ("developers",),
        then=press("Save", new_group_name="empty"),
    ),
    State("admin:group-rename", "not permitted", "helper", "iam:UpdateGroup", ("developers",)),
    State("admin:accounts_group_delete", "typical", "alice", "The users stay", ("developers",)),
    State("admin:accounts_group_delete", "empty", "alice", "Users: none", ("empty",)),
    State(
        "admin:accounts_group_delete",
        "error",
        "alice",
        "not the name",
        ("developers",),
        then=press("Delete group", typed_name="x"),
    ),
    State("admin:accounts_group_delete", "not permitted", "helper", "iam:DeleteGroup", ("developers",)),
    State("admin:group-users-add", "typical", "alice", "bob", ("developers",)),
    State("admin:group-users-add", "nothing found", "alice", "0 found", ("empty",), then=press("Search", search="zzz")),
    State("admin:group-users-add", "not permitted", "helper", "iam:AddUserToGroup", ("developers",)),
    State("admin:group-policies-attach", "typical", "alice", "The first 20", ("developers",)),
    State("admin:group-policies-attach", "not permitted", "helper", "iam:AttachGroupPolicy", ("developers",)),
    State("admin:group-policy-create", "form", "alice", "Policy document", ("designers",)),
    State("admin:group-policy-create", "not there", "alice", "cannot be found", ("nobody-at-all",)),
    State("admin:group-policy-create", "not permitted", "nobody", "iam:GetGroup", ("designers",)),
    State("admin:group-policy-edit", "typical", "alice", "Edit inline", ("designers", "inline")),
    State(
        "admin:group-policy-edit",
        "review",
        "alice",
        "This group has members",
        ("designers", "inline"),
        then=edit_policy("Save policy", document=TIDY),
    ),
    State("admin:group-policy-delete", "typical", "alice", "loses what this policy allows", ("designers", "inline")),
    State("admin:policy-detach-group", "typical", "alice", "The members of designers lose", ("@reports", "designers")),
]
