"""What holds for every operation, the ones of tomorrow too: it is found in the registry, not in a list here."""

import ast
import inspect
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from api.documentation import operations_page
from api.shapes import services, snake
from iamconsole import errors
from iamconsole.errors import Fault
from iamconsole.operation import Operation, every_operation
from permissions.actions import reference_of_iam
from tests.conftest import ROOT, Person
from tests.everything import AT_SIGN_IN, BY_CALLERS, BY_OPERATOR, furnish, invent, parameters, without_names
from tests.raw import run
from tests.rows import events_of, rows_of

pytestmark = pytest.mark.pure

APPS = ("iamconsole", "accounts", "credentials", "permissions", "audit", "api")
SOURCES = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]
FAULTS = [
    each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, Fault) and each is not Fault
]
# What AWS answers for every service of the Query protocol, beside what the models of IAM and STS list.
# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html, and recorded answers of IAM
COMMON = {
    "AccessDenied": 403,
    "ExpiredToken": 403,
    "IncompleteSignature": 400,
    "InternalFailure": 500,
    "InvalidAction": 400,
    "InvalidClientTokenId": 403,
    "MalformedInput": 400,
    "MissingAction": 400,
    "MissingAuthenticationToken": 403,
    "RequestEntityTooLarge": 413,
    "ServiceUnavailable": 503,
    "SignatureDoesNotMatch": 403,
    "Throttling": 400,
    "ValidationError": 400,
}
OUR_OWN = {
    "AlreadyShown",  # only the console has forms that show a secret once
    "InvalidServiceToken",  # only the verifier door has such tokens
    "SudoRequired",  # only the console has sessions
}
WRITERS = {
    "accounts/setup_links.py",
    "accounts/signin/session.py",
    "accounts/signin/who.py",
    "api/authenticate.py",
    "audit/record.py",
    "iamconsole/operation.py",
}
# Everybody may do them in the console, and nobody by a long-term key alone.
NOT_BY_KEY = {"iamconsole:EndOtherSessions", "iamconsole:EndOwnSession"}
RECORDING = {"record", "record_all", "record_alone", "record_unauthenticated"}


def members_of(operation: Operation[Any]) -> set[str]:
    return {snake(name) for name in (operation.model.input.members if operation.model.input else ())}


# Against the model


def test_an_operation_takes_members_of_its_model_and_no_entity_from_outside(
    alice: Person, trudy: Person, subtests: Any
) -> None:
    before = len(events_of(alice.account_id))
    for operation in every_operation():
        with subtests.test(operation.action):
            assert operation.name in services()[operation.service].operations
            handed_over = operation.accepts - members_of(operation)
            handed = {"user", "account", "key", "root", "principal", "event", "group", "policy", "access", "device"}
            handed |= {"certificate", "generated", "head", "service_credential", "credential", "deactivation"}
            assert handed_over <= handed
            required = {snake(name) for name in (operation.model.input.required if operation.model.input else ())}
            assert required <= operation.accepts
            for entity in handed_over:
                with pytest.raises(TypeError):
                    operation(alice.caller, **{entity: trudy.user})
    assert len(events_of(alice.account_id)) == before


def test_every_fault_is_an_error_of_aws_with_its_status() -> None:
    listed: dict[str, set[int]] = {code: {status} for code, status in COMMON.items()}
    for service in ("iam", "sts", "cloudtrail"):
        for model in services()[service].operations.values():
            for code, status in model.errors.items():
                listed.setdefault(code, set()).add(status)
    ours = {fault.__name__: {fault.status} for fault in FAULTS if fault.__name__ not in OUR_OWN}
    assert ours == {code: listed.get(code) for code in ours}


def test_every_fault_is_raised_somewhere_and_nothing_else_is_raised_in_operations() -> None:
    raised: set[str] = set()
    strange = []
    codes = {fault.__name__ for fault in FAULTS}
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        raised |= {name.id for name in ast.walk(tree) if isinstance(name, ast.Name)} & codes
        if "operations" in path.parts:
            for node in ast.walk(tree):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                    name = node.exc.func.id if isinstance(node.exc.func, ast.Name) else ast.unparse(node.exc.func)
                    strange += [f"{path}: {name}"] if name not in codes else []
    assert raised == codes
    assert strange == []


def test_our_own_model_lists_our_faults_with_their_status() -> None:
    statuses = {fault.__name__: fault.status for fault in FAULTS}
    for model in services()["iamconsole"].operations.values():
        assert model.errors == {code: statuses.get(code) for code in model.errors}


def test_an_operation_declares_the_context_keys_of_awss_service_authorization_reference(subtests: Any) -> None:
    for operation in every_operation():
        if operation.service == "iam":
            with subtests.test(operation.action):
                listed = reference_of_iam()[operation.name]
                assert sorted(operation.keys) == sorted([*listed["keys"], *listed["resource_keys"]])


# Who may


def test_mallory_is_denied_in_the_same_words_whether_or_not_it_exists(
    root: Person, mallory: Person, server: Path, subtests: Any
) -> None:
    existing, invented = furnish(root), invent(root)
    before = rows_of(root.account_id)
    for operation in BY_CALLERS:
        with subtests.test(operation.action):
            messages = []
            for values in (existing, invented):
                given = parameters(operation, values)
                answer = run(mallory, operation.model, given)
                refused = 400 if services()[operation.service].target_prefix else 403  # the JSON wire knows no 403
                may = operation.public and operation.action not in NOT_BY_KEY
                assert (answer.status, answer.code) == ((200, None) if may else (refused, "AccessDenied"))
                messages.append("" if may else without_names(answer.message, given))
            assert messages[0] == messages[1]
    after = rows_of(root.account_id)
    recorded = 2 * sum(not (each.public and each.reads) for each in BY_CALLERS)
    assert len(after.pop("Event")) - len(before.pop("Event")) == recorded
    own = {view["user_id"] for view in after.pop("UserListView")}  # how one's own list looks is one's own
    assert (own, before.pop("UserListView")) == ({mallory.user.pk}, [])
    for key in before["AccessKey"] + after["AccessKey"]:
        del key["last_used_date"], key["last_used_service"], key["last_used_region"], key["last_used_address"]
    assert after == before


def test_no_caller_however_mighty_does_what_the_operator_does(
    root: Person, alice: Person, server: Path, subtests: Any
) -> None:
    existing, invented = furnish(root), invent(root)
    for operation in BY_OPERATOR:
        with subtests.test(operation.action):
            for person in (root, alice):
                for values in (existing, invented):
                    answer = run(person, operation.model, parameters(operation, values))
                    assert (answer.status, answer.code) == (403, "AccessDenied")
                    assert answer.message == f"{operation.action} is for the operator of the installation."


def test_no_caller_however_mighty_does_what_a_user_half_way_in_does(
    root: Person, alice: Person, server: Path, subtests: Any
) -> None:
    existing, invented = furnish(root), invent(root)
    for operation in AT_SIGN_IN:
        with subtests.test(operation.action):
            for person in (root, alice):
                for values in (existing, invented):
                    answer = run(person, operation.model, parameters(operation, values))
                    assert (answer.status, answer.code) == (403, "AccessDenied")
                    assert answer.message == f"{operation.action} is for a user half-way in at sign-in."


# What it leaves and what it says


def test_only_operations_and_authentication_write_the_trail() -> None:
    writers = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "audit.record":
                writers |= {str(path.relative_to(ROOT))} if RECORDING & {alias.name for alias in node.names} else set()
            elif isinstance(node, ast.Import | ast.ImportFrom):
                modules = {alias.name for alias in node.names} | {getattr(node, "module", None)}
                assert not modules & {"audit.record"}, f"{path} can write the trail by the module's name"
            elif isinstance(node, ast.Attribute) and node.attr in RECORDING:
                pytest.fail(f"{path} writes the trail by an attribute")
    assert writers == WRITERS - {"audit/record.py"}


def test_djangos_own_log_of_changes_is_empty() -> None:
    assert not LogEntry.objects.exists()


def test_the_page_of_operations_is_up_to_date() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    assert page == operations_page(), "run manage.py document_operations"
    for operation in every_operation():
        assert f"| {operation.name} |" in page
