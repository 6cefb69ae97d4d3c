"""Every operation asked in every situation, by the API: who asks of what, and what holds of answers and the lines they leave."""

import re
from collections.abc import Iterator
from typing import Any

from api import shapes
from api.shapes import Shape, snake
from audit.models import Event
from iamconsole.operation import Operation
from tests.authenticators import give_app, session_of
from tests.conftest import SECRETS, Person
from tests.everything import (
    Values,
    furnish,
    give_password,
    invent,
    new_app,
    new_targets,
    own_factor,
    secrets_in,
)
from tests.raw import Answer


def situations(root: Person, alice: Person) -> Iterator[tuple[Person, Values]]:
    """Who asks, and of what. Each is made when the one before it has been asked."""
    existing, invented = furnish(root), invent(root)
    give_password(root.user)
    give_password(alice.user)
    yield alice, existing
    yield alice, invented
    bare = {**new_targets(root, "bare"), **new_app(root, "bare").two_codes()}
    yield alice, {**existing, **bare, "new_user_name": "newer", "new_group_name": "newer"}
    yield root, {**existing, "email": f"new-{existing['email']}"}
    yield root, {**existing, **new_app(root, "bare-too").two_codes()}
    yield root, {**existing, **give_app(root.account_id, root.user, "root").two_codes()}
    with_factor = session_of(root, give_app(root.account_id, root.user, "roots-own"))
    yield with_factor, existing
    yield with_factor, {**existing, **bare}
    session, factor, answer = own_factor(alice)
    yield alice, {**existing, **factor}
    yield session, {**existing, **answer}


def check_lines(operation: Operation[Any], answer: Answer, lines: list[Event]) -> None:
    """What a call leaves in the trail: one line for each change or refusal, without secrets."""
    actions = [line.action for line in lines]
    if operation.reads:
        assert actions == ([operation.action] if answer.code == "AccessDenied" else [])
    elif answer.code is not None:
        assert len(lines) == 1
        assert actions[0] in {operation.action, *operation.performs}
        assert (lines[0].result, lines[0].message) == (answer.code, answer.message)
    elif operation.performs:
        # One line a part that happens; setting the tags that are there already does nothing and tells nothing.
        # A part with several things it is done to has one for each.
        assert list(dict.fromkeys(actions)) == [action for action in operation.performs if action in actions]
    else:
        assert actions == [operation.action]
    for line in lines:
        assert line.request_id == answer.headers["x-amzn-requestid"]
        assert line.door == "api"
        for name in sensitive_names(operation.model.input):
            assert line.parameters.get(snake(name), shapes.HIDDEN) == shapes.HIDDEN
        told = repr((line.parameters, line.response, line.message, line.resource))
        assert not [secret for secret in SECRETS if secret in told]


def check_answer(operation: Operation[Any], answer: Answer) -> None:
    """No answer shows a secret, but of the operations that issue one."""
    if operation.issues_secret:
        SECRETS.extend(secrets_in(answer))
        return
    if answer.json is None:
        present = {element.tag.rpartition("}")[2] for element in answer.xml.iter()}
    else:
        present = set(re.findall(r'"(\w+)":', answer.body.decode()))
    assert not present & set(sensitive_names(operation.model.output))
    assert not [secret for secret in SECRETS if secret.encode() in answer.body]


def sensitive_names(shape: Shape | None, seen: frozenset[Shape] = frozenset()) -> Iterator[str]:
    """The names of the members of a shape, at every depth, that the model marks sensitive."""
    if shape is None or shape in seen:
        return
    for name, member in {**shape.members, **shape.parts}.items():
        if member.sensitive:
            yield name
        yield from sensitive_names(member, seen | {shape})
