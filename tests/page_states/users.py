"""States of users."""

from pathlib import Path

from playwright.sync_api import Page

from tests.browser import proved, shown_secret
from tests.page_states.acts import ADD, CHANGE, CREDENTIALS, GROUPS_TAB, LIST, SESSIONS, TAGS, reveal
from tests.page_states.stage import Stage
from tests.page_states.state import How, State, press


def wizard(name: str, purpose: str = "person", then: How | None = None, **choice: str) -> How:
    """Go through the first two steps of making a user, ticking what is chosen; then do something there."""

    def act(page: Page, stage: Stage) -> None:
        page.get_by_label("User name", exact=True).fill(name)
        page.locator(f"[name=purpose][value={purpose}]").check()
        page.get_by_role("button", name="Next").click()
        for chosen, value in choice.items():
            page.locator(f"[name={chosen}][value='{value}']").check()
        if then:
            then(page, stage)

    return act


def finish(button: str = "Create user", *, way: str = "") -> How:
    """Go on to the last step and press its button."""

    def act(page: Page, stage: Stage) -> None:
        page.get_by_role("button", name="Next").click()
        if way:
            page.locator(f"[name=first_password][value={way}]").check()
        page.locator("main").get_by_role("button", name=button).click()

    return act


def way(how: str, then: How | None = None) -> How:
    """Choose one of the three ways to give permissions."""

    def act(page: Page, stage: Stage) -> None:
        page.locator(f"[name=how][value={how}]").check()
        if then:
            then(page, stage)

    return act


def next_step(page: Page, stage: Stage) -> None:
    """Go on."""
    page.get_by_role("button", name="Next").click()


def wait_too_long(then: How) -> How:
    """Do something sensitive long after sign-in."""

    def act(page: Page, stage: Stage) -> None:
        proved(stage.late, 3600)
        then(page, stage)

    return act


def confirm_wrongly(page: Page, stage: Stage) -> None:
    """Come to the question who it is, and give a wrong password."""
    wait_too_long(press("Save tags"))(page, stage)
    press("Confirm", password="wrong")(page, stage)


MIXED = "user_name,path,groups,tags,console_access\ndora,/x/,,team=blue,none\ncarol\nivan,,nobodies,,setup_link"


FROM_AWS = (Path(__file__).parent.parent / "data" / "authorization_details" / "small.json").read_text()


DIFFERENT = """{"UserDetailList": [{"UserName": "carol", "Path": "/elsewhere/", "Tags": [{"Key": "team", "Value": "red"}],
 "AttachedManagedPolicies": [{"PolicyName": "ReadOnlyAccess", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}],
 "UserPolicyList": [{"PolicyName": "deploy", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}]}]}"""


def import_from_aws(page: Page, stage: Stage) -> None:
    """Import a user from AWS."""
    press("Preview", text='{"UserDetailList": [{"UserName": "moved"}], "RoleDetailList": [{"RoleName": "r"}]}')(
        page, stage
    )
    press("Create 1")(page, stage)


def import_users(page: Page, stage: Stage) -> None:
    """Import users, one of them with a set-up link."""
    press("Preview", text="user_name,console_access\nimported,setup_link\ncarol,none")(page, stage)
    press("Create 1 user")(page, stage)
    shown_secret(page, "link-2")


def look_at(change: str, *names: str) -> How:
    """Tick users, choose a change and look at what it would do."""

    def act(page: Page, stage: Stage) -> None:
        for name in names:
            page.get_by_label(f"Tick {name}", exact=True).check()
        page.locator("[name=change]").select_option(change)
        press("Preview")(page, stage)

    return act


def confirm_deleting(page: Page, stage: Stage) -> None:
    """Type a wrong number."""
    look_at("delete", "bob")(page, stage)
    page.locator("[name=typed_count]").evaluate("field => field.removeAttribute('data-must-equal')")
    page.locator("[name=typed_count]").fill("7")
    press("Delete: 1 user")(page, stage)


def sign_out_several(page: Page, stage: Stage) -> None:
    """Sign two out, of whom one is oneself."""
    look_at("sign-out", "bob", "alice")(page, stage)
    press("Sign out: 2 users")(page, stage)


def choose_no_size(page: Page, stage: Stage) -> None:
    """Send a number of rows that is not offered."""
    page.locator("main [name=page_size] option").first.evaluate(
        "option => { option.value = '7'; option.selected = true; }"
    )
    press("Save columns")(page, stage)


STATES = [
    State(LIST, "empty", "beginner", "No users"),
    State(LIST, "typical", "alice", "carol"),
    State(LIST, "nothing matches", "alice", "Nothing matches", query="?q=zzz"),
    State(LIST, "filtered", "alice", "newcomer", query="?console=enabled&key=no"),
    State(LIST, "partly permitted", "helper", "Not permitted"),
    State(LIST, "a filter that may not be used", "helper", "Nobody is left out by this filter", query="?mfa=yes"),
    State(LIST, "suspending several", "alice", "What will happen", then=look_at("suspend", "bob", "alice")),
    State(LIST, "adding to a group", "alice", "the permissions of the group", then=look_at("add-to-group", "bob")),
    State(LIST, "deleting several", "alice", "Type 1", then=confirm_deleting),
    State(LIST, "signed several out", "alice", "left as they were", then=sign_out_several),
    State(LIST, "several not permitted", "helper", "iamconsole:StartUserChange", then=look_at("delete", "bob")),
    State("admin:user-list-columns", "form", "alice", "Signing certificates"),
    State("admin:user-list-columns", "error", "alice", "Select a valid choice", then=choose_no_size),
    State("admin:user-list-view-save", "form", "alice", "for yourself alone"),
    State("admin:user-list-view-save", "error", "alice", "This field is required", then=press("Save view")),
    State(LIST, "not permitted", "nobody", "iam:ListUsers"),
    State(LIST, "forged filter", "alice", "could not be understood", query="?password__startswith=a"),
    State(ADD, "form", "alice", "What is the user for?"),
    State(ADD, "error", "alice", "Use up to 64 letters", then=press("Next", user_name="a b", path="design")),
    State(ADD, "name taken", "alice", "already exists", then=wizard("Carol")),
    State(ADD, "not permitted", "nobody", "iam:CreateUser"),
    State("admin:user-add-permissions", "nothing entered yet", "alice", "What is the user for?"),
    State("admin:user-add-review", "nothing entered yet", "alice", "What is the user for?"),
    State(ADD, "permissions", "alice", "developers", then=wizard("erin")),
    State(ADD, "permissions without groups", "beginner", "There is no group yet", then=wizard("erin")),
    State(ADD, "permissions to copy", "alice", "Later changes", then=wizard("erin", then=way("copy"))),
    State(ADD, "permissions: nobody to copy", "alice", "Enter the name", then=wizard("x", then=way("copy", next_step))),
    State(
        ADD,
        "policies found",
        "alice",
        "IAMReadOnlyAccess",
        then=wizard("erin", then=way("policies", press("Search", search="iamread"))),
    ),
    State(ADD, "review", "alice", "developers", then=wizard("erin", then=next_step, group_names="developers")),
    State(ADD, "review without permissions", "alice", "may do nothing", then=wizard("erin", "none", then=next_step)),
    State(ADD, "no password", "alice", "Enter a password", then=wizard("x", then=finish(way="custom"))),
    State(
        ADD,
        "password",
        "alice",
        "Message to send",
        then=reveal("password", wizard("erin", then=finish(way="generated"))),
    ),
    State(ADD, "set-up link", "alice", "chooses", then=reveal("setup-link", wizard("linked", then=finish()))),
    State(ADD, "access key", "alice", "shown once", then=reveal("secret", wizard("backup", "service", then=finish()))),
    State(ADD, "no credentials", "alice", "no credentials yet", then=wizard("later", "none", then=finish())),
    State("admin:user-import", "form", "alice", "The columns"),
    State("admin:user-import", "not permitted", "nobody", "iam:CreateUser"),
    State("admin:user-import", "error", "alice", "is not known", then=press("Preview", text="user_name,phone\nx,1")),
    State("admin:user-import", "preview", "alice", "There is no group", then=press("Preview", text=MIXED)),
    State("admin:user-import-aws", "form", "alice", "get-account-authorization-details"),
    State("admin:user-import-aws", "error", "alice", "At /: this is no answer", then=press("Preview", text="{}")),
    State("admin:user-import-aws", "preview", "alice", "Nothing is done yet", then=press("Preview", text=FROM_AWS)),
    State(
        "admin:user-import-aws",
        "differences",
        "alice",
        "It differs, and is left as it is",
        then=press("Preview", text=DIFFERENT),
    ),
    State("admin:user-import-aws", "result", "alice", "Give anew", then=import_from_aws),
    State("admin:user-import", "result", "alice", "shown once", then=import_users),
    State(CHANGE, "typical", "alice", "everything", ("carol",)),
    State(CHANGE, "typical credentials", "alice", "Deactivate", ("carol",), CREDENTIALS),
    State(CHANGE, "credentials with MFA devices", "alice", "(4 of 8)", ("guarded",), CREDENTIALS),
    State(CHANGE, "typical tags", "alice", "blue", ("carol",), TAGS),
    State(CHANGE, "typical sessions", "root", "End all sessions", ("alice",), SESSIONS),
    State(CHANGE, "empty sessions", "alice", "not signed in anywhere", ("bob",), SESSIONS),
    State(CHANGE, "partly permitted sessions", "helper", "iamconsole:ListSessions", ("carol",), SESSIONS),
    State(CHANGE, "empty", "alice", "No policy yet", ("newcomer",)),
    State(CHANGE, "empty credentials", "alice", "None yet", ("bob",), CREDENTIALS),
    State(CHANGE, "empty tags", "alice", "No tag yet", ("bob",), TAGS),
    State(CHANGE, "typical groups", "alice", "Remove", ("carol",), GROUPS_TAB),
    State(CHANGE, "empty groups", "alice", "In no group yet", ("bob",), GROUPS_TAB),
    State(CHANGE, "partly permitted groups", "helper", "iam:ListGroupsForUser", ("carol",), GROUPS_TAB),
    State(CHANGE, "partly permitted", "helper", "iam:ListUserPolicies", ("carol",)),
    State(CHANGE, "partly permitted credentials", "helper", "iam:GetLoginProfile", ("carol",), CREDENTIALS),
    State(CHANGE, "partly permitted tags", "helper", "iam:ListUserTags", ("carol",), TAGS),
    State(CHANGE, "not permitted", "nobody", "iam:GetUser", ("carol",)),
    State(CHANGE, "not there", "alice", "cannot be found", ("nobody-at-all",)),
    State("admin:accounts_user_change", "suspended", "alice", "Reason: Parental leave", ("resting",)),
    State("admin:accounts_user_change", "suspended until", "alice", "Suspended until 2199-01-31", ("away",)),
    State("admin:accounts_user_change", "locked down", "alice", "Undo lock-down", ("locked",)),
    State("admin:accounts_user_change", "leaving", "alice", "Ends on 2199-01-31", ("leaving",)),
    State("admin:accounts_user_change", "past the end date", "alice", "The end date has passed", ("gone",)),
    State("admin:user-suspend", "form", "alice", "Nothing is deleted", ("bob",)),
    State(
        "admin:user-suspend",
        "error",
        "alice",
        "This time is past",
        ("bob",),
        then=press("Suspend user", until="2020-01-01T00:00"),
    ),
    State("admin:user-suspend", "not permitted", "helper", "iamconsole:SuspendUser", ("bob",)),
    State("admin:user-end-date", "form", "alice", "From this time on", ("bob",)),
    State("admin:user-end-date", "set", "alice", "From this time on", ("leaving",)),
    State(
        "admin:user-end-date",
        "error",
        "alice",
        "This time is past",
        ("bob",),
        then=press("Save", end_date="2020-01-01T00:00"),
    ),
    State("admin:user-end-date", "not permitted", "helper", "iamconsole:PutUserEndDate", ("bob",)),
    State("admin:user-lock-down", "with keys", "alice", "is switched off already", ("carol",)),
    State("admin:user-lock-down", "without keys", "alice", "there are none", ("bob",)),
    State("admin:user-lock-down", "oneself", "alice", "Ask another", ("alice",), then=press("Lock down user")),
    State("admin:user-lock-down", "not permitted", "helper", "iamconsole:LockDownUser", ("bob",)),
    State("admin:user-rename", "form", "alice", "The ARN changes", ("carol",)),
    State("admin:user-rename", "error", "alice", "already exists", ("carol",), then=press("Save", new_user_name="bob")),
    State("admin:user-rename", "not permitted", "helper", "iam:UpdateUser", ("carol",)),
    State("admin:accounts_user_delete", "typical", "alice", "This cannot be undone", ("carol",)),
    State("admin:accounts_user_delete", "empty", "alice", "Console password: none", ("bob",)),
    State(
        "admin:accounts_user_delete",
        "error",
        "alice",
        "not the name",
        ("carol",),
        then=press("Delete user", typed_name="x"),
    ),
    State("admin:accounts_user_delete", "not permitted", "helper", "iam:DeleteUser", ("carol",)),
    State("admin:user-tags", "empty", "alice", "Save tags", ("bob",)),
    State("admin:user-tags", "typical", "alice", "Save tags", ("carol",)),
    State("admin:user-tags", "error", "alice", "reserved", ("carol",), then=press("Save tags", tag_key="aws:team")),
    State(
        "admin:user-tags",
        "asked who it is",
        "late",
        "Confirm that it is you",
        ("bob",),
        then=wait_too_long(press("Save tags")),
    ),
    State("admin:user-tags", "asked and wrong", "late", "not your password", ("bob",), then=confirm_wrongly),
    State("admin:user-tags", "not permitted", "helper", "iam:TagUser", ("carol",)),
    State("admin:user-permissions-add", "groups", "alice", "developers", ("bob",)),
    State("admin:user-permissions-add", "policies", "alice", "Prefer a group", ("bob",), "?how=policies"),
    State("admin:user-permissions-add", "copy", "alice", "Later changes", ("bob",), "?how=copy"),
    State(
        "admin:user-permissions-add",
        "error",
        "alice",
        "Nothing is named",
        ("bob",),
        then=press("Add permissions"),
    ),
    State("admin:user-permissions-add", "not permitted", "helper", "iam:AddUserToGroup", ("bob",)),
    State("admin:user-boundary", "empty", "alice", "Set boundary", ("bob",)),
    State("admin:user-boundary", "typical", "alice", "Remove boundary", ("carol",)),
    State(
        "admin:user-boundary",
        "error",
        "alice",
        "Enter the ARN",
        ("bob",),
        then=press("Set boundary", permissions_boundary="x"),
    ),
    State("admin:user-boundary", "not permitted", "helper", "iam:PutUserPermissionsBoundary", ("bob",)),
]
