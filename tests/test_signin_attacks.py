"""What a hostile user tried on the way in, and what a hostile colleague tried around it."""

import pytest

from iamconsole.errors import InvalidInput
from tests.browser import PASSWORD, a_client, give_password
from tests.conftest import Person, allow, make_user
from tests.test_console_signin import is_in
from tests.test_signin_states import require_mfa


@pytest.fixture
def dora(root: Person) -> Person:
    """May do everything, with a password and no device."""
    dora = make_user(root, "dora", allow("*"))
    give_password(dora)
    return dora


# Where one wanted to go


@pytest.mark.parametrize("after", ["foo", "foo?x=1", "signout", "second-factor", "//evil.example/", "/\\evil.example"])
def test_a_place_to_go_on_to_is_a_path_of_this_server_and_nothing_else(dora: Person, after: str):
    client = a_client()
    form = {"account": dora.account_id, "user_name": dora.name, "password": PASSWORD}
    assert client.post(f"/signin/?next={after}", form)["Location"] == "/console/"
    assert is_in(client)


# Forced devices


def test_no_day_that_an_account_sets_keeps_its_users_from_signing_in(root: Person, dora: Person):
    with pytest.raises(InvalidInput, match="is too late"):
        require_mfa(root, "9999-12-31", grace_period_days=90)
    require_mfa(root, "9998-12-31", grace_period_days=90)
    client = a_client()
    form = {"account": dora.account_id, "user_name": dora.name, "password": PASSWORD}
    assert client.post("/signin/", form)["Location"] == "/console/"
    assert client.get("/console/").status_code == 200
