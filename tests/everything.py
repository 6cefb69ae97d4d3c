"""Every registered operation with something to be called on: a user who has one of each thing, and a value a parameter.

An operation that is registered tomorrow is found here by its parameters, and fails with a sentence if one has no value.
"""

import base64
import json
import re
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts import arns, jobs, targets
from accounts.models import Session, User
from accounts.operations.account import create_account_alias, list_account_aliases
from accounts.operations.groups import add_user_to_group, create_group
from accounts.operations.suspension import lock_down_user, reactivate_user, suspend_user, undo_lock_down
from accounts.operations.user_changes import start_user_change
from accounts.operations.users import create_user, tag_user
from api.shapes import snake
from credentials import certificate_targets
from credentials import targets as credential_targets
from credentials.mfa.throttle import forget
from credentials.models import LoginProfile
from credentials.operations.credential_reports import generate_credential_report, refresh_credential_report
from credentials.operations.mfa_requirements import update_mfa_requirement
from credentials.operations.passkeys import begin_passkey_registration
from credentials.operations.password_policies import update_account_password_policy
from credentials.operations.server_certificates import upload_server_certificate
from credentials.operations.service_credentials import create_service_specific_credential
from credentials.operations.service_tokens import create_service_token
from credentials.operations.signing_certificates import upload_signing_certificate
from credentials.operations.ssh_public_keys import upload_ssh_public_key
from credentials.operations.text_messages import begin_sms_registration
from credentials.operations.unused import deactivate_credential, reap_credential, restore_credential
from credentials.reports.models import CredentialReport
from credentials.service_credentials import GIT
from iamconsole.errors import AccessDenied
from iamconsole.operation import Operation, every_operation
from permissions import access
from permissions.operations.attachments import attach_group_policy, attach_user_policy
from permissions.operations.boundaries import put_user_permissions_boundary
from permissions.operations.inline import put_group_policy
from permissions.operations.last_accessed import generate_service_last_accessed_details
from permissions.operations.managed import create_policy
from permissions.operations.versions import create_policy_version
from tests.authenticators import App, SecurityKey, a_number, give_app, session_of, text_code
from tests.certificate_authority import Served, certificate, new_key, served, text_of
from tests.conftest import SECRETS, Person, allow, caller_for, make_user
from tests.raw import Answer
from tests.rows import events_of
from tests.ssh_keys import new_ssh_key

RESOURCE_POLICY = (
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}}'
)
AWS_POLICY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
PASSWORD, NEW_PASSWORD = "Fixed-Stage-Password-1", "Fixed-Stage-Password-2"
SECRETS.extend([PASSWORD, NEW_PASSWORD])
BY_CALLERS = [each for each in every_operation() if not (each.by_operator or each.at_sign_in)]
AT_SIGN_IN = [each for each in every_operation() if each.at_sign_in]
BY_OPERATOR = [each for each in every_operation() if each.by_operator]
Values = Mapping[str, Any]


def names_of(operations: list[Operation[Any]]) -> list[str]:
    """Ids for parametrize."""
    return [each.action for each in operations]


def furnish(root: Person) -> Values:
    """Put one of everything into root's account. Returns a value for every parameter there is, each naming what exists."""
    alias = f"acme-{root.account_id}"
    dave = make_user(root, "dave", allow("iam:GetUser"))
    give_password(dave.user)
    new_target(root, "locked")
    lock_down_user(root.caller, user_name="locked")
    for name in ("idle", "put-away"):
        give_password(new_target(root, name))
    LoginProfile.objects.filter(user__account=root.account_id, user__user_name="idle").update(create_date=long_ago())
    deactivate_credential(root.caller, user_name="put-away", credential_type="Password")
    suspend_user(root.caller, user_name="put-away", reason="left the house")
    tag_user(root.caller, user_name="dave", tags=[{"key": "Team", "value": "blue"}])
    create_account_alias(root.caller, account_alias=alias)
    update_account_password_policy(root.caller, minimum_password_length=10)
    email = str(root.user.email)
    update_mfa_requirement(root.caller, start_date="2099-01-01")
    issued = create_service_token(root.caller, user_name="dave")
    git = create_service_specific_credential(root.caller, user_name="dave", service_name=GIT)
    SECRETS.extend([issued.secret["token"], git.secret["service_password"]])
    ssh_key = upload_ssh_public_key(root.caller, user_name="dave", ssh_public_key_body=new_ssh_key())
    policy_arn = _give_permissions(root)
    given = _values(root.account_id, "dave", dave.access_key_id, policy_name="given", alias=alias, email=email)
    key = secrets.token_hex(32)
    session = Session.objects.create(session_key=key, session_id=key, user=dave.user, expire_date=tomorrow())
    token = give_app(root.account_id, None, f"TOKEN-{secrets.token_hex(4)}", kind="hardware")
    return (
        given
        | {"event_id": str(events_of(root.account_id)[0].event_id)}
        | {"decision_id": refusal_of(dave), "policy_source_arn": dave.user.arn, "caller_arn": dave.user.arn}
        | {"change_id": _changed(root)}
        | {"service_token_id": issued.entity.service_token_id, "token_serial_number": token.serial_number}
        | {"session_id": session.session_id, "locked_user_name": "locked"}
        | {"idle_user_name": "idle", "put_away_user_name": "put-away"}
        | {"certificate_id": _give_certificates(root)}
        | {"ssh_public_key_id": ssh_key.ssh_public_key_id}
        | {"public_key": ssh_key.body.split()[1]}
        | {"service_specific_credential_id": git.entity.service_specific_credential_id}
        | _reports(root, dave.user.arn)
        | give_app(root.account_id, dave.user, "dave").two_codes()
        | _policies("blue", policy_arn, "v2", dave.user.arn)
    )


@cache
def served_to_all() -> Served:
    """One server certificate for all: it may be uploaded many times."""
    return served()


def new_certificate() -> str:
    """A certificate that nobody has."""
    return text_of(certificate("signer", new_key()))


def _give_certificates(root: Person) -> str:
    """A server certificate to the account, and one to dave to sign with. Returns the latter's id."""
    upload_server_certificate(
        root.caller,
        server_certificate_name="dave",
        tags=[{"key": "Team", "value": "blue"}],
        **served_to_all().values,
    )
    signing = upload_signing_certificate(root.caller, user_name="dave", certificate_body=new_certificate())
    return signing.certificate_id


def _reports(root: Person, arn: str) -> Values:
    """Build a credential report, and find out when the services of the user with the ARN were last asked for."""
    generate_credential_report(root.caller)
    report = CredentialReport.objects.get(account=root.account_id)
    assert jobs.run(report.job_id)
    later = refresh_credential_report(root.caller)
    assert jobs.run(later.job_id)
    job = generate_service_last_accessed_details(root.caller, arn=arn)
    return {"report_id": report.report_id, "later_report_id": later.report_id, "job_id": job["job_id"]}


def _changed(root: Person) -> str:
    """The id of a change of many users that is over, and changed nobody."""
    begun = start_user_change(root.caller, change="reactivate", user_names=["dave"])
    assert jobs.run(begun["change_id"])
    return str(begun["change_id"])


def tomorrow() -> datetime:
    """When what is made today ends."""
    return timezone.now() + timedelta(days=1)


def long_ago() -> datetime:
    """When what nobody uses was made."""
    return timezone.now() - timedelta(days=400)


def _give_permissions(root: Person) -> str:
    """Put dave into a group and under a boundary, with policies of every kind. Returns the ARN of the account's own."""
    create_group(root.caller, group_name="blue")
    add_user_to_group(root.caller, group_name="blue", user_name="dave")
    put_group_policy(root.caller, group_name="blue", policy_name="given", policy_document=allow("iam:GetUser"))
    document = allow("iam:GetUser")
    policy = create_policy(
        root.caller,
        policy_name="shared",
        policy_document=document,
        description="read",
        tags=[{"key": "Team", "value": "blue"}],
    )
    create_policy_version(root.caller, policy_arn=policy.arn, policy_document=document)
    attach_user_policy(root.caller, user_name="dave", policy_arn=policy.arn)
    attach_group_policy(root.caller, group_name="blue", policy_arn=policy.arn)
    attach_group_policy(root.caller, group_name="blue", policy_arn=AWS_POLICY)
    put_user_permissions_boundary(root.caller, user_name="dave", permissions_boundary=policy.arn)
    return policy.arn


def _policies(group_name: str, policy_arn: str, version_id: str, arn: str) -> Values:
    return {
        "arn": arn,
        "description": "to read",
        "entity_filter": "User",
        "filter": ["User", "Group", "LocalManagedPolicy"],
        "group_name": group_name,
        "group_names": [group_name],
        "new_group_name": f"new-{group_name}",
        "only_attached": False,
        "permissions_boundary": policy_arn,
        "policy_arn": policy_arn,
        "policy_arns": [policy_arn],
        "policy_usage_filter": "PermissionsPolicy",
        "quota_name": "GroupsPerUser",
        "quota_value": 9,
        "scope": "All",
        "service_namespaces": ["iam"],
        "set_as_default": True,
        "version_id": version_id,
    }


def invent(root: Person) -> Values:
    """The same with names of things that never were; ids and keys look as if they were of root's account."""
    key_id = arns.new_access_key_id(root.account_id)
    alias = f"nemo-{root.account_id}"
    given = _values("000000000000", "nemo", key_id, policy_name="nothing", alias=alias, email=f"{alias}@example.org")
    nemo = arns.user(root.account_id, "/", "nemo")
    return (
        given
        | {
            name: str(uuid.uuid4())
            for name in ("change_id", "decision_id", "event_id", "report_id", "later_report_id", "job_id")
        }
        | {"policy_source_arn": nemo, "caller_arn": nemo}
        | {"serial_number": arns.mfa(root.account_id, "/", "nemo"), "token_serial_number": "TOKEN-00000000"}
        | {"authentication_code1": "123456", "authentication_code2": "654321", "locked_user_name": "nemo"}
        | {"idle_user_name": "nemo", "put_away_user_name": "nemo"}
        | _policies("nobodies", arns.policy(root.account_id, "/", "nothing"), "v9", nemo)
    )


def own_factor(person: Person) -> tuple[Person, Values, Values]:
    """Give the person an app. Returns the person in a session with it, the app's serial number with a fresh code, and answers.

    Those are a security key's, to the options it was asked by, and the code that was sent to a number; all of it is good only if
    used at once.
    """
    app = give_app(person.account_id, person.user, f"app-of-{person.name}")
    forget(person.user)  # the guesses that were asked for before
    session = session_of(person, app)
    shown = replace(caller_for(person.user), mfa_time=timezone.now())
    asked = begin_passkey_registration(shown)
    answer = SecurityKey().create(json.loads(asked["creation_options"]))
    number = a_number()
    begin_sms_registration(shown, phone_number=number)
    factor = {"serial_number": app.serial_number, "token_code": app.code(1)}
    return session, factor, {"credential": answer, "phone_number": number, "authentication_code1": text_code(number)}


def new_app(root: Person, name: str) -> App:
    """An app that is nobody's yet."""
    return give_app(root.account_id, None, name)


def file_of_tokens() -> bytes:
    """A file of one hardware token that is nowhere yet."""
    return f"serial_number,seed_hex\nFILE-{secrets.token_hex(4)},{secrets.token_hex(20)}\n".encode()


def refusal_of(person: Person, ask: Callable[..., object] = list_account_aliases) -> str:
    """The id of the decision that the person's request has just been denied by."""
    with pytest.raises(AccessDenied) as caught:
        ask(person.caller)
    return caught.value.decision_id


def _values(account: str, user_name: str, access_key_id: str, *, policy_name: str, alias: str, email: str) -> Values:
    return {
        "access_key": True,
        "access_key_id": access_key_id,
        "all_users": False,
        "credential_age_days": 30,
        "credential_group": "AccessKey",
        "credential_type": "AccessKey",
        "of_password": "Password",
        "unused_days": 1,
        "notice_days": 7,
        "delete_after_days": 30,
        "maximum_days": 90,
        "never_expires": False,
        "replaces_access_key_id": access_key_id,
        "service_name": "bedrock.amazonaws.com",
        "service_specific_credential_id": arns.new_unique_id("ACCA"),
        "action_names": ["s3:GetObject"],
        "context_entries": [{"context_key_name": "aws:SourceIp", "context_key_values": ["10.0.0.1"]}],
        "permissions_boundary_policy_input_list": [allow("s3:*")],
        "policy_input_list": [allow("s3:*")],
        "resource_arns": ["arn:aws:s3:::reports"],
        "resource_owner": "arn:aws:iam::123456789012:root",
        "resource_policy": RESOURCE_POLICY,
        "account": account,
        "action_name": "s3:GetObject",
        "account_alias": alias,
        "admin_user_name": "admin",
        "alias": f"{alias}-2",
        "assignment_status": "Assigned",
        "credential": "{}",
        "duration_seconds": 900,
        "generate_password": False,
        "setup_link": False,
        "policies": [{"policy_name": "inline", "policy_document": allow("iam:GetUser")}],
        "policy_versions": [{"version_id": "v3", "document": allow("iam:GetUser"), "is_default_version": True}],
        "grace_period_days": 7,
        "start_date": "2026-12-01",
        "file_format": "csv",
        "phone_number": a_number(),
        "mfa_device_name": f"key-of-{user_name}",
        "token_code": "123456",
        "token_file": file_of_tokens(),
        "virtual_mfa_device_name": user_name,
        "allow_change_password": True,
        "copy_permissions_from": user_name,
        "context": [{"key": "s3:prefix", "values": ["home/"]}],
        "allow_users_to_change_password": True,
        "hard_expiry": True,
        "max_password_age": 90,
        "minimum_password_length": 12,
        "password_reuse_prevention": 5,
        "require_lowercase_characters": True,
        "require_numbers": True,
        "require_symbols": True,
        "require_uppercase_characters": True,
        "description": "the gateway of the files",
        "duration_days": 30,
        "email": email,
        "end_date": tomorrow(),
        "granularity": "ACTION_LEVEL",
        "service_namespace": "iam",
        "max_items": 10,
        "name": "Acme",
        "new_password": NEW_PASSWORD,
        "new_path": "/moved/",
        "new_user_name": f"new-{user_name}",
        "actor": user_name,
        "end_time": tomorrow(),
        "event_category": "insight",
        "event_request_id": "",
        "lookup_attributes": [{"attribute_key": "Username", "attribute_value": user_name}],
        "max_results": 10,
        "older_than_days": 36_500,
        "broken_reason": "1 broken link: #2 iam:GetUser was altered: its hash is another.",
        "resource_name": user_name,
        "result": "Success",
        "source_ip": "127.0.0.1",
        "start_time": tomorrow() - timedelta(days=2),
        "old_password": PASSWORD,
        "password": PASSWORD,
        "password_reset_required": True,
        "path": "/",
        "path_prefix": "/",
        "policy_document": allow("iam:ListUsers"),
        "policy_name": policy_name,
        "reason": "left the house",
        "suspension_reason": "left the house",
        "resource_arn": "arn:aws:s3:::files/a",
        "root_access_key": False,
        "root_email": email,
        "encoding": "SSH",
        "key_type": "ssh-ed25519",
        "login_name": "git",
        "public_key": new_ssh_key().split()[1],
        "ssh_public_key_body": new_ssh_key(),
        "ssh_public_key_id": arns.new_access_key_id(account, "APKA"),
        "service_token_id": arns.new_unique_id("ISTK"),
        "session_id": secrets.token_hex(32),
        "signer": {"access_key_id": access_key_id},
        **served_to_all().values,
        "certificate_id": "A" * 32,
        "new_server_certificate_name": "moved",
        "made_server_certificate_name": f"new-{user_name}",
        "server_certificate_name": user_name,
        "status": "Inactive",
        "tag_keys": ["team"],
        "tags": [{"key": "team", "value": "red"}],
        "change": "sign-out",
        "user_names": [user_name],
        "columns": ["path", "groups"],
        "page_size": 20,
        "query": "status=active",
        "view_name": "active",
        "until": tomorrow(),
        "user_name": user_name,
    }


def parameters(operation: Operation[Any], values: Values) -> dict[str, Any]:
    """Every parameter of the operation but the marker."""
    names = operation.accepts - {"marker", "next_token"}
    # What the function is handed by its target is no parameter, though it stands in its signature.
    members = operation.model.input.members if operation.model.input else {}
    names &= {snake(member) for member in members}
    if names - values.keys():
        pytest.fail(f"tests/everything.py has no value for {', '.join(names - values.keys())}: give it one")
    given = {name: values[name] for name in sorted(names)}
    if operation.name == "UploadSigningCertificate":
        given["certificate_body"] = new_certificate()
    if operation is start_user_change:  # these belong to another change
        del given["group_name"], given["reason"]
    return given | _named_otherwise(operation, values)


def _named_otherwise(operation: Operation[Any], values: Values) -> dict[str, Any]:
    """What an operation is asked of in the place of what the others are asked of."""
    new_group, new_user = {"group_name": "new_group_name"}, {"user_name": "new_user_name"}
    by_target = [
        (access.new_group, new_group),
        (targets.new_group, new_group),
        (access.new_user, new_user),
        (targets.new_user, new_user),
        (credential_targets.hardware_token, {"serial_number": "token_serial_number"}),
        (certificate_targets.new_server_certificate, {"server_certificate_name": "made_server_certificate_name"}),
    ]
    by_action = {
        undo_lock_down.action: {"user_name": "locked_user_name"},
        reactivate_user.action: {"user_name": "put_away_user_name"},
        reap_credential.action: {"user_name": "idle_user_name", "credential_type": "of_password"},
        restore_credential.action: {"user_name": "put_away_user_name", "credential_type": "of_password"},
    }
    named = next((names for target, names in by_target if operation.on is target), {})
    return {name: values[value] for name, value in (named | by_action.get(operation.action, {})).items()}


@cache
def _hash() -> str:
    return make_password(PASSWORD)


def give_password(user: User) -> None:
    """Let a user sign in with PASSWORD, without the time that hashing it each time would take."""
    User.objects.filter(pk=user.pk).update(password=_hash())
    if not user.is_root:
        LoginProfile.objects.create(user=user)


def new_target(root: Person, user_name: str) -> User:
    """A user with nothing."""
    return create_user(root.caller, user_name=user_name)


def new_targets(root: Person, name: str) -> Values:
    """A user, a group and a managed policy with nothing, as values."""
    new_target(root, name)
    create_group(root.caller, group_name=name)
    policy = create_policy(root.caller, policy_name=name, policy_document=allow("iam:GetUser"))
    return {"user_name": name, "group_name": name, "policy_arn": policy.arn}


def without_names(text: str, given: Values) -> str:
    """An answer, with what it echoes of the parameters and the id of its decision taken out."""
    text = re.sub(r" \(decision id: [0-9a-f-]{36}\)", "", text)
    named = [(name, each) for name, value in given.items() for each in (value if isinstance(value, list) else [value])]
    for name, value in sorted(named, key=lambda item: -len(str(item[1]))):
        if isinstance(value, str) and len(value) > 1:
            text = text.replace(value, f"<{name}>")
    return text


def secrets_in(answer: Answer) -> list[str]:
    """The secrets that an answer shows this once."""
    if answer.code is not None:
        return []
    found = [
        answer.text(name)
        for name in (
            "SecretAccessKey",
            "SessionToken",
            "Token",
            "Password",
            "SetupUrl",
            "ServicePassword",
            "ServiceCredentialSecret",
        )
    ]
    seed = answer.text("Base32StringSeed")
    found += [base64.b64decode(seed).decode() if seed else None]
    found += [each.text for each in answer.xml.iterfind("*/{*}RecoveryCodes/{*}member")]
    return [each for each in found if each]
