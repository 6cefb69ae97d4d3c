"""MFA devices through boto3 and the aws CLI, in AWS's words; codes by oathtool, and by the tests' own arithmetic."""

import base64
import json
import re
import subprocess
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import png
import pytest
import time_machine
import zxingcpp
from django.utils import timezone

from accounts.models import User
from accounts.operations.whole_users import delete_user_with_credentials
from credentials.mfa import codes, recovery_codes
from credentials.mfa.models import GuessBudget, HardwareToken, MFADevice, seed_of
from credentials.mfa.throttle import Guesser
from credentials.operations.mfa_devices import deactivate_mfa_device
from tests.authenticators import App, app_of, give_app, session_of
from tests.aws_cli import aws
from tests.conftest import ALLOW_ALL, SECRETS, Person, allow, caller_for, make_user
from tests.faults import fault_of, invalid
from tests.raw import ask
from tests.rows import events_of

WRONG_CODE = ("InvalidAuthenticationCode", 403, "Authentication code for device is not valid.")
IN_USE = ("EntityAlreadyExists", 409, "MFA Device is already in use.")
INVALID_FOR_USER = ("NoSuchEntity", 404, "MFA Device invalid for user.")


@pytest.fixture
def boss(alice: Person) -> Person:
    """alice in a session with her own second factor, as who changes the devices of others must be."""
    return session_of(alice, give_app(alice.account_id, alice.user, "alices"))


@pytest.fixture
def admin(boss: Person) -> Any:
    """boto3 with that session."""
    return boss.client()


@pytest.fixture
def dave(iam: Any) -> str:
    """The name of a user without anything."""
    return str(iam.create_user(UserName="dave")["User"]["UserName"])


@pytest.fixture
def app(iam: Any) -> App:
    """An app that has taken over the seed of a new virtual device, which is nobody's yet."""
    return app_of(iam.create_virtual_mfa_device(VirtualMFADeviceName="phone"))


def missing(serial_number: str) -> tuple[str, int, str]:
    return "NoSuchEntity", 404, f"MFA Device with serial number {serial_number} does not exist."


def oathtool(seed: str, off: int = 0) -> str:
    at = f"@{int(time.time()) + 30 * off}"
    done = subprocess.run(["oathtool", "--totp", "--base32", "--now", at, seed], capture_output=True, check=True)
    return done.stdout.decode().strip()


def read_qr(picture: bytes) -> str:
    """What the QR code in a PNG says, by a reader that is not ours."""
    width, height, rows, _ = png.Reader(bytes=picture).asDirect()
    grey = bytes(255 * value for row in rows for value in row)
    [found] = zxingcpp.read_barcodes(memoryview(grey).cast("B", (height, width)))
    return str(found.text)


# The whole life of a virtual device


@pytest.mark.pure
@pytest.mark.asvs("6.5.3")
def test_a_new_virtual_device_shows_its_seed_as_text_and_as_a_picture(iam: Any, alice: Person) -> None:
    made = iam.create_virtual_mfa_device(
        VirtualMFADeviceName="phone", Path="/phones/", Tags=[{"Key": "Team", "Value": "blue"}]
    )["VirtualMFADevice"]
    assert made.keys() == {"SerialNumber", "Base32StringSeed", "QRCodePNG", "Tags"}
    assert made["SerialNumber"] == f"arn:aws:iam::{alice.account_id}:mfa/phones/phone"
    seed = made["Base32StringSeed"].decode()
    SECRETS.append(seed)
    assert len(base64.b32decode(seed)) * 8 == 160
    told = urlsplit(read_qr(made["QRCodePNG"]))
    assert (told.scheme, told.netloc) == ("otpauth", "totp")
    assert unquote(told.path) == f"/phone@{alice.account_id}"
    assert parse_qs(told.query) == {"secret": [seed], "issuer": ["iamconsole"]}


@pytest.mark.pure
def test_the_whole_life_of_a_virtual_device_by_the_cli(boss: Person, server: Path, tmp_path: Path, dave: str) -> None:
    cli = partial(aws, boss, "iam")
    file = tmp_path / "seed"
    name = ["--virtual-mfa-device-name", "phone", "--outfile", str(file), "--bootstrap-method", "Base32StringSeed"]
    serial = cli("create-virtual-mfa-device", *name)["VirtualMFADevice"]["SerialNumber"]
    seed = file.read_text()
    SECRETS.append(seed)
    device = ["--user-name", dave, "--serial-number", serial]
    two = [("--authentication-code1", oathtool(seed, -1)), ("--authentication-code2", oathtool(seed))]
    cli("enable-mfa-device", *device, *[word for pair in two for word in pair])
    [listed] = cli("list-mfa-devices", "--user-name", dave)["MFADevices"]
    assert (listed["UserName"], listed["SerialNumber"]) == (dave, serial)
    two = [("--authentication-code1", oathtool(seed, 1)), ("--authentication-code2", oathtool(seed, 2))]
    cli("resync-mfa-device", *device, *[word for pair in two for word in pair])
    cli("deactivate-mfa-device", *device)
    assert cli("list-virtual-mfa-devices", "--assignment-status", "Unassigned")["VirtualMFADevices"] == [
        {"SerialNumber": serial}
    ]
    cli("delete-virtual-mfa-device", "--serial-number", serial)
    assert cli("list-virtual-mfa-devices", "--assignment-status", "Unassigned")["VirtualMFADevices"] == []


@pytest.mark.asvs("6.5.1")
def test_a_device_is_enabled_by_two_codes_in_a_row_and_in_order(iam: Any, admin: Any, dave: str, app: App) -> None:
    device = {"UserName": dave, "SerialNumber": app.serial_number}
    for first, second in ((0, 0), (1, 0), (-1, 1), (-2, 0), (2000, 2001)):
        given = {"AuthenticationCode1": app.code(first), "AuthenticationCode2": app.code(second)}
        assert fault_of(admin.enable_mfa_device, **device, **given) == WRONG_CODE
    admin.enable_mfa_device(**device, **app.two(-1))
    [listed] = iam.list_mfa_devices(UserName=dave)["MFADevices"]
    assert listed.keys() == {"UserName", "SerialNumber", "EnableDate"}
    assert iam.get_mfa_device(SerialNumber=app.serial_number, UserName=dave)["EnableDate"] == listed["EnableDate"]


@pytest.mark.pure
@pytest.mark.parametrize("off", [-900, -40, 40, 900])
def test_an_app_whose_clock_is_far_off_is_enabled_and_then_signs_in(admin: Any, dave: str, app: App, off: int) -> None:
    admin.enable_mfa_device(UserName=dave, SerialNumber=app.serial_number, **app.two(off))
    device = MFADevice.objects.get(serial_number=app.serial_number)
    assert device.user is not None
    assert not codes.verify(Guesser(device.user, "console"), device, app.code(), timezone.now())
    assert codes.verify(
        Guesser(device.user, "console"), device, app.code(off + 2), timezone.now() + timedelta(seconds=30)
    )


@pytest.mark.pure
def test_who_types_slowly_is_not_taken_for_a_slow_clock(admin: Any, dave: str, app: App) -> None:
    admin.enable_mfa_device(UserName=dave, SerialNumber=app.serial_number, **app.two(-3))
    device = MFADevice.objects.get(serial_number=app.serial_number)
    assert device.user is not None
    assert codes.verify(Guesser(device.user, "console"), device, app.code(), timezone.now())


def test_right_codes_that_were_passed_are_told_from_wrong_ones_with_how_long_to_wait(
    admin: Any, dave: str, app: App
) -> None:
    device = {"UserName": dave, "SerialNumber": app.serial_number}
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        codes_now = app.two(-1)
        admin.enable_mfa_device(**device, **codes_now)
        for passed in (codes_now, app.two(0), app.two(-3)):
            code, status, message = fault_of(admin.resync_mfa_device, **device, **passed)
            assert (code, status) == WRONG_CODE[:2]
            [wait] = re.findall(r"Wait (\d+) seconds and give the two that the device shows then", message)
            assert int(wait) == (90 if passed == app.two(-3) else 30)
            GuessBudget.objects.all().delete()
        clock.shift(timedelta(seconds=30))
        admin.resync_mfa_device(**device, **app.two())


def test_a_device_is_one_users(iam: Any, admin: Any, dave: str, app: App) -> None:
    iam.create_user(UserName="erin")
    admin.enable_mfa_device(UserName=dave, SerialNumber=app.serial_number, **app.two(-1))
    again = {"SerialNumber": app.serial_number, **app.two(3)}
    already = ("EntityAlreadyExists", 409, "MFA Device for user dave already exists.")
    assert fault_of(admin.enable_mfa_device, UserName=dave, **again) == already
    assert fault_of(admin.enable_mfa_device, UserName="erin", **again) == IN_USE
    assert fault_of(admin.resync_mfa_device, UserName="erin", **again) == INVALID_FOR_USER
    for call in (admin.deactivate_mfa_device, iam.get_mfa_device):
        assert fault_of(call, UserName="erin", SerialNumber=app.serial_number) == INVALID_FOR_USER


def test_what_is_not_there_is_told_as_aws_does(iam: Any, admin: Any, dave: str, alice: Person) -> None:
    serial = f"arn:aws:iam::{alice.account_id}:mfa/nonexistent-device"
    two = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    for call in (admin.enable_mfa_device, admin.resync_mfa_device):
        assert fault_of(call, UserName=dave, SerialNumber=serial, **two) == missing(serial)
        assert fault_of(call, UserName="nemo", SerialNumber=serial, **two)[2] == (
            "The user with name nemo cannot be found."
        )
    for call in (admin.deactivate_mfa_device, iam.delete_virtual_mfa_device, iam.list_mfa_device_tags):
        assert fault_of(call, SerialNumber=serial) == missing(serial)
    assert fault_of(iam.tag_mfa_device, SerialNumber=serial, Tags=[]) == missing(serial)


@pytest.mark.pure
def test_names_and_paths_are_held_to_awss_rules(iam: Any) -> None:
    app_of(iam.create_virtual_mfa_device(VirtualMFADeviceName="phone"))
    exists = ("EntityAlreadyExists", 409, "MFA device already exists.")
    assert fault_of(iam.create_virtual_mfa_device, VirtualMFADeviceName="phone") == exists
    app_of(iam.create_virtual_mfa_device(VirtualMFADeviceName="phone", Path="/a/"))
    path = (
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or"
        " / characters."
    )
    for given in ("a", "/a", "a/", "//"):
        refused = fault_of(iam.create_virtual_mfa_device, VirtualMFADeviceName="other", Path=given)
        assert refused == ("ValidationError", 400, path)
    pattern = "Member must satisfy regular expression pattern: [\\w+=,.@-]+"
    assert fault_of(iam.create_virtual_mfa_device, VirtualMFADeviceName="a b") == invalid(
        ("virtualMFADeviceName", pattern)
    )
    longest = "n" * (256 - len(f"arn:aws:iam::{'0' * 12}:mfa/"))
    app_of(iam.create_virtual_mfa_device(VirtualMFADeviceName=longest))
    assert fault_of(iam.create_virtual_mfa_device, VirtualMFADeviceName=f"{longest}n")[:2] == ("ValidationError", 400)


def test_a_device_in_use_is_not_deleted_and_its_user_neither(iam: Any, admin: Any, dave: str, app: App) -> None:
    admin.enable_mfa_device(UserName=dave, SerialNumber=app.serial_number, **app.two(-1))
    in_use = ("DeleteConflict", 409, "MFA VirtualDevice in use. Must deactivate first.")
    assert fault_of(iam.delete_virtual_mfa_device, SerialNumber=app.serial_number) == in_use
    first = ("DeleteConflict", 409, "Cannot delete entity, must remove tokens from principal first.")
    assert fault_of(iam.delete_user, UserName=dave) == first
    admin.deactivate_mfa_device(UserName=dave, SerialNumber=app.serial_number)
    iam.delete_user(UserName=dave)
    iam.delete_virtual_mfa_device(SerialNumber=app.serial_number)


def test_a_deactivated_device_keeps_its_seed_and_its_used_codes(admin: Any, dave: str, app: App) -> None:
    device = {"UserName": dave, "SerialNumber": app.serial_number}
    admin.enable_mfa_device(**device, **app.two(-1))
    admin.deactivate_mfa_device(**device)
    code, status, message = fault_of(admin.enable_mfa_device, **device, **app.two(-1))
    assert (code, status) == WRONG_CODE[:2]
    assert "accepted before, and none is good twice" in message
    admin.enable_mfa_device(**device, **app.two(1))


def test_the_list_of_virtual_devices_says_whose_they_are_and_no_seed(iam: Any, dave: str, root: Person) -> None:
    free = app_of(iam.create_virtual_mfa_device(VirtualMFADeviceName="free", Tags=[{"Key": "a", "Value": ""}]))
    taken = give_app(root.account_id, User.objects.get(account=root.account_id, user_name=dave), "taken")
    roots = give_app(root.account_id, root.user, "roots")
    listed = {each["SerialNumber"]: each for each in iam.list_virtual_mfa_devices()["VirtualMFADevices"]}
    assert listed[free.serial_number] == {"SerialNumber": free.serial_number}
    assert listed[taken.serial_number].keys() == {"SerialNumber", "User", "EnableDate"}
    assert listed[taken.serial_number]["User"]["UserName"] == dave
    assert "UserName" not in listed[roots.serial_number]["User"]
    assert listed[roots.serial_number]["User"]["Arn"] == f"arn:aws:iam::{root.account_id}:root"

    def serials(status: str) -> list[str]:
        pages = iam.get_paginator("list_virtual_mfa_devices").paginate(
            AssignmentStatus=status, PaginationConfig={"PageSize": 1}
        )
        return [each["SerialNumber"] for page in pages for each in page["VirtualMFADevices"]]

    assert serials("Any") == [free.serial_number, taken.serial_number, roots.serial_number]
    assert serials("Assigned") == [taken.serial_number, roots.serial_number]
    assert serials("Unassigned") == [free.serial_number]


def test_a_user_has_eight_devices(admin: Any, dave: str, root: Person, app: App) -> None:
    user = User.objects.get(account=root.account_id, user_name=dave)
    for number in range(8):
        give_app(root.account_id, user, f"phone{number}")
    full = ("LimitExceeded", 409, "Cannot exceed quota for MFADevicesPerUser: 8")
    assert fault_of(admin.enable_mfa_device, UserName=dave, SerialNumber=app.serial_number, **app.two()) == full


def test_the_summary_counts_devices(iam: Any, admin: Any, dave: str, root: Person, app: App) -> None:
    def counted() -> tuple[int, ...]:
        summary = iam.get_account_summary()["SummaryMap"]
        return tuple(summary[key] for key in ("MFADevices", "MFADevicesInUse", "AccountMFAEnabled"))

    assert counted() == (2, 1, 0)
    admin.enable_mfa_device(UserName=dave, SerialNumber=app.serial_number, **app.two())
    assert counted() == (2, 2, 0)
    give_app(root.account_id, root.user, "roots")
    assert counted() == (3, 3, 1)


def test_tags_mind_the_case_of_their_keys(iam: Any, app: App) -> None:
    device = {"SerialNumber": app.serial_number}
    iam.tag_mfa_device(**device, Tags=[{"Key": "team", "Value": "red"}, {"Key": "Team", "Value": "blue"}])
    iam.tag_mfa_device(**device, Tags=[{"Key": "team", "Value": "green"}])
    tags = iam.list_mfa_device_tags(**device)
    assert tags["Tags"] == [{"Key": "Team", "Value": "blue"}, {"Key": "team", "Value": "green"}]
    assert tags["IsTruncated"] is False
    iam.untag_mfa_device(**device, TagKeys=["TEAM", "team"])
    assert iam.list_mfa_device_tags(**device)["Tags"] == [{"Key": "Team", "Value": "blue"}]
    reserved = "Tag keys beginning with aws: are reserved for system use."
    assert fault_of(iam.tag_mfa_device, **device, Tags=[{"Key": "AWS:x", "Value": ""}])[2] == reserved
    twice = [{"Key": "a", "Value": ""}, {"Key": "a", "Value": "b"}]
    assert fault_of(iam.tag_mfa_device, **device, Tags=twice)[0] == "InvalidInput"


def test_a_policy_on_tags_of_devices_holds(iam: Any, root: Person) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "iam:DeleteVirtualMFADevice",
            "Resource": f"arn:aws:iam::{root.account_id}:mfa/*",
            "Condition": {"StringEquals": {"aws:ResourceTag/team": "blue"}},
        },
    }
    erin = make_user(root, "erin", json.dumps(policy)).client()
    for name, team in (("one", "blue"), ("two", "red")):
        app_of(iam.create_virtual_mfa_device(VirtualMFADeviceName=name, Tags=[{"Key": "team", "Value": team}]))
    arn = f"arn:aws:iam::{root.account_id}:mfa"
    erin.delete_virtual_mfa_device(SerialNumber=f"{arn}/one")
    assert fault_of(erin.delete_virtual_mfa_device, SerialNumber=f"{arn}/two")[:2] == ("AccessDenied", 403)


# Whose factors they are


@pytest.mark.asvs("7.4.3")
def test_enabling_resynchronising_and_deactivating_end_the_users_sessions(
    admin: Any, root: Person, dave: str, app: App
) -> None:
    device = {"UserName": dave, "SerialNumber": app.serial_number}
    users = User.objects.filter(account=root.account_id, user_name=dave)
    epochs = [users.get().auth_epoch]
    for call, parameters in (
        (admin.enable_mfa_device, app.two(-1)),
        (admin.resync_mfa_device, app.two(1)),
        (admin.deactivate_mfa_device, {}),
    ):
        call(**device, **parameters)
        epochs.append(users.get().auth_epoch)
    assert len(set(epochs)) == 4
    assert epochs == sorted(epochs)


@pytest.mark.asvs("6.5.6")
def test_a_long_term_key_does_not_change_the_own_factors_once_there_is_one(
    root: Person, alice: Person, iam: Any
) -> None:
    first = app_of(iam.create_virtual_mfa_device(VirtualMFADeviceName="first"))
    second = app_of(iam.create_virtual_mfa_device(VirtualMFADeviceName="second"))
    iam.enable_mfa_device(UserName="alice", SerialNumber=first.serial_number, **first.two(-2))
    for refused in (
        fault_of(iam.enable_mfa_device, UserName="alice", SerialNumber=second.serial_number, **second.two()),
        fault_of(iam.deactivate_mfa_device, SerialNumber=first.serial_number),
        fault_of(iam.deactivate_mfa_device, UserName="ALICE", SerialNumber=first.serial_number),
    ):
        assert refused[:2] == ("AccessDenied", 403)
        assert "must use it first" in refused[2]
    in_session = session_of(alice, first).client()
    in_session.enable_mfa_device(UserName="alice", SerialNumber=second.serial_number, **second.two(-2))
    session_of(alice, second).client().deactivate_mfa_device(SerialNumber=first.serial_number)
    assert [each["SerialNumber"] for each in iam.list_mfa_devices()["MFADevices"]] == [second.serial_number]


def test_the_devices_of_others_are_changed_with_the_own_second_factor_alone(
    root: Person, alice: Person, dave: str, app: App, server: Path
) -> None:
    admin, user = make_user(root, "admin", ALLOW_ALL), User.objects.get(account=root.account_id, user_name=dave)
    his = {"UserName": dave, "SerialNumber": give_app(root.account_id, user, "daves").serial_number}
    new = {"UserName": dave, "SerialNumber": app.serial_number}
    for person in (admin, root):
        none = f"User: {person.user.arn} has no MFA device, and must assign one to itself and use it first: "
        first = f"User: {person.user.arn} has an MFA device and must use it first: "
        for begins in (none, first):
            if begins is first:
                own = give_app(person.account_id, person.user, f"of-{person.user.user_id}")
            key = person.client()
            for action, call, given in (
                ("iam:EnableMFADevice", key.enable_mfa_device, {**new, **app.two(-1)}),
                ("iam:ResyncMFADevice", key.resync_mfa_device, {**his, **app.two(-1)}),
                ("iam:DeactivateMFADevice", key.deactivate_mfa_device, his),
                ("iam:DeactivateMFADevice", key.deactivate_mfa_device, {**his, "SerialNumber": "arn:aws:iam::1:mfa/x"}),
            ):
                code, status, message = fault_of(call, **given)
                assert (code, status) == ("AccessDenied", 403)
                assert message.startswith(f"{begins}the MFA devices of others, and how often they may be tried, are")
                line = events_of(root.account_id)[-1]
                assert (line.action, line.result, line.message) == (action, "AccessDenied", message)
        assert [each.serial_number for each in codes.devices_of(user)] == [his["SerialNumber"]]
        # What was refused was no guess at his codes.
        assert not GuessBudget.objects.filter(user=user).exists()
    session = session_of(root, own).client()
    session.enable_mfa_device(**new, **app.two(-1))
    session.deactivate_mfa_device(**his)
    session.resync_mfa_device(**new, **app.two(1))
    session.deactivate_mfa_device(**new)
    assert not codes.devices_of(user).exists()


def test_who_may_not_change_the_devices_of_others_learns_no_more(mallory: Person, alice: Person, server: Path) -> None:
    his = give_app(alice.account_id, alice.user, "alices")
    for name in ("alice", "nemo"):
        refused = fault_of(mallory.client().deactivate_mfa_device, UserName=name, SerialNumber=his.serial_number)
        assert refused[:2] == ("AccessDenied", 403)
        assert "is not authorized to perform: iam:DeactivateMFADevice" in refused[2]


def test_the_shell_changes_devices_for_who_has_lost_theirs(root: Person, dave: str) -> None:
    user = User.objects.get(account=root.account_id, user_name=dave)
    lost = give_app(root.account_id, user, "lost")
    deactivate_mfa_device(caller_for(root.user, "shell"), user_name=dave, serial_number=lost.serial_number)
    assert not codes.devices_of(user).exists()


def test_the_root_user_has_devices_of_its_own(root: Person, server: Path) -> None:
    iam, erin = root.client(), make_user(root, "erin", ALLOW_ALL)
    app = app_of(iam.create_virtual_mfa_device(VirtualMFADeviceName="root-account-mfa-device"))
    done = ask(
        root,
        "EnableRootMFADevice",
        "iamconsole",
        SerialNumber=app.serial_number,
        AuthenticationCode1=app.code(-1),
        AuthenticationCode2=app.code(0),
    )
    assert done.status == 200
    [listed] = iam.list_mfa_devices()["MFADevices"]
    assert listed.keys() == {"SerialNumber", "EnableDate"}
    again = {"SerialNumber": app.serial_number, "AuthenticationCode1": app.code(1), "AuthenticationCode2": app.code(2)}
    assert ask(root, "ResyncRootMFADevice", "iamconsole", **again).status == 200
    assert ask(root, "ResyncRootMFADevice", "iamconsole", **again).code == "InvalidAuthenticationCode"
    assert ask(erin, "EnableRootMFADevice", "iamconsole", **again).code == "InvalidUserType"


@pytest.mark.asvs("16.2.5")
def test_no_code_stands_in_the_trail(iam: Any, admin: Any, dave: str, alice: Person, app: App) -> None:
    two = app.two(-1)
    admin.enable_mfa_device(UserName=dave, SerialNumber=app.serial_number, **two)
    fault_of(admin.resync_mfa_device, UserName=dave, SerialNumber=app.serial_number, **two)
    fault_of(
        alice.client("sts").get_session_token, SerialNumber=app.serial_number, TokenCode=two["AuthenticationCode1"]
    )
    lines = events_of(alice.account_id)[-3:]
    assert [line.action for line in lines] == ["iam:EnableMFADevice", "iam:ResyncMFADevice", "sts:GetSessionToken"]
    for line in lines:
        hidden = {value for key, value in line.parameters.items() if "code" in key}
        assert hidden == {"***"}
        assert not any(code in repr((line.parameters, line.response, line.message)) for code in two.values())


def test_deleting_a_user_with_everything_takes_the_devices_too(iam: Any, root: Person, dave: str) -> None:
    user = User.objects.get(account=root.account_id, user_name=dave)
    give_app(root.account_id, user, "phone")
    give_app(root.account_id, user, "TOKEN-1234", kind="hardware")
    recovery_codes.issue(user)
    parts = [each for each in delete_user_with_credentials.performs if each != "iam:DeleteVirtualMFADevice"]
    erin = make_user(root, "erin", allow(*parts))
    with pytest.raises(Exception, match="iam:DeleteVirtualMFADevice"):
        delete_user_with_credentials(caller_for(erin.user), user_name=dave)
    delete_user_with_credentials(root.caller, user_name=dave)
    left = MFADevice.objects.get(account=root.account_id)
    assert (left.serial_number, left.user, left.confirmed) == ("TOKEN-1234", None, False)


# At rest


@pytest.mark.asvs("13.3.1")
def test_a_seed_moved_to_another_device_or_account_does_not_open(root: Person, trudy: Person) -> None:
    from credentials.sealing import SealBrokenError

    one = give_app(root.account_id, None, "one")
    two, foreign = give_app(root.account_id, None, "two"), give_app(trudy.account_id, None, "one")
    sealed = MFADevice.objects.get(serial_number=one.serial_number)
    assert seed_of(sealed) == one.seed
    for other in (two, foreign):
        moved = MFADevice.objects.get(serial_number=other.serial_number)
        moved.sealed_seed = sealed.sealed_seed
        with pytest.raises(SealBrokenError):
            seed_of(moved)


def test_a_hardware_token_is_enabled_like_any_device_and_its_drift_is_followed(
    iam: Any, admin: Any, dave: str, root: Person
) -> None:
    token = give_app(root.account_id, None, "GAHT00011122", kind="hardware", period=60)
    admin.enable_mfa_device(UserName=dave, SerialNumber=token.serial_number, **token.two(10))
    device = HardwareToken.objects.get(account=root.account_id)
    assert device.user is not None
    assert device.drift == 10
    # Its clock runs away, a step each time: every code is one more ahead, and none is lost.
    now = timezone.now()
    for minute in (1, 2, 3):
        later = now + timedelta(minutes=minute)
        assert codes.verify(Guesser(device.user, "console"), device, token.code(10 + 2 * minute), later)
        device.refresh_from_db()
        assert device.drift == 10 + minute
    admin.deactivate_mfa_device(UserName=dave, SerialNumber=token.serial_number)
    device.refresh_from_db()
    assert (device.user, device.drift) == (None, 13)
    assert fault_of(iam.delete_virtual_mfa_device, SerialNumber=token.serial_number) == missing(token.serial_number)


@pytest.mark.pure
def test_pictures_for_pages_are_svg() -> None:
    from credentials import qr

    drawn = qr.svg(qr.otpauth("phone", "acme", b"0" * 20))
    assert drawn.startswith(("<?xml", "<svg"))
    assert "<path" in drawn
    assert BytesIO(qr.png("x")).getvalue().startswith(b"\x89PNG")
