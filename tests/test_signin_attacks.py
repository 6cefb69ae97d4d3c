"""What a hostile user tried on the way in, and what a hostile colleague tried around it."""

import pytest

from tests.browser import PASSWORD, a_client, give_password
from tests.conftest import Person, allow, make_user
from tests.test_console_signin import is_in


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
