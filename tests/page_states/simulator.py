"""States of the policy simulator and of decisions."""

from playwright.sync_api import Page

from tests.page_states.stage import CAREFUL, Stage
from tests.page_states.state import State, press

NAMES = "&resource_arns=arn:aws:s3:::public/a%0Aarn:aws:s3:::private/a"


def paste(page: Page, stage: Stage) -> None:
    """Simulate a policy that is stored nowhere."""
    page.get_by_text("Other policies").click()
    press("Simulate", policy_input_list=CAREFUL, action_names="iam:ListUsers")(page, stage)


STATES = [
    State("admin:simulator", "empty", "alice", "User or group"),
    State("admin:simulator", "empty, not permitted", "nobody", "iam:SimulateCustomPolicy"),
    State(
        "admin:simulator",
        "typical",
        "alice",
        "Explicitly denied",
        query=f"?policy_source_arn=careful&action_names=s3:GetObject%0Aiam:ListUsers{NAMES}",
    ),
    State(
        "admin:simulator",
        "pasted",
        "alice",
        "the pasted policy",
        then=paste,
    ),
    State(
        "admin:simulator",
        "partly permitted",
        "simulates",
        "iam:GetUserPolicy",
        query="?policy_source_arn=careful&action_names=iam:ListUsers",
    ),
    State(
        "admin:simulator",
        "not permitted",
        "nobody",
        "iam:SimulatePrincipalPolicy",
        query="?policy_source_arn=careful&action_names=iam:ListUsers",
    ),
    State("admin:simulator", "nothing entered", "alice", "Name a user or a group", then=press("Simulate")),
    State(
        "admin:simulator",
        "errors",
        "alice",
        "is not of the type ip",
        query="?policy_source_arn=alice&action_names=x:y&context_key_name=aws:SourceIp&context_key_type=ip&context_key_values=x",
    ),
    State("admin:decision", "nothing allows", "alice", "No policy allows", ("nothing allows",)),
    State("admin:decision", "denied", "alice", "The statement NoUsers", ("denied",)),
    State("admin:decision", "unmet condition", "alice", "would allow it if", ("unmet",)),
    State("admin:decision", "own", "nobody", "send the decision ID", ("nothing allows",)),
    State("admin:decision", "not permitted", "nobody", "that you may read", ("denied",)),
    State("admin:decision", "not there", "alice", "that you may read", ("no decision",)),
]
