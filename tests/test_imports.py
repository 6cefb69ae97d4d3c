"""Imports point one way: errors <- pure modules <- models <- record <- caller <- asked <- operation <- operations <- doors."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.pure

APPS = ("iamconsole", "accounts", "credentials", "permissions", "audit", "api")
# Each layer may import itself and the layers before it.
LAYERS = [
    ("iamconsole/errors", "iamconsole/configuration", "iamconsole/database", "iamconsole/logs", "iamconsole/looking"),
    (
        "api/sigv4", "api/canonical", "api/shapes", "api/wire", "api/json_wire", "api/question",
        "permissions/wildcard", "permissions/strict_json", "permissions/resources",
        "permissions/conditions", "permissions/language", "permissions/engine", "permissions/reach", "permissions/simulation",
        "permissions/places", "permissions/faults", "permissions/advice", "permissions/statement_form", "permissions/summary",
        "permissions/comparison", "permissions/vocabulary",
        "permissions/actions", "permissions/authorization_files", "permissions/aws_managed", "permissions/excerpt",
        "iamconsole/context_keys", "iamconsole/spreadsheets",
        "credentials/sealing", "credentials/secrets", "credentials/totp", "credentials/token_files", "credentials/qr",
        "credentials/certificates", "credentials/unused/exemption",
        "credentials/ssh/public_keys", "credentials/ssh/authorized_keys",
        "credentials/hashers", "accounts/arns", "accounts/tags", "accounts/fields", "accounts/browsers", "accounts/user_files",
        "accounts/user_queries",
        "credentials/common_passwords", "audit/triggers",
        "iamconsole/settings",
    ),
    ("accounts/models", "credentials/models", "permissions/models", "audit/models", "accounts/sessions", "accounts/quotas",
     "accounts/throttle", "accounts/status", "accounts/job_models", "accounts/list_models", "credentials/mfa/models",
     "credentials/certificate_models", "credentials/reports/models", "credentials/service_credentials",
     "credentials/ssh/models", "credentials/unused/models"),
    ("audit/record", "permissions/compiled", "credentials/access_keys", "credentials/passwords", "credentials/session_tokens",
     "credentials/mfa", "credentials/password_rules", "credentials/sms", "credentials/service_access",
     "credentials/key_rotation", "accounts/jobs", "credentials/reports", "credentials/last_access", "credentials/unused",
     "credentials/security_findings", "permissions/administrators"),
    ("accounts/caller", "accounts/nonces", "accounts/steps", "credentials/steps", "permissions/steps", "accounts/setup_links",
     "credentials/mfa_proof", "permissions/catalogue", "audit/portraits", "audit/verification", "audit/finding",
     "audit/cloudtrail", "audit/exports", "credentials/rotation", "credentials/deactivation"),
    ("iamconsole/asked",),
    ("iamconsole/decided",),
    ("iamconsole/operation", "iamconsole/paging"),
    ("accounts/targets", "credentials/targets", "credentials/certificate_targets",
     "permissions/targets", "permissions/access", "permissions/chained"),
    ("accounts/operations", "credentials/operations", "permissions/operations", "audit/operations"),
]  # fmt: skip
PURE = LAYERS[1][:-1]


def modules() -> list[Path]:
    return [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]


def layer(name: str) -> int:
    """The layer of a module by its path without ending; doors are the last."""
    for number, members in enumerate(LAYERS):
        if any(name == member or name.startswith(f"{member}/") for member in members):
            return number
    return len(LAYERS)


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return names


def test_no_import_runs_back() -> None:
    back = []
    for path in modules():
        name = str(path.relative_to(ROOT).with_suffix("")).removesuffix("/__init__")
        for module in imported(path):
            target = module.replace(".", "/")
            is_ours = target.split("/")[0] in APPS and ((ROOT / f"{target}.py").exists() or (ROOT / target).is_dir())
            if is_ours and "/" in target and layer(target) > layer(name) and path.name != "apps.py":
                back.append(f"{name} imports {module}")
    allowed = {"accounts/models imports accounts.sessions", "iamconsole/site imports accounts.views"}
    assert sorted(set(back) - allowed) == []


def test_the_pure_modules_know_nothing_of_django() -> None:
    for name in PURE:
        if name in ("credentials/hashers", "accounts/fields"):
            continue  # they extend Django's own classes
        names = imported(ROOT / f"{name}.py")
        assert not {module for module in names if module.split(".")[0] == "django"}, name


def test_no_door_opens_a_transaction_or_writes_the_trail() -> None:
    for path in modules():
        if (
            "views" in path.parts
            or path.stem in ("views", "admin", "forms", "site", "pages")
            or "management" in path.parts
        ):
            names = imported(path)
            assert not {"django.db.transaction", "audit.record", "audit.record.record"} & names, path


@pytest.mark.asvs("6.3.4")
def test_sessions_are_made_in_one_place_and_signatures_are_checked_by_one_function() -> None:
    calls = {"auth.login(": [], "sigv4.verify_signature(": [], "signer_of(claim": []}
    for path in modules():
        text = path.read_text()
        for call, places in calls.items():
            places.extend([str(path.relative_to(ROOT))] * text.count(call))
    assert sorted(calls["auth.login("]) == ["accounts/signin/session.py"]
