"""Every address and every operation against nobody, mallory, who may do nothing, and trudy of another account.

The addresses come from the URL configuration and the operations from the registry: what is added tomorrow is asked too, and an
address that is neither the console's nor listed here fails.
"""

import html
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from iamconsole.operation import Operation
from permissions.operations.inline import put_user_policy
from permissions.operations.managed import create_policy
from tests.browser import a_client, every_route, signed_in
from tests.conftest import ALLOW_ALL, Person, allow, make_account, make_group, make_user
from tests.everything import BY_CALLERS, Values, furnish, names_of, parameters
from tests.raw import exchange, form, run
from tests.rows import rows_of, texts_of

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


def arguments(name: str, values: Values) -> dict[str, Any]:
    """What fills the address of a route: what exists."""
    known = {**values, "credential_id": values["service_specific_credential_id"], "kind": "csv"}
    return {argument: known[argument] for argument in ROUTES[name].pattern.converters}


def address(name: str, values: Values) -> str:
    """The address of a route that names what exists."""
    return reverse(name, kwargs=arguments(name, values))


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


def with_more_than_is_named(root: Person) -> Values:
    """Put one of everything into the account, and what no value names: a user, and what dave is in and has."""
    values = furnish(root)
    make_user(root, "unspoken-user", allow("iam:ListUsers"))
    make_group(root, "unspoken-group", "dave")
    create_policy(root.caller, policy_name="unspoken-policy", policy_document=allow("iam:ListGroups"))
    put_user_policy(
        root.caller, user_name="dave", policy_name="unspoken-rights", policy_document=allow("iam:ListRoles")
    )
    return values


def told_by(answer: Any) -> str:
    """All that an answer says."""
    page = b"".join(answer) if answer.streaming else answer.content
    return html.unescape(page.decode()) + answer.headers.get("Location", "")


def shown(answer: Any, hidden: set[str], named: Values) -> list[str]:
    """What an answer tells of what is hidden, but for what was named to it."""
    told, known = told_by(answer), "\n".join(str(value) for value in named.values())
    return [each for each in hidden if each in told and each not in known]


def test_who_may_nothing_is_refused_at_every_address(root: Person) -> None:
    values = with_more_than_is_named(root)
    hidden = texts_of(root.account_id) - {root.account_id, values["account_alias"]}  # which whoever is in it knows
    assert len({each for each in hidden if each.startswith("unspoken-")}) == 4
    client = signed_in(make_user(root, "mallory"))
    before = rows_but_for_traces(root)
    for name in CONSOLE:
        path, named = address(name, values), arguments(name, values)
        for answer, known in (
            (client.get(path), named),
            (client.post(path, fields(values)), named | fields(values)),
        ):
            told = answer.status_code in (403, 404, 405) or (
                answer.status_code == 200 and any(words in told_by(answer) for words in REFUSALS)
            )
            assert told or name in EVERYBODYS, (name, answer.status_code)
            assert shown(answer, hidden, known) == [], name
    after = rows_but_for_traces(root)
    del after["UserListView"], before["UserListView"]  # the columns and the view that mallory chose
    assert after == before


def test_who_may_everything_elsewhere_neither_sees_nor_changes_anything_here(root: Person) -> None:
    values, trudy = with_more_than_is_named(root), make_user(make_account(), "trudy", ALLOW_ALL)
    hidden = texts_of(root.account_id)
    assert {root.account_id, values["account_alias"], values["email"]} < hidden
    before = rows_but_for_traces(root)
    client = signed_in(trudy)
    for name in CONSOLE:
        answer = client.get(address(name, values))
        assert answer.status_code < 500, name
        assert shown(answer, hidden, arguments(name, values)) == [], name
    known = fields(values)
    for name in CONSOLE:
        known |= arguments(name, values)  # her own trail then tells what she has named
        answer = signed_in(trudy).post(address(name, values), fields(values))
        assert answer.status_code < 500, name
        assert shown(answer, hidden, known) == [], name
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
    values = with_more_than_is_named(root)
    hidden = texts_of(root.account_id) | {f"arn:aws:iam::{root.account_id}"}
    trudy = make_user(make_account(), "trudy", ALLOW_ALL)
    known = ""
    for operation in BY_CALLERS:
        given = parameters(operation, values)
        known += repr(given)  # her own trail then tells what she has named
        answer = run(trudy, operation.model, given)
        assert answer.status < 500, operation.action
        told = html.unescape(answer.body.decode())
        assert [each for each in hidden if each in told and each not in known] == [], operation.action
