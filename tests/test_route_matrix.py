"""Every address and every operation against nobody, mallory, who may do nothing, and trudy of another account.

The addresses come from the URL configuration and the operations from the registry: what is added tomorrow is asked too, and an
address that is neither the console's nor listed here fails.
"""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.urls import reverse

from accounts.models import User
from iamconsole.operation import Operation
from tests.browser import a_client, every_route, signed_in
from tests.conftest import ALLOW_ALL, Person, make_account, make_user
from tests.everything import BY_CALLERS, Values, furnish, names_of, parameters
from tests.raw import exchange, form, run
from tests.rows import rows_of

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
# Addresses of the console that refuse nobody who is signed in, and why.
EVERYBODYS = {
    "admin:confirm": "proves who one is",
    "admin:stay": "keeps one's own session",
    "admin:me-sign-ins": "one's own",
    "admin:me-session-end": "one's own: another's is not found among them",
    "admin:me-sessions-end": "one's own",
    "admin:user-list-columns": "one's own choice of columns",
    "admin:user-list-view-save": "one's own view",
    "admin:user-list-view-delete": "one's own view",
    "admin:user-add-permissions": "leads back to the first step, which refuses, as nothing was entered there",
    "admin:user-add-review": "leads back to the first step, which refuses, as nothing was entered there",
    "admin:user-import-template": "an empty file",
    "admin:simulator": "leads to the same page by GET, which refuses",
    "admin:unused-deactivate": "asks about nothing, as nothing was ticked",
    "admin:unused-delete": "asks about nothing, as nothing was ticked",
    "admin:unused-undo": "asks about nothing, as nothing was ticked",
}
REFUSALS = ("needs the permission", "is not authorized to perform", "No policy can allow it")


def address(name: str, values: Values) -> str:
    """The address of a route, its arguments filled with what exists."""
    known = {**values, "credential_id": values["service_specific_credential_id"], "kind": "csv"}
    return reverse(name, kwargs={argument: known[argument] for argument in ROUTES[name].pattern.converters})


def fields(values: Values) -> dict[str, Any]:
    """Something for every field of every form, as far as a form can hold it."""
    plain = (str, int)
    lists = {name: value for name, value in values.items() if isinstance(value, list)}
    return (
        {name: value for name, value in values.items() if isinstance(value, plain)}
        | {name: value for name, value in lists.items() if all(isinstance(each, plain) for each in value)}
        | {"typed_name": values["user_name"]}
    )


def test_every_address_is_the_consoles_or_open_for_a_reason() -> None:
    assert {name for name in ROUTES if name not in CONSOLE} == set(OPEN)


def test_nobody_at_all_is_sent_to_sign_in(root: Person) -> None:
    values, client = furnish(root), a_client()
    for name in CONSOLE:
        for ask in (client.get, client.post):
            answer = ask(address(name, values), fields(values))
            assert answer.status_code in (302, 403), name
            if answer.status_code == 302:
                assert answer.headers["Location"].startswith("/signin/")


def rows_but_for_traces(root: Person) -> dict[str, Any]:
    """What the account has, without what is noted of those who ask."""
    return {name: rows for name, rows in rows_of(root.account_id).items() if name not in ("Event", "Session")}


def test_who_may_nothing_is_refused_at_every_address(root: Person) -> None:
    values, client = furnish(root), signed_in(make_user(root, "mallory"))
    before = rows_but_for_traces(root)
    for name in CONSOLE:
        for ask in (client.get, lambda path: client.post(path, fields(values))):
            answer = ask(address(name, values))
            told = answer.status_code in (403, 404, 405) or (
                answer.status_code == 200 and any(words in answer.content.decode() for words in REFUSALS)
            )
            assert told or name in EVERYBODYS, (name, answer.status_code)
    after = rows_but_for_traces(root)
    del after["UserListView"], before["UserListView"]  # the columns and the view that mallory chose
    assert after == before


def test_who_may_everything_elsewhere_neither_sees_nor_changes_anything_here(root: Person) -> None:
    values, trudy = furnish(root), make_user(make_account(), "trudy", ALLOW_ALL)
    before = rows_but_for_traces(root)
    here = {root.account_id, *(str(values[name]) for name in ("access_key_id", "email", "alias", "report_id"))}
    here |= {str(user_id) for user_id in User.objects.filter(account=root.account_id).values_list("user_id", flat=True)}
    client = signed_in(trudy)
    for name in CONSOLE:
        path = address(name, values)
        answer = client.get(path)
        assert answer.status_code < 500, name
        page = b"".join(answer) if answer.streaming else answer.content
        assert not {each for each in here if each in page.decode() and each not in unquote(path)}, name
    for name in CONSOLE:  # her own trail then tells what she has named
        assert signed_in(trudy).post(address(name, values), fields(values)).status_code < 500, name
    assert rows_but_for_traces(root) == before


def test_no_form_fails_at_a_character_that_no_text_of_the_database_holds(root: Person) -> None:
    values, client = furnish(root), signed_in(root)
    holed = {
        name: ["\x00", "a\x00b"] if isinstance(value, list) else "a\x00b"
        for name, value in ({"search": "", "q": "", "description": ""} | fields(values)).items()
    }
    for name in CONSOLE:
        path = address(name, values)
        for ask in (client.get, client.post):
            for sent in (holed, holed | {"go": "search"}, holed | {"how": "groups", "go": "next"}):
                assert ask(path, sent).status_code < 500, (name, sent)


@pytest.fixture(scope="module")
def values(server: Path) -> Values:
    """What exists in an account that nobody changes here."""
    return furnish(make_account())


@pytest.mark.pure  # the database is not asked
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
