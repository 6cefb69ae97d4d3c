"""Set-up links of IAM users: access to the console without a password that anybody else has seen."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import SetupLink, User
from accounts.operations.suspension import lock_down_user, suspend_user
from accounts.operations.whole_users import create_user_with_access, delete_user_with_credentials
from audit.models import Event
from credentials.models import LoginProfile
from credentials.operations.login_profiles import (
    create_setup_link,
    delete_login_profile,
    generate_password,
    update_login_profile,
)
from credentials.operations.mfa_requirements import update_mfa_requirement
from credentials.operations.password_policies import update_account_password_policy
from credentials.reports.build import subjects
from iamconsole.errors import AccessDenied, InvalidInput
from tests.browser import PASSWORD, a_client, draft, give_password, nonce_in, signed_in, token_of
from tests.conftest import SECRETS, Person, allow, make_user
from tests.rows import events_of
from tests.test_signin_states import ANOTHER, give_password_to

ACCESS = "/console/accounts/user/dora/console-access/"


@pytest.fixture
def dora(root: Person) -> Person:
    """Has no password yet."""
    return make_user(root, "dora", allow("iam:ChangePassword"))


def link_for(root: Person, dora: Person) -> str:
    """The path of a new link of the user's."""
    return f"/setup/{token_of(create_setup_link(root.caller, user_name=dora.name).secret['setup_url'])}/"


def open_link(path: str, password: str = PASSWORD) -> Any:
    """Choose a password by the link."""
    return a_client().post(path, {"new_password": password, "confirm_password": password})


def is_open(path: str) -> bool:
    return a_client().get(path).status_code == 200


def test_the_user_chooses_a_password_by_it_once_and_goes_on_to_sign_in(root: Person, dora: Person):
    path = link_for(root, dora)
    assert a_client().get(path)["Cache-Control"] == "no-store"
    assert is_open(path)  # looking at it spends nothing
    update_account_password_policy(root.caller, minimum_password_length=30)
    assert "30 to 128 characters" in open_link(path).content.decode()
    assert open_link(path, PASSWORD * 2)["Location"] == f"/signin/{root.account_id}/?message=ready"
    assert (open_link(path, ANOTHER * 2).status_code, is_open(path)) == (404, False)
    assert give_password_to(a_client(), dora, PASSWORD * 2)["Location"] == "/console/"


def test_who_has_to_enable_an_mfa_device_does_so_after_it(root: Person, dora: Person):
    update_mfa_requirement(root.caller, start_date="2026-01-01")
    open_link(link_for(root, dora))
    assert give_password_to(a_client(), dora)["Location"] == "/mfa-enrolment/"


def test_it_expires_after_seven_days(root: Person, dora: Person):
    path = link_for(root, dora)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=7, seconds=1)):
        assert (is_open(path), open_link(path).status_code) == (False, 404)


VOID: dict[str, Callable[[Person], object]] = {
    "another link": lambda root: token_of(create_setup_link(root.caller, user_name="dora").secret["setup_url"]),
    "a password": lambda root: update_login_profile(root.caller, user_name="dora", password=ANOTHER),
    "a generated password": lambda root: SECRETS.append(
        generate_password(root.caller, user_name="dora").secret["password"]
    ),
    "no access to the console": lambda root: delete_login_profile(root.caller, user_name="dora"),
    "suspension": lambda root: suspend_user(root.caller, user_name="dora"),
    "lock-down": lambda root: lock_down_user(root.caller, user_name="dora"),
    "deletion": lambda root: delete_user_with_credentials(root.caller, user_name="dora"),
}


@pytest.mark.parametrize("way", VOID)
def test_what_makes_it_void(root: Person, dora: Person, way: str):
    path = link_for(root, dora)
    assert is_open(path)
    VOID[way](root)
    assert (is_open(path), open_link(path).status_code) == (False, 404)


def test_a_password_there_was_and_its_sessions_end_and_the_report_says_so(root: Person, dora: Person):
    give_password(dora, must_change=True)
    client = signed_in(dora)
    link = link_for(root, dora)
    assert client.get("/console/").status_code == 302
    assert give_password_to(a_client(), dora).status_code == 200
    enabled = {each.user: each.password_enabled for batch in subjects(root.caller.account) for each in batch}
    assert enabled["dora"] is False
    open_link(link, ANOTHER)
    assert give_password_to(a_client(), dora, ANOTHER)["Location"] == "/console/"  # none that must be changed


def test_it_is_permitted_and_told_as_what_it_does_and_shown_in_no_line(root: Person, dora: Person):
    helper = make_user(root, "helper", allow("iam:CreateLoginProfile"))
    issued = create_setup_link(helper.caller, user_name="dora")
    token = token_of(issued.secret["setup_url"])
    with pytest.raises(AccessDenied, match="iam:UpdateLoginProfile"):
        create_setup_link(helper.caller, user_name="dora")
    open_link(f"/setup/{token}/")
    told = [event.action for event in events_of(root.account_id)]
    assert told[-3:] == ["iam:CreateLoginProfile", "iam:UpdateLoginProfile", "iamconsole:RedeemSetupLink"]
    assert token not in str(list(Event.objects.filter(chain=root.account_id).values()))
    assert token not in str(list(SetupLink.objects.values()))
    with pytest.raises(InvalidInput, match="Reactivate"):
        suspend_user(root.caller, user_name="dora")
        create_setup_link(root.caller, user_name="dora")


def test_one_way_to_a_password_is_enough(root: Person):
    with pytest.raises(InvalidInput, match="one of the three"):
        create_user_with_access(root.caller, user_name="erin", setup_link=True, generate_password=True)


@pytest.mark.pure
def test_the_pages_show_it_once(root: Person, dora: Person):
    client = signed_in(root)
    wizard = draft(client, "erin", "person")
    for address, name in ((ACCESS, "dora"), (wizard, "erin")):
        fields = {"first_password": "setup_link", "nonce": nonce_in(client.get(address))}
        page = client.post(address, fields)
        path = f"/setup/{token_of(page.context['setup_url'])}/"
        assert (page["Cache-Control"], page.context["setup_url"] in page.content.decode()) == ("no-store", True)
        assert "Already shown" in client.post(address, fields).content.decode()
        tab = client.get(f"/console/accounts/user/{name}/change/?tab=credentials").content.decode()
        assert "is to open the set-up link" in tab
        assert path not in tab
        assert open_link(path).status_code == 302
        assert LoginProfile.objects.get(user=User.objects.get(account=root.account_id, user_name=name))
