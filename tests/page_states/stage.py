"""The accounts that the pages show, and the people who look at them."""

import time
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Browser

from tests.authenticators import give_app, give_key, give_number
from tests.browser import Visitor, give_password, proved
from tests.conftest import ALLOW_ALL, Person, allow, caller_for, make_account, make_group, make_user
from tests.everything import new_certificate, refusal_of, served_to_all
from tests.rows import events_of
from tests.ssh_keys import new_ssh_key
from tests.test_signin_states import add_device, code_of

READ_ONLY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
HELPS = ("iam:ListUsers", "iam:GetUser", "iam:ListGroups", "iam:GetGroup", "iam:ListPolicies", "iam:GetPolicy")
SIGNED_IN = ("root", "alice", "helper", "simulates", "nobody", "beginner", "late")
# Denies what nobody needs, and allows the rest to those who come with a second factor.
CAREFUL = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "NoUsers", "Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"},
    {
      "Sid": "OnlyWithMfa",
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*",
      "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    },
    {"Sid": "Reading", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::public/*"}
  ]
}"""


@dataclass
class Stage:
    """The accounts that the pages show, and who looks at them."""

    root: Person  # of an account with an alias and users
    alice: Person  # may do everything in it
    helper: Person  # may list and read its users and groups, and nothing else
    simulates: Person  # may simulate, and nothing else
    nobody: Person  # may do nothing
    beginner: Person  # root of an account with nothing in it
    newcomer: Any  # must choose a new password
    guarded: Person  # has MFA devices of every kind but a token
    late: Person  # signed in long ago
    pioneer: Person  # of an account that requires MFA, without a device
    keys: tuple[str, str]  # of carol, who has all there is: active, inactive
    token: str  # the id of her service token
    policies: dict[str, str]  # ARNs by "@" and the name: reports is in use, plain is not
    decisions: dict[
        str, str
    ]  # ids of refusals, of nobody and of one whose policy has a deny and a condition, and of a change
    # Serial numbers, and ids of certificates and SSH keys, by "@" and a word: "@alice" is the one device of alice.
    devices: dict[str, str] = field(default_factory=dict)
    reports: dict[str, str] = field(default_factory=dict)  # ids of two credential reports: "@before", "@after"
    visitors: dict[str, Visitor] = field(default_factory=dict)
    proved_at: float = field(default_factory=time.monotonic)

    def keep_proved(self) -> None:
        """All the pages together may take longer than the quarter of an hour for which somebody is not asked again."""
        if time.monotonic() - self.proved_at > 300:
            for name in (*SIGNED_IN, "guarded"):
                if name != "late":
                    proved(getattr(self, name), 0)
            self.proved_at = time.monotonic()


def report_of(root: Person) -> str:
    """Build a credential report, after one more user has come. Returns its id."""
    from accounts import jobs
    from accounts.operations.users import create_user
    from credentials.operations.credential_reports import refresh_credential_report

    caller = caller_for(root.user)
    create_user(caller, user_name=f"newcomer-{uuid.uuid4().hex[:8]}")
    report = refresh_credential_report(caller)
    assert jobs.run(report.job_id)
    return report.report_id


def set_stage(chromium: Browser) -> Stage:
    """Everybody is in place and signed in."""
    from accounts.operations.account import create_account_alias
    from accounts.operations.users import create_user, list_users, tag_user
    from credentials.operations.access_keys import create_access_key, update_access_key
    from credentials.operations.mfa_requirements import update_mfa_requirement
    from credentials.operations.password_policies import update_account_password_policy
    from credentials.operations.service_tokens import create_service_token
    from permissions.operations.attachments import attach_user_policy
    from permissions.operations.boundaries import put_user_permissions_boundary
    from permissions.operations.inline import put_group_policy, put_user_policy

    root = make_account()
    create_account_alias(root.caller, account_alias=f"acme-{root.account_id}")
    carol = make_user(root, "carol", allow("iam:GetUser"), path="/design/")
    second = create_access_key(root.caller, user_name="carol").entity.access_key_id
    update_access_key(root.caller, user_name="carol", access_key_id=second, status="Inactive")
    put_user_policy(root.caller, user_name="carol", policy_name="everything", policy_document=ALLOW_ALL)
    tag_user(root.caller, user_name="carol", tags=[{"key": "team", "value": "blue"}, {"key": "empty", "value": ""}])
    give_password(carol)
    make_group(root, "developers", "carol", policy_arn=READ_ONLY)
    put_group_policy(root.caller, group_name="developers", policy_name="more", policy_document=allow("iam:GetUser"))
    make_group(root, "empty")
    attach_user_policy(root.caller, user_name="carol", policy_arn=READ_ONLY)
    put_user_permissions_boundary(root.caller, user_name="carol", permissions_boundary=READ_ONLY)
    create_user(root.caller, user_name="bob")
    keep_out(root)
    furnish_unused(root)
    policies = furnish_policies(root)
    certificates = furnish_certificates(root)
    careful = make_user(root, "careful", CAREFUL)
    nobody = make_user(root, "nobody")
    frontier = make_account()
    update_mfa_requirement(frontier.caller, start_date="2020-01-01")
    stage = Stage(
        root=root,
        alice=make_user(root, "alice", ALLOW_ALL),
        helper=make_user(root, "helper", allow(*HELPS)),
        simulates=make_user(root, "simulates", allow("iam:Simulate*")),
        nobody=nobody,
        beginner=make_account(),
        newcomer=create_user(root.caller, user_name="newcomer"),
        late=make_user(root, "late", ALLOW_ALL),
        pioneer=make_user(frontier, "pioneer"),
        guarded=make_user(root, "guarded", allow("iam:*")),
        keys=(carol.access_key_id, second),
        token=create_service_token(root.caller, user_name="carol", description="The gateway").entity.service_token_id,
        policies=policies,
        decisions={
            "nothing allows": refusal_of(nobody),
            "denied": refusal_of(careful, list_users),
            "unmet": refusal_of(careful),
            "changed": str(events_of(root.account_id)[-5].event_id),
            "no decision": "00000000-0000-4000-8000-000000000000",
        },
    )
    stage.devices |= furnish_keys(root)
    update_account_password_policy(root.caller, minimum_password_length=10, max_password_age=365, hard_expiry=True)
    stage.devices |= certificates | furnish_ssh_keys(root)
    stage.reports = {"@before": report_of(root), "@after": report_of(root)}
    let_in(stage, chromium)
    give_app(root.account_id, None, "TOKEN-0001", kind="hardware")
    give_app(root.account_id, None, "left-over")
    stage.devices["@alice"] = add_device(stage.alice.user).serial_number  # after she came in without
    return stage


def let_in(stage: Stage, chromium: Browser) -> None:
    """Give everybody a password and a browser, signed in where the pages need it."""
    give_password(stage.newcomer, must_change=True)
    for name in SIGNED_IN:
        give_password(getattr(stage, name))
        stage.visitors[name] = Visitor(chromium)
        stage.visitors[name].sign_in(getattr(stage, name))
    for name in ("stranger", "newcomer", "guarded", "pioneer"):
        stage.visitors[name] = Visitor(chromium)
    give_password(stage.guarded)
    guard(stage, chromium)
    give_password(stage.pioneer)
    for visitor in stage.visitors.values():
        visitor.page.on("dialog", lambda dialog: dialog.accept())  # "leave without saving the secret?"


def guard(stage: Stage, chromium: Browser) -> None:
    """Give guarded a device of each kind, and a visitor who came in with one."""
    stage.visitors["guarded_in"] = Visitor(chromium)
    phone, tablet = (add_device(stage.guarded.user, name) for name in ("phone", "tablet"))
    stage.devices["@guarded"] = tablet.serial_number
    stage.devices["@passkey"] = give_key(stage.guarded, "blue-key")[1].serial_number
    give_number(stage.guarded)
    page = stage.visitors["guarded_in"].sign_in(stage.guarded)
    page.get_by_label("MFA code").fill(code_of(phone))
    page.get_by_role("button", name="Sign in").click()


def furnish_policies(root: Person) -> dict[str, str]:
    """Managed policies, and a group with one of its own: what is in use, and what is not."""
    from accounts.operations.groups import add_user_to_group, create_group
    from permissions.operations.attachments import attach_group_policy, attach_user_policy
    from permissions.operations.boundaries import put_user_permissions_boundary
    from permissions.operations.inline import put_group_policy
    from permissions.operations.managed import create_policy
    from permissions.operations.policy_tags import tag_policy
    from permissions.operations.versions import create_policy_version

    caller = root.caller
    create_group(caller, group_name="designers")
    add_user_to_group(caller, group_name="designers", user_name="carol")
    put_group_policy(caller, group_name="designers", policy_name="inline", policy_document=ALLOW_ALL)
    given = {"path": "/design/", "description": "Reports", "policy_document": allow("s3:GetObject", "s3:PutObject")}
    arns = {f"@{name}": create_policy(caller, policy_name=name, **given).arn for name in ("reports", "plain", "full")}
    reports = arns["@reports"]
    create_policy_version(caller, policy_arn=reports, policy_document=allow("s3:GetObject", "s3:*"))
    tag_policy(caller, policy_arn=reports, tags=[{"key": "team", "value": "blue"}, {"key": "empty", "value": ""}])
    attach_user_policy(caller, user_name="bob", policy_arn=reports)
    attach_group_policy(caller, group_name="designers", policy_arn=reports)
    put_user_permissions_boundary(caller, user_name="carol", permissions_boundary=reports)
    for _ in range(4):
        create_policy_version(caller, policy_arn=arns["@full"], policy_document=allow("s3:*"))
    return arns | {"@aws": "arn:aws:iam::aws:policy/AdministratorAccess"}


def keep_out(root: Person) -> None:
    """Users who are kept out in every way, or will be."""
    from datetime import UTC, datetime

    from accounts.models import User
    from accounts.operations.suspension import lock_down_user, put_user_end_date, suspend_user

    for name in ("resting", "away", "locked", "leaving", "gone"):
        make_user(root, name)
    to_come = datetime(2199, 1, 31, 8, tzinfo=UTC)
    suspend_user(root.caller, user_name="resting", reason="Parental leave")
    suspend_user(root.caller, user_name="away", until=to_come)
    lock_down_user(root.caller, user_name="locked", reason="The laptop was stolen")
    for name in ("leaving", "gone"):
        put_user_end_date(root.caller, user_name=name, end_date=to_come)
    User.objects.filter(account=root.account_id, user_name="gone").update(end_date=datetime(2026, 1, 31, tzinfo=UTC))


def furnish_unused(root: Person) -> None:
    """Users with what nobody has used, one of them exempt, one with a password that is put away."""
    from datetime import UTC, datetime

    from accounts.models import User
    from accounts.operations.users import create_user, tag_user
    from credentials.mfa.models import GuessBudget
    from credentials.mfa.throttle import MOST_BY_KEY, MOST_FAILURES
    from credentials.models import AccessKey, LoginProfile
    from credentials.operations.unused import deactivate_credential
    from credentials.unused.exemption import KEY, new_exemption

    long_ago, leave = datetime(2020, 1, 31, tzinfo=UTC), timezone.now().date() + timedelta(days=90)
    for name in ("dormant", "on-leave", "put-away"):
        give_password(make_user(root, name))
    device = add_device(User.objects.get(account=root.account_id, user_name="dormant"))
    GuessBudget.objects.create(user=device.user, failures=MOST_FAILURES)
    device = add_device(User.objects.get(account=root.account_id, user_name="on-leave"))
    GuessBudget.objects.create(user=device.user, failures=MOST_BY_KEY, key_failures=MOST_BY_KEY)
    create_user(root.caller, user_name="shadow")
    names = ("dormant", "on-leave", "put-away", "shadow")
    users = User.objects.filter(account=root.account_id, user_name__in=names)
    users.update(create_date=long_ago, password_last_changed=long_ago)
    for model in (AccessKey, LoginProfile):
        model.objects.filter(user__in=users).update(create_date=long_ago)
    deactivate_credential(root.caller, user_name="put-away", credential_type="Password")
    value = new_exemption(leave, "Parental leave", timezone.now()).value
    tag_user(root.caller, user_name="on-leave", tags=[{"key": KEY, "value": value}])


def furnish_keys(root: Person) -> dict[str, str]:
    """Git credentials of carol and of alice, and a key in rotation: their ids by "@" and a word."""
    from credentials.operations.key_details import create_access_key_with_details
    from credentials.operations.service_credentials import create_service_specific_credential

    rotated = make_user(root, "rotor").access_key_id
    create_access_key_with_details(root.caller, user_name="rotor", replaces_access_key_id=rotated)
    ids = {"@rotated": rotated}
    for word, name in (("@git", "carol"), ("@own git", "alice")):
        made = create_service_specific_credential(root.caller, user_name=name, service_name="codecommit.amazonaws.com")
        ids[word] = made.entity.service_specific_credential_id
    over = create_service_specific_credential(
        root.caller, user_name="carol", service_name="bedrock.amazonaws.com", credential_age_days=1
    ).entity
    over.expiration_date = timezone.now()
    over.save(update_fields=["expiration_date"])
    return ids | {"@expired": over.service_specific_credential_id}


def furnish_certificates(root: Person) -> dict[str, str]:
    """Server certificates of every urgency, and carol's two signing certificates: their ids by "@" and a word."""
    from credentials.certificate_models import ServerCertificate
    from credentials.operations.server_certificates import tag_server_certificate, upload_server_certificate
    from credentials.operations.signing_certificates import update_signing_certificate, upload_signing_certificate

    certificates = ServerCertificate.objects.in_account(root.account_id)
    for name, days in (("www", 300), ("over", -1), ("week", 5), ("month", 25), ("later", 50)):
        upload_server_certificate(root.caller, server_certificate_name=name, **served_to_all().values)
        certificates.filter(name_key=name).update(expiration=timezone.now() + timedelta(days=days, hours=1))
    tag_server_certificate(root.caller, server_certificate_name="www", tags=[{"key": "team", "value": "blue"}])
    ids = [
        upload_signing_certificate(root.caller, user_name="carol", certificate_body=new_certificate()).certificate_id
        for _ in range(2)
    ]
    update_signing_certificate(root.caller, user_name="carol", certificate_id=ids[1], status="Inactive")
    mine = upload_signing_certificate(root.caller, certificate_body=new_certificate()).certificate_id
    return {"@signing": ids[0], "@signing-off": ids[1], "@mine": mine}


def furnish_ssh_keys(root: Person) -> dict[str, str]:
    """Two SSH keys of carol, one of them off, one of alice, and as many as may be of newcomer: their ids by "@" and a word.

    The first of newcomer's is alice's too.
    """
    from credentials.operations.ssh_public_keys import update_ssh_public_key, upload_ssh_public_key

    shared = new_ssh_key()
    ids = {
        word: upload_ssh_public_key(root.caller, user_name=name, ssh_public_key_body=body).ssh_public_key_id
        for word, name, body in (
            ("@ssh", "carol", new_ssh_key()),
            ("@ssh-off", "carol", new_ssh_key()),
            ("@ssh-own", "alice", shared),
            ("@ssh-0", "newcomer", shared),
            *((f"@ssh-{number}", "newcomer", new_ssh_key()) for number in range(1, 5)),
        )
    }
    update_ssh_public_key(root.caller, user_name="carol", ssh_public_key_id=ids["@ssh-off"], status="Inactive")
    return ids
