"""Every address and every operation against nobody, mallory, who may do nothing, and trudy of another account.

The addresses come from the URL configuration and the operations from the registry: what is added tomorrow is asked too, and an
address that is neither the console's nor listed here fails.
"""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from iamconsole.operation import Operation
from tests.browser import a_client, every_route, signed_in
from tests.conftest import ALLOW_ALL, Person, make_account, make_user
from tests.everything import BY_CALLERS, Values, furnish, names_of, parameters
from tests.raw import exchange, form, run
from tests.rows import rows_of

pytestmark = pytest.mark.pure

# Addresses outside the console that answer without a session, and why.
OPEN = {
    "api": "the AWS door, which wants a signature",
    "authorize": "the verifier door, which wants a service token",
    "ssh-authorized-keys": "sshd's door, which wants a service token",
    "ssh-login-names": "sshd's door, which wants a service token",
    "healthz": "for probes",
    "readyz": "for probes",
    "help": "tells nothing of any account",
    "theme": "keeps the choice of light or dark in a cookie",
    "signin": "the way in",
    "signin-account": "the way in",
    "second-factor": "a step of the way in: only who has shown a password is answered",
    "new-password": "a step of the way in: only who has shown a password is answered",
    "mfa-enrolment": "a step of the way in: only who has shown a password is answered",
    "password-expired": "where the way in ends",
    "setup": "a link that is a secret",
    "signout": "the way out",
}
ROUTES = dict(every_route())
CONSOLE = [name for name in ROUTES if name.startswith("admin:")]
ARGUMENTS: dict[str, Any] = {
    "event_id": "00000000-0000-4000-8000-000000000000",
    "decision_id": "00000000-0000-4000-8000-000000000000",
    "report_id": "00000000-0000-4000-8000-000000000000",
    "change_id": "00000000-0000-4000-8000-000000000000",
    "session_id": 1,
}


def address(name: str) -> str:
    """The address of a route, its arguments filled with something."""
    wanted = ROUTES[name].pattern.converters
    values = {
        argument: ARGUMENTS.get(argument, 1 if type(converter).__name__ == "IntConverter" else "x")
        for argument, converter in wanted.items()
    }
    return reverse(name, kwargs=values)


def test_every_address_is_the_consoles_or_open_for_a_reason() -> None:
    assert {name for name in ROUTES if name not in CONSOLE} == set(OPEN)


@pytest.mark.parametrize("name", CONSOLE)
def test_nobody_at_all_is_sent_to_sign_in(name: str) -> None:
    client = a_client()
    for ask in (client.get, client.post):
        answer = ask(address(name))
        assert answer.status_code in (302, 403), name
        if answer.status_code == 302:
            assert answer.headers["Location"].startswith("/signin/")


@pytest.mark.parametrize("who", ["mallory", "trudy"])
def test_who_may_not_changes_nothing_at_any_address(root: Person, who: str) -> None:
    furnish(root)
    stranger = make_user(root, "mallory") if who == "mallory" else make_user(make_account(), "trudy", ALLOW_ALL)
    client = signed_in(stranger)
    before = {name: rows for name, rows in rows_of(root.account_id).items() if name not in ("Event", "Session")}
    for name in CONSOLE:
        for ask in (client.get, lambda path: client.post(path, {"user_name": "dave", "typed_name": "dave"})):
            assert ask(address(name)).status_code < 500, name
    after = {name: rows for name, rows in rows_of(root.account_id).items() if name not in ("Event", "Session")}
    assert after == before


@pytest.fixture(scope="module")
def values(server: Path) -> Values:
    """What exists in an account that nobody changes here."""
    return furnish(make_account())


@pytest.mark.parametrize("operation", BY_CALLERS, ids=names_of(BY_CALLERS))
def test_no_operation_answers_who_has_not_signed(operation: Operation[Any], values: Values) -> None:
    body = form(operation.model, parameters(operation, values))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = exchange("POST", "/", body, headers)
    assert (answer.status, answer.code) == (403, "MissingAuthenticationToken")


def test_no_operation_of_the_account_answers_a_stranger_with_what_is_there(root: Person, server: Path) -> None:
    values = furnish(root)
    trudy = make_user(make_account(), "trudy", ALLOW_ALL)
    for operation in BY_CALLERS:
        answer = run(trudy, operation.model, parameters(operation, values))
        assert answer.status < 500, operation.action
        assert root.access_key_id not in answer.body.decode(), operation.action
