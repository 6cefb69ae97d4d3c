"""The trail: an event commits with what it tells of, and no event can be changed or taken out unseen."""

from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.management.commands._shell import operator
from accounts.models import User
from accounts.operations.installation import close_account, create_account, issue_root_setup_link, recover_root_user
from accounts.operations.suspension import lock_down_user, undo_lock_down
from accounts.operations.users import create_user, delete_user
from accounts.operations.whole_users import create_user_with_access, delete_user_with_credentials
from audit.models import INSTALLATION, ChainHead, Event, EventKey
from audit.record import HASHED, HASHED_IF_THERE, derived, record, record_alone
from credentials.models import AccessKey, LoginProfile
from credentials.operations.access_keys import create_access_key
from credentials.operations.service_tokens import create_service_token
from iamconsole.errors import AccessDenied, EntityAlreadyExists, LimitExceeded, PasswordPolicyViolation
from tests.conftest import SECRETS, Person, allow, make_user
from tests.everything import PASSWORD, furnish
from tests.raw import ask, send, signed
from tests.rows import breaks, events_of, owning_the_database


def lines(account_id: str, after: int) -> list[tuple[str, str]]:
    return [(event.action, event.result) for event in events_of(account_id)[after:]]


def test_a_chain_holds_from_its_first_event_to_its_head(alice: Person, mallory: Person, server: Path) -> None:
    tags = {"Tags.member.1.Key": "k\u00e9\u00df", "Tags.member.1.Value": "\u8a9e \U00020000"}
    assert ask(alice, "CreateUser", UserName="dave", **tags).status == 200
    assert ask(alice, "CreateUser", UserName="dave").code == "EntityAlreadyExists"
    assert ask(mallory, "ListUsers").code == "AccessDenied"
    events = events_of(alice.account_id)
    assert len(events) > 8
    assert breaks(events) == []
    head = ChainHead.objects.get(chain=alice.account_id)
    assert (head.sequence, head.hash) == (events[-1].sequence, events[-1].hash)


@pytest.mark.parametrize(
    "change",
    [
        {"action": "iam:GetUser"},
        {"actor_arn": "arn:aws:iam::123456789012:user/other"},
        {"parameters": {}},
        {"result": "Success "},
        {"source_ip": "127.0.0.2"},
        {"previous_hash": "0" * 64},
    ],
)
def test_an_altered_event_breaks_the_chain(root: Person, change: dict[str, Any]) -> None:
    make_user(root, "dave")
    event = events_of(root.account_id)[-1]
    with owning_the_database():
        Event.objects.filter(pk=event.pk).update(**change)
    assert event.sequence in breaks(events_of(root.account_id))


def test_every_column_of_an_event_is_in_its_hash() -> None:
    columns = {column.attname for column in Event._meta.concrete_fields}
    assert columns - {"id", "hash", *derived(Event())} == {*HASHED, *HASHED_IF_THERE}


def test_a_removed_event_breaks_the_chain(root: Person) -> None:
    make_user(root, "dave")
    events = events_of(root.account_id)
    with owning_the_database():
        EventKey.objects.filter(event=events[1]).delete()
        Event.objects.filter(pk=events[1].pk).delete()
    assert breaks(events_of(root.account_id)) == [events[2].sequence]


def test_an_event_tells_who_did_what_to_what_from_where(root: Person, alice: Person, server: Path) -> None:
    answer = ask(alice, "CreateUser", UserName="Dave", Path="/team/")
    event = events_of(root.account_id)[-1]
    assert (event.action, event.result, event.message) == ("iam:CreateUser", "Success", "")
    assert event.resource == f"arn:aws:iam::{root.account_id}:user/team/Dave"
    assert event.parameters == {"user_name": "Dave", "path": "/team/"}
    assert (event.actor_arn, event.actor_id) == (alice.user.arn, alice.user.user_id)
    assert event.access_key_id == alice.access_key_id
    assert (event.door, event.source_ip) == ("api", "127.0.0.1")
    assert event.request_id == answer.headers["x-amzn-requestid"]


# Refusals


def test_a_refused_change_leaves_one_line_and_nothing_else(root: Person, bob: Person) -> None:
    make_user(root, "dave")
    create_access_key_of(root, "dave")
    epoch = User.objects.select_related("account").get(pk=root.user.pk).account.policy_epoch
    before = len(events_of(root.account_id))
    with pytest.raises(LimitExceeded):
        create_access_key(root.caller, user_name="dave")
    with pytest.raises(AccessDenied):
        delete_user(bob.caller, user_name="dave")
    with pytest.raises(EntityAlreadyExists):
        create_user_with_access(root.caller, user_name="DAVE", password=PASSWORD, allow_change_password=True)
    with pytest.raises(PasswordPolicyViolation):
        create_user_with_access(root.caller, user_name="erin", password="weak", tags=[{"key": "a", "value": "b"}])
    assert lines(root.account_id, before) == [
        ("iam:CreateAccessKey", "LimitExceeded"),
        ("iam:DeleteUser", "AccessDenied"),
        ("iamconsole:CreateUserWithAccess", "EntityAlreadyExists"),
        ("iamconsole:CreateUserWithAccess", "PasswordPolicyViolation"),
    ]
    assert not User.objects.named(root.account_id, "erin").exists()
    assert User.objects.select_related("account").get(pk=root.user.pk).account.policy_epoch == epoch


def create_access_key_of(root: Person, user_name: str) -> None:
    SECRETS.append(create_access_key(root.caller, user_name=user_name).secret["secret_access_key"])


def test_a_refusal_names_the_part_that_was_refused(root: Person) -> None:
    carol = make_user(root, "carol", allow("iam:CreateUser"))
    before = len(events_of(root.account_id))
    with pytest.raises(AccessDenied):
        create_user_with_access(carol.caller, user_name="robot", access_key=True)
    assert lines(root.account_id, before) == [("iam:CreateAccessKey", "AccessDenied")]
    assert not User.objects.named(root.account_id, "robot").exists()


def test_a_composite_leaves_a_line_for_each_thing_it_did(root: Person, alice: Person, server: Path) -> None:
    furnish(root)
    before = len(events_of(root.account_id))
    delete_user_with_credentials(root.caller, user_name="dave")
    done = [
        "iam:DeleteLoginProfile",
        "iam:DeleteAccessKey",
        "iam:DeleteSigningCertificate",
        "iam:DeleteSSHPublicKey",
        "iam:DeleteServiceSpecificCredential",
        "iamconsole:DeleteServiceToken",
    ]
    done += ["iam:DeactivateMFADevice", "iam:DeleteVirtualMFADevice"]
    done += ["iam:DeleteUserPolicy", "iam:DetachUserPolicy", "iam:RemoveUserFromGroup", "iam:DeleteUser"]
    assert lines(root.account_id, before) == [(action, "Success") for action in done]
    create_user_with_access(root.caller, user_name="dave", password=PASSWORD)
    assert lines(root.account_id, before + len(done)) == [
        ("iam:CreateUser", "Success"),
        ("iam:CreateLoginProfile", "Success"),
    ]
    assert AccessKey.objects.filter(user__account=root.account_id, user__user_name="dave").count() == 0


def found_by(root: Person, name: str, after: int = 0) -> list[str]:
    """The actions of the lines that are about a thing of that name."""
    told = events_of(root.account_id)[after:]
    return [event.action for event in told if name in [each for _, each in event.resources]]


def test_each_credential_that_goes_with_a_user_has_a_line_that_names_it(root: Person) -> None:
    furnish(root)
    create_access_key_of(root, "dave")
    user = User.objects.named(root.account_id, "dave").get()
    SECRETS.append(create_service_token(root.caller, user_name="dave").secret["token"])
    sorts = {
        "iam:DeleteAccessKey": (user.access_keys, "access_key_id"),
        "iam:DeleteSigningCertificate": (user.signing_certificates, "certificate_id"),
        "iam:DeleteSSHPublicKey": (user.ssh_public_keys, "ssh_public_key_id"),
        "iam:DeleteServiceSpecificCredential": (user.service_specific_credentials, "service_specific_credential_id"),
        "iamconsole:DeleteServiceToken": (user.service_tokens, "service_token_id"),
        "iam:DeactivateMFADevice": (user.mfa_devices, "serial_number"),
    }
    gone = {
        action: (name, list(rows.order_by("pk").values_list(name, flat=True))) for action, (rows, name) in sorts.items()
    }
    assert (len(gone["iam:DeleteAccessKey"][1]), len(gone["iamconsole:DeleteServiceToken"][1])) == (2, 2)
    before = len(events_of(root.account_id))
    delete_user_with_credentials(root.caller, user_name="dave")
    told = events_of(root.account_id)[before:]
    for action, (name, ids) in gone.items():
        assert [event.parameters[name] for event in told if event.action == action] == ids, action
        for each in ids:
            assert set(found_by(root, each, before)) - {"iam:DeleteVirtualMFADevice"} == {action}


def test_an_access_key_is_found_where_it_is_made_with_its_user_and_where_it_is_locked_down(root: Person) -> None:
    carol = make_user(root, "carol")
    key_id = carol.access_key_id
    assert "iam:CreateAccessKey" in found_by(root, key_id)
    lock_down_user(root.caller, user_name="carol")
    undo_lock_down(root.caller, user_name="carol")
    assert found_by(root, key_id).count("iam:UpdateAccessKey") == 2


def test_a_failed_signature_is_told_to_the_installation_and_not_to_an_account(alice: Person, server: Path) -> None:
    before = len(events_of(alice.account_id))
    assert send(signed(alice, b"Action=GetUser", secret="w" * 40)).status == 403
    assert len(events_of(alice.account_id)) == before
    assert breaks(events_of(INSTALLATION)) == []


def test_what_the_operator_does_is_told_to_the_account(root: Person) -> None:
    account = str(root.account_id)
    before = len(events_of(account))
    links = [operation(operator(), account=account) for operation in (issue_root_setup_link, recover_root_user)]
    SECRETS.extend(issued.secret["root_setup_url"].rstrip("/").rpartition("/")[2] for issued in links)
    assert lines(account, before) == [
        ("iamconsole:IssueRootSetupLink", "Success"),
        ("iamconsole:RecoverRootUser", "Success"),
    ]
    assert {event.actor_arn for event in events_of(account)[before:]} == {"operator"}
    AccessKey.objects.filter(user=root.user).delete()
    close_account(operator(), account=account)
    assert lines(account, before + 2) == [("iamconsole:CloseAccount", "Success")]
    assert breaks(events_of(account)) == []


# No event, no change


def test_a_change_whose_event_cannot_be_written_does_not_happen(root: Person) -> None:
    account = root.account_id
    before = events_of(account)
    # The next link is taken already: the constraint refuses the event, as a full disk or a lost table would.
    taken = Event(
        **{name: value for name, value in Event.objects.values().get(pk=before[-1].pk).items() if name != "id"}
    )
    taken.sequence, taken.event_id = before[-1].sequence + 1, "00000000-0000-4000-8000-000000000000"
    with owning_the_database():
        Event.objects.filter(event_id=taken.event_id).delete()
    taken.save(force_insert=True)
    with pytest.raises(DatabaseError):
        create_user(root.caller, user_name="dave")
    with pytest.raises(DatabaseError):
        delete_user(root.caller, user_name="nobody")
    assert not User.objects.named(account, "dave").exists()
    with owning_the_database():
        taken.delete()
    create_user(root.caller, user_name="dave")
    assert breaks(events_of(account)) == []


def test_an_event_is_written_inside_a_transaction_and_an_operation_in_none_of_anothers(root: Person) -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        record(root.caller.origin(), action="iam:GetUser", resource="*")
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        create_user(root.caller, user_name="dave")
    assert not connection.in_atomic_block
    assert not User.objects.named(root.account_id, "dave").exists()


def test_long_parameters_are_cut_and_the_chain_still_holds(root: Person) -> None:
    record_alone(
        root.caller.origin(), action="iam:X", resource="*", parameters={"a": ["x" * 100_000] * 200, "b": {"c": 1}}
    )
    event = events_of(root.account_id)[-1]
    assert len(event.parameters["a"]) == 100
    assert event.parameters["a"][0].endswith("… (100000 characters)")
    assert len(event.parameters["a"][0]) < 8300
    assert breaks(events_of(root.account_id)) == []


def test_a_new_account_begins_its_own_chain() -> None:
    email = f"begin-{token_hex(4)}@example.org"
    issued = create_account(operator(), name="Acme", root_email=email, admin_user_name="admin")
    SECRETS.extend([issued.secret["secret_access_key"], issued.secret["root_setup_url"].rstrip("/").rpartition("/")[2]])
    [first] = events_of(str(issued.entity["account_id"]))
    assert (first.action, first.sequence, first.previous_hash) == ("iamconsole:CreateAccount", 1, "")
    assert first.parameters == {"name": "Acme", "root_email": email, "admin_user_name": "admin"}
    assert not LoginProfile.objects.filter(user__account=issued.entity["account_id"]).exists()
