"""Git over HTTPS: a real git through nginx and fcgiwrap, with a service-specific credential of IAM."""

import http.client
import json
import shutil
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accounts.operations.whole_users import delete_user_with_credentials
from credentials.operations.service_credentials import (
    create_service_specific_credential,
    delete_service_specific_credential,
    reset_service_specific_credential,
    update_service_specific_credential,
)
from credentials.service_credentials import GIT, ServiceSpecificCredential
from permissions.operations.inline import put_user_policy
from tests.conftest import SECRETS, Person, allow, make_account, make_user
from tests.gateway import versions_of_tls
from tests.git_host import Host, git, git_host
from tests.test_verifier import issue

pytestmark = [
    pytest.mark.pure,
    pytest.mark.skipif(
        not all(map(shutil.which, ("nginx", "fcgiwrap", "git"))), reason="nginx, fcgiwrap or git is not installed"
    ),
]
PULL, PUSH = "codecommit:GitPull", "codecommit:GitPush"


@dataclass(frozen=True)
class Stage:
    """An account whose repository ``site`` is behind nginx."""

    root: Person
    host: Host

    def site(self) -> str:
        """The repository as policies name it."""
        return f"arn:aws:codecommit:us-east-1:{self.root.account_id}:site"


@pytest.fixture(scope="module")
def stage(server: Path, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with django_db_blocker.unblock():
        root = make_account()
        make_user(root, "gateway", allow("iamconsole:Authorize"))
        token = issue(root, "gateway")[1]
        with git_host(tmp_path_factory.mktemp("git"), token, root) as host:
            yield Stage(root, host)


def credential_for(
    stage: Stage, user_name: str, *actions: str, service_name: str = GIT
) -> tuple[ServiceSpecificCredential, str]:
    """A new user who may do the actions on ``site``, with a credential for Git and its password."""
    make_user(stage.root, user_name, allow(*actions, resource=stage.site()) if actions else None)
    issued = create_service_specific_credential(stage.root.caller, user_name=user_name, service_name=service_name)
    password = next(iter(issued.secret.values()))
    SECRETS.append(password)
    return issued.entity, password


def sees(stage: Stage, name: str, password: str, folder: Path) -> bool:
    """Whether git lists the repository with them."""
    done = stage.host.git(folder, "ls-remote", stage.host.url(name, password))
    assert done.returncode == 0 or "Authentication failed" in done.stderr, done.stderr
    return done.returncode == 0


@pytest.mark.asvs("6.5.1")
def test_git_clones_commits_and_pushes_with_a_service_specific_credential(stage: Stage, tmp_path: Path) -> None:
    credential, password = credential_for(stage, "alice", PULL, PUSH)
    url = stage.host.url(credential.name, password)
    assert stage.host.git(tmp_path, "clone", url, "work").returncode == 0
    (tmp_path / "work/page").write_text("hello " * 400_000)  # more than one post of git's
    assert stage.host.git(tmp_path / "work", "add", "page").returncode == 0
    assert stage.host.git(tmp_path / "work", "commit", "-m", "A page").returncode == 0
    pushed = stage.host.git(tmp_path / "work", "push", "origin", "HEAD:main")
    assert pushed.returncode == 0, pushed.stderr
    assert stage.host.git(tmp_path, "clone", "-b", "main", f"{url}.git", "again").returncode == 0
    assert (tmp_path / "again/page").read_text().startswith("hello")
    credential.refresh_from_db()
    assert credential.last_used_date is not None
    assert credential.last_used_address == "127.0.0.1"


@pytest.mark.asvs("12.1.1")
def test_a_password_goes_over_modern_tls_alone_to_who_has_the_certificate(stage: Stage, tmp_path: Path) -> None:
    credential, password = credential_for(stage, "careful", PULL)
    url = stage.host.url(credential.name, password)
    assert stage.host.git(tmp_path, "ls-remote", url).returncode == 0
    stranger = git(tmp_path, "ls-remote", url)
    assert stranger.returncode != 0
    assert "certificate" in stranger.stderr
    plain = git(tmp_path, "ls-remote", url.replace("https://", "http://"))
    assert plain.returncode != 0
    assert "400" in plain.stderr
    port = int(stage.host.address.rpartition(":")[2])
    assert versions_of_tls(port, stage.host.authority) == {"TLSv1.2", "TLSv1.3"}


def test_a_condition_on_secure_transport_is_met(stage: Stage, tmp_path: Path) -> None:
    credential, password = credential_for(stage, "secure")
    for wanted, seen in (("false", False), ("true", True)):
        policy = json.loads(allow(PULL, resource=stage.site()))
        policy["Statement"][0]["Condition"] = {"Bool": {"aws:SecureTransport": wanted}}
        put_user_policy(stage.root.caller, user_name="secure", policy_name="pull", policy_document=json.dumps(policy))
        listed = stage.host.git(tmp_path, "ls-remote", stage.host.url(credential.name, password))
        assert (listed.returncode == 0) is seen


def test_git_asks_for_the_password_and_a_credential_helper_gives_it(stage: Stage, tmp_path: Path) -> None:
    credential, password = credential_for(stage, "asked", PULL)
    host = stage.host.address.removeprefix("https://")
    (tmp_path / ".git-credentials").write_text(f"https://{credential.name}:{password}@{host}\n")
    (tmp_path / ".git-credentials").chmod(0o600)
    bare = stage.host.git(tmp_path, "ls-remote", stage.host.url())
    assert bare.returncode != 0
    assert "could not read Username" in bare.stderr
    assert stage.host.git(tmp_path, "config", "--global", "credential.helper", "store").returncode == 0
    assert stage.host.git(tmp_path, "ls-remote", stage.host.url()).returncode == 0


@pytest.mark.asvs("8.2.1")
def test_who_may_not_push_clones_and_does_not_push(stage: Stage, tmp_path: Path) -> None:
    credential, password = credential_for(stage, "reader", PULL)
    assert stage.host.git(tmp_path, "clone", stage.host.url(credential.name, password), "work").returncode == 0
    assert stage.host.git(tmp_path / "work", "commit", "--allow-empty", "-m", "Mine").returncode == 0
    before = stage.host.git(stage.host.folder / "site.git", "for-each-ref").stdout
    pushed = stage.host.git(tmp_path / "work", "push", "origin", "HEAD:refs/heads/mine")
    assert pushed.returncode != 0
    assert "403" in pushed.stderr
    assert stage.host.git(stage.host.folder / "site.git", "for-each-ref").stdout == before
    put_user_policy(
        stage.root.caller, user_name="reader", policy_name="push", policy_document=allow(PUSH, resource=stage.site())
    )
    assert stage.host.git(tmp_path / "work", "push", "origin", "HEAD:refs/heads/mine").returncode == 0


def test_who_may_do_nothing_sees_nothing(stage: Stage, tmp_path: Path) -> None:
    credential, password = credential_for(stage, "mallory")
    refused = stage.host.git(tmp_path, "ls-remote", stage.host.url(credential.name, password))
    assert refused.returncode != 0
    assert "403" in refused.stderr


def test_reset_kills_the_old_password_at_once(stage: Stage, tmp_path: Path) -> None:
    credential, old = credential_for(stage, "reset", PULL)
    assert sees(stage, credential.name, old, tmp_path)
    issued = reset_service_specific_credential(
        stage.root.caller,
        user_name="reset",
        service_specific_credential_id=credential.service_specific_credential_id,
    )
    new = issued.secret["service_password"]
    SECRETS.append(new)
    assert not sees(stage, credential.name, old, tmp_path)
    assert sees(stage, credential.name, new, tmp_path)


def test_inactive_deleted_and_of_a_deleted_user_it_counts_for_nothing(stage: Stage, tmp_path: Path) -> None:
    credential, password = credential_for(stage, "leaver", PULL)
    other = create_service_specific_credential(stage.root.caller, user_name="leaver", service_name=GIT)
    SECRETS.append(other.secret["service_password"])
    one = {"user_name": "leaver", "service_specific_credential_id": credential.service_specific_credential_id}
    for status, good in (("Inactive", False), ("Active", True)):
        update_service_specific_credential(stage.root.caller, status=status, **one)
        assert sees(stage, credential.name, password, tmp_path) is good
    delete_service_specific_credential(stage.root.caller, **one)
    assert not sees(stage, credential.name, password, tmp_path)
    assert sees(stage, other.entity.name, other.secret["service_password"], tmp_path)
    delete_user_with_credentials(stage.root.caller, user_name="leaver")
    assert not sees(stage, other.entity.name, other.secret["service_password"], tmp_path)


def test_what_is_of_another_user_account_or_service_is_refused(stage: Stage, tmp_path: Path) -> None:
    mine, password = credential_for(stage, "carol", PULL)
    other, others = credential_for(stage, "dan", PULL)
    cassandra, of_cassandra = credential_for(stage, "erin", PULL, service_name="cassandra.amazonaws.com")
    elsewhere = make_account()
    make_user(elsewhere, "trudy", allow(PULL))
    trudys = create_service_specific_credential(elsewhere.caller, user_name="trudy", service_name=GIT)
    SECRETS.append(trudys.secret["service_password"])
    assert sees(stage, mine.name, password, tmp_path)
    for name, secret in (
        (mine.name, others),
        (other.name, password),
        (cassandra.name, of_cassandra),
        (trudys.entity.name, trudys.secret["service_password"]),
        (mine.name, ""),
        (mine.name.upper(), password),
        ("carol", password),
        (f"nobody-at-{stage.root.account_id}", password),
    ):
        assert not sees(stage, name, secret, tmp_path)


def test_a_digest_moved_to_another_row_proves_nothing(stage: Stage, tmp_path: Path) -> None:
    mine, password = credential_for(stage, "moved", PULL)
    target, own = credential_for(stage, "target", PULL)
    digest = target.secret_digest
    ServiceSpecificCredential.objects.filter(pk=target.pk).update(secret_digest=mine.secret_digest)
    assert not sees(stage, target.name, password, tmp_path)
    ServiceSpecificCredential.objects.filter(pk=target.pk).update(secret_digest=digest)
    assert sees(stage, target.name, own, tmp_path)


def test_nothing_but_gits_own_requests_reaches_git(stage: Stage) -> None:
    """Two services in one query, the old protocol's plain files, other repositories' spellings, paths that climb."""
    credential, password = credential_for(stage, "curious", PULL, PUSH)
    basic = b64encode(f"{credential.name}:{password}".encode()).decode()
    host = stage.host.address.removeprefix("https://")
    trusting = ssl.create_default_context(cafile=stage.host.authority)

    def status(method: str, target: str) -> int:
        with closing(http.client.HTTPSConnection(host, timeout=120, context=trusting)) as connection:
            connection.request(method, target, headers={"Authorization": f"Basic {basic}"})
            with connection.getresponse() as answer:
                return answer.status

    at = "/v1/repos/site"
    assert status("GET", f"{at}/info/refs?service=git-upload-pack") == 200
    assert status("GET", "/v1/repos/other/info/refs?service=git-upload-pack") == 403
    for method, target in (
        ("GET", f"{at}/info/refs"),
        ("GET", f"{at}/info/refs?service=git-upload-pack&service=git-receive-pack"),
        ("GET", f"{at}/info/refs?service=git-upload-archive"),
        ("GET", f"{at}/info/refs?%73ervice=git-receive-pack"),
        ("GET", f"{at}/HEAD"),
        ("GET", f"{at}/objects/info/packs"),
        ("GET", f"{at}.git/config"),
        ("POST", f"{at}/git-upload-archive"),
        ("POST", f"{at}/git-upload-pack?x=1"),
        ("PUT", f"{at}/git-receive-pack"),
        ("GET", f"{at}.git.git/info/refs?service=git-upload-pack"),
        ("GET", f"{at}.git.git.git/info/refs?service=git-upload-pack"),
        ("GET", "/v1/repos/.git/info/refs?service=git-upload-pack"),
        ("GET", "/v1/repos/a/../../site/info/refs?service=git-upload-pack"),
        ("GET", "/v1/repos/%2e%2e%2fsite/info/refs?service=git-upload-pack"),
        ("GET", "/v1/repos/si%0ate/info/refs?service=git-upload-pack"),
        ("GET", "/site/info/refs?service=git-upload-pack"),
    ):
        assert status(method, target) in (400, 403), target
