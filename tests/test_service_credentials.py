"""Service-specific credentials: AWS's five operations through its clients, and what they prove at the verifier."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.operations.suspension import reactivate_user, suspend_user
from accounts.operations.users import update_user
from credentials import rotation
from credentials.operations.service_credentials import create_service_specific_credential
from credentials.sealing import KeyRing
from credentials.service_credentials import GIT, ServiceSpecificCredential
from permissions.operations.inline import put_user_policy
from tests.aws_cli import aws
from tests.browser import nonce_in, signed_in
from tests.conftest import SECRETS, Person, allow, make_account, make_user
from tests.everything import new_target
from tests.faults import fault_of
from tests.test_console_search import text
from tests.test_races import MANY, at_once, clients, codes
from tests.test_verifier import issue, scarce

__all__ = ["scarce"]
CASSANDRA, BEDROCK, LOGS = "cassandra.amazonaws.com", "bedrock.amazonaws.com", "logs.amazonaws.com"
SINCE = ("ServiceSpecificCredentialId", "UserName", "ServiceName", "Status", "CreateDate")


@pytest.fixture
def dave(iam: Any) -> str:
    return str(iam.create_user(UserName="dave")["User"]["UserName"])


def make(iam: Any, user_name: str, service_name: str = GIT, **parameters: Any) -> dict[str, Any]:
    """A new credential as boto3 has it, its secret known to the canary."""
    answer = iam.create_service_specific_credential(UserName=user_name, ServiceName=service_name, **parameters)
    made: dict[str, Any] = answer["ServiceSpecificCredential"]
    SECRETS.append(made.get("ServicePassword") or made["ServiceCredentialSecret"])
    return made


# AWS's operations


def test_a_password_is_made_listed_reset_switched_and_deleted(iam: Any, root: Person, dave: str) -> None:
    made = make(iam, dave)
    assert made["ServiceSpecificCredentialId"].startswith("ACCA")
    assert len(made["ServiceSpecificCredentialId"]) == 21
    assert made["ServiceUserName"] == f"dave-at-{root.account_id}"
    assert (made["Status"], made["ServiceName"]) == ("Active", GIT)
    assert not {"ExpirationDate", "ServiceCredentialAlias", "ServiceCredentialSecret"} & made.keys()
    one = {"UserName": dave, "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    told = {name: made[name] for name in (*SINCE, "ServiceUserName")}
    assert iam.list_service_specific_credentials(UserName=dave)["ServiceSpecificCredentials"] == [told]
    again = iam.reset_service_specific_credential(**one)["ServiceSpecificCredential"]
    SECRETS.append(again["ServicePassword"])
    assert again.pop("ServicePassword") != made["ServicePassword"]
    assert again == told
    iam.update_service_specific_credential(**one, Status="Inactive")
    [listed] = iam.list_service_specific_credentials(UserName=dave)["ServiceSpecificCredentials"]
    assert listed == told | {"Status": "Inactive"}
    assert fault_of(iam.update_service_specific_credential, **one, Status="Expired")[0] == "InvalidInput"
    conflict = "Cannot delete entity, must remove referenced objects first."
    assert fault_of(iam.delete_user, UserName=dave)[::2] == ("DeleteConflict", conflict)
    iam.delete_service_specific_credential(**one)
    gone = ("NoSuchEntity", 404, f"No such credential {made['ServiceSpecificCredentialId']} exists")
    for call in (iam.delete_service_specific_credential, iam.reset_service_specific_credential):
        assert fault_of(call, **one) == gone
    iam.delete_user(UserName=dave)


@pytest.mark.parametrize(("service_name", "prefix"), [(BEDROCK, "ABSK"), (LOGS, "ACWL")])
def test_an_api_key_has_an_alias_an_end_and_a_secret_that_names_it(
    iam: Any, dave: str, service_name: str, prefix: str
) -> None:
    made = make(iam, dave, service_name, CredentialAgeDays=30)
    alias, secret = made["ServiceCredentialAlias"], made["ServiceCredentialSecret"]
    assert made["ExpirationDate"] - made["CreateDate"] == timedelta(days=30)
    assert not {"ServiceUserName", "ServicePassword"} & made.keys()
    assert b64decode(secret.removeprefix(prefix)).decode().startswith(f"{alias}:")
    named = {"UserName": dave, "ServiceName": service_name}
    [listed] = iam.list_service_specific_credentials(**named)["ServiceSpecificCredentials"]
    assert listed == {name: made[name] for name in (*SINCE, "ServiceCredentialAlias", "ExpirationDate")}
    assert "ExpirationDate" not in make(iam, dave, service_name)


@pytest.mark.asvs("2.3.2")
def test_a_user_holds_two_of_each_service_and_all_users_are_listed_in_pages(
    iam: Any, root: Person, dave: str, trudy: Person
) -> None:
    make(trudy.client(), "trudy")
    names = [make(iam, dave)["ServiceUserName"] for _ in range(2)]
    assert names == [f"dave-at-{root.account_id}", f"dave+1-at-{root.account_id}"]
    full = ("LimitExceeded", 409, "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2")
    assert fault_of(iam.create_service_specific_credential, UserName=dave, ServiceName=GIT) == full
    make(iam, dave, CASSANDRA)
    make(iam, "alice")
    pages = []
    marker: dict[str, str] = {}
    while not pages or pages[-1]["IsTruncated"]:
        pages.append(iam.list_service_specific_credentials(AllUsers=True, MaxItems=3, **marker))
        marker = {"Marker": pages[-1].get("Marker", "")}
    assert [len(page["ServiceSpecificCredentials"]) for page in pages] == [3, 1]
    found = [each for page in pages for each in page["ServiceSpecificCredentials"]]
    assert [each["UserName"] for each in found] == ["dave", "dave", "dave", "alice"]
    of_git = iam.list_service_specific_credentials(AllUsers=True, ServiceName=GIT)["ServiceSpecificCredentials"]
    assert [each["UserName"] for each in of_git] == ["dave", "dave", "alice"]


def test_what_cannot_be_is_refused_in_words(iam: Any, root: Person, dave: str, mallory: Person) -> None:
    unknown = "No such service s3.amazonaws.com is supported for Service Specific Credentials"
    create = iam.create_service_specific_credential
    assert fault_of(create, UserName=dave, ServiceName="s3.amazonaws.com") == ("NoSuchEntity", 404, unknown)
    assert fault_of(create, UserName=dave, ServiceName=GIT, CredentialAgeDays=9)[0] == "ValidationError"
    assert fault_of(create, UserName="nobody", ServiceName=GIT)[0] == "NoSuchEntity"
    both = {"UserName": dave, "AllUsers": True}
    assert fault_of(iam.list_service_specific_credentials, **both)[0] == "ValidationError"
    make(iam, dave)
    theirs = mallory.client()
    put_user_policy(
        root.caller,
        user_name="mallory",
        policy_name="own",
        policy_document=allow(
            "iam:*ServiceSpecificCredential*", resource=f"arn:aws:iam::{root.account_id}:user/mallory"
        ),
    )
    make(theirs, "mallory")
    for refused in ({"UserName": dave}, {"AllUsers": True}):
        assert fault_of(theirs.list_service_specific_credentials, **refused)[0] == "AccessDenied"


def test_another_users_credential_is_not_there(iam: Any, dave: str) -> None:
    made = make(iam, "alice")
    one = {"UserName": dave, "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    for call, more in (
        (iam.update_service_specific_credential, {"Status": "Inactive"}),
        (iam.reset_service_specific_credential, {}),
        (iam.delete_service_specific_credential, {}),
    ):
        assert fault_of(call, **one, **more)[0] == "NoSuchEntity"
    [listed] = iam.list_service_specific_credentials(UserName="alice")["ServiceSpecificCredentials"]
    assert listed["Status"] == "Active"


def test_the_aws_cli_does_all_five(iam: Any, alice: Person, dave: str) -> None:
    cli = partial(aws, alice, "iam")
    user = ("--user-name", dave)
    made = cli("create-service-specific-credential", *user, "--service-name", BEDROCK, "--credential-age-days", "9")
    made = made["ServiceSpecificCredential"]
    one = (*user, "--service-specific-credential-id", made["ServiceSpecificCredentialId"])
    again = cli("reset-service-specific-credential", *one)["ServiceSpecificCredential"]
    SECRETS.extend(each["ServiceCredentialSecret"] for each in (made, again))
    assert again["ServiceCredentialSecret"] != made["ServiceCredentialSecret"]
    cli("update-service-specific-credential", *one, "--status", "Inactive")
    listed = cli("list-service-specific-credentials", "--all-users")["ServiceSpecificCredentials"]
    assert [each["Status"] for each in listed] == ["Inactive"]
    cli("delete-service-specific-credential", *one)
    assert cli("list-service-specific-credentials", *user)["ServiceSpecificCredentials"] == []


def test_no_third_credential_however_many_ask_at_once(root: Person, alice: Person, server: Path) -> None:
    each = clients(alice)
    new_target(root, "dave")
    answers = at_once(
        [lambda iam=iam: iam.create_service_specific_credential(UserName="dave", ServiceName=GIT) for iam in each]
    )
    made = [each["ServiceSpecificCredential"] for each in answers if not isinstance(each, str)]
    SECRETS.extend(each["ServicePassword"] for each in made)
    assert codes(answers) == {"done": 2, "LimitExceeded": MANY - 2}
    assert ServiceSpecificCredential.objects.filter(user__account=root.account_id).count() == 2
    assert len({each["ServiceUserName"] for each in made}) == 2


# At the verifier, without a server


class Desk:
    """dave, a credential of a service, and a gateway that asks whether he may do ``action``."""

    def __init__(self, root: Person, service_name: str = GIT, **parameters: Any) -> None:
        self.root = root
        self.action = {GIT: "codecommit:GitPull", BEDROCK: "bedrock:InvokeModel"}[service_name]
        make_user(root, "dave", allow(self.action))
        make_user(root, "gateway", allow("iamconsole:Authorize"))
        self.token = issue(root, "gateway")[1]
        issued = create_service_specific_credential(
            root.caller, user_name="dave", service_name=service_name, **parameters
        )
        self.credential, [self.secret] = issued.entity, issued.secret.values()
        SECRETS.append(self.secret)

    def header(self, secret: str | None = None) -> str:
        """What dave's client sends."""
        if self.credential.service.key_prefix:
            return f"Bearer {secret or self.secret}"
        return f"Basic {b64encode(f'{self.credential.name}:{secret or self.secret}'.encode()).decode()}"

    def answer(self, authorization: str | None = None, **changes: str) -> Any:
        """What the gateway is told."""
        headers = {
            "Authorization": authorization or self.header(),
            "X-Iamconsole-Token": self.token,
            "X-Original-Method": "GET",
            "X-Original-URI": "/v1/repos/site",
            "X-Original-Host": "git.example.org",
            "X-Original-Address": "192.0.2.7",
            "X-Iamconsole-Action": self.action,
            "X-Iamconsole-Resource": f"arn:aws:codecommit:us-east-1:{self.root.account_id}:site",
            "Host": "localhost",
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        return Client().get("/authorize", headers=headers)

    def accepted(self) -> bool:
        """Whether the credential counts."""
        answer = self.answer()
        assert answer.status_code == 200 or answer["X-Iamconsole-Error"] == "InvalidClientTokenId"
        return bool(answer.status_code == 200)


@pytest.mark.parametrize("service_name", [GIT, BEDROCK])
def test_the_verifier_says_whose_it_is_and_asks_for_it_in_its_scheme(root: Person, service_name: str) -> None:
    desk = Desk(root, service_name)
    answer = desk.answer()
    assert answer["X-Iamconsole-User-Name"] == "dave"
    assert answer["X-Iamconsole-Access-Key-Id"] == desk.credential.service_specific_credential_id
    refused = desk.answer(desk.header("wrong"))
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"].startswith("Bearer" if desk.credential.service.key_prefix else "Basic")
    crossed = desk.answer(X_Iamconsole_Action="logs:PutLogEvents")
    assert crossed.status_code == 401


@pytest.mark.asvs("7.4.2")
@pytest.mark.parametrize("service_name", [GIT, BEDROCK])
def test_who_is_suspended_is_refused_at_once_and_comes_back(root: Person, service_name: str) -> None:
    desk = Desk(root, service_name)
    assert desk.accepted()
    suspend_user(root.caller, user_name="dave")
    assert not desk.accepted()
    reactivate_user(root.caller, user_name="dave")
    assert desk.accepted()


def test_an_api_key_ends_by_the_clock_and_says_so(root: Person) -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    with time_machine.travel(start, tick=False) as clock:
        desk = Desk(root, BEDROCK, credential_age_days=1)
        clock.shift(timedelta(days=1, seconds=-1))
        assert desk.accepted()
        assert desk.credential.status == "Active"
        clock.shift(timedelta(seconds=1))
        assert not desk.accepted()
        assert desk.credential.status == "Expired"


def test_the_name_stays_when_the_user_is_renamed(root: Person) -> None:
    desk = Desk(root)
    update_user(root.caller, user_name="dave", new_user_name="david")
    assert desk.answer()["X-Iamconsole-User-Name"] == "david"


def test_it_costs_two_queries_like_a_signature(root: Person) -> None:
    desk = Desk(root)
    desk.answer()
    with CaptureQueriesContext(connection) as captured:
        assert desk.accepted()
    assert [query["sql"].split()[0] for query in captured.captured_queries] == ["SELECT", "SELECT"]


@pytest.mark.parametrize(
    "authorization",
    ["Basic", "Basic !", "Basic " + b64encode(b"\xff:x").decode(), "Basic " + b64encode(b"no colon").decode()],
)
def test_what_is_no_credential_proves_nothing(root: Person, authorization: str) -> None:
    assert Desk(root).answer(authorization).status_code == 401


def test_who_guesses_is_slowed_and_shuts_out_nobody_else(root: Person, scarce: None) -> None:
    desk = Desk(root)
    assert desk.accepted()
    wrong = f"Basic {b64encode(f'nobody-at-{root.account_id}:x'.encode()).decode()}"
    assert desk.answer(wrong).status_code == 401
    slowed = desk.answer(wrong)
    assert (slowed.status_code, slowed["X-Iamconsole-Error"]) == (429, "Throttling")
    assert desk.accepted()
    assert desk.answer(wrong, X_Original_Address="192.0.2.8").status_code == 401


def test_a_password_typed_as_the_name_does_not_get_into_the_trail(root: Person) -> None:
    from audit.models import INSTALLATION
    from tests.rows import events_of

    desk = Desk(root)
    swapped = b64encode(f"{desk.secret}:dave".encode()).decode()
    assert desk.answer(f"Basic {swapped}").status_code == 401
    told = [event.access_key_id for event in events_of(INSTALLATION)]
    assert told
    assert desk.secret not in told


# Under another encryption key


def test_a_use_after_a_rotation_makes_the_older_key_needless(root: Person, settings: Any) -> None:
    desk, unused = Desk(root), make_account()
    make_user(unused, "erin")
    left = create_service_specific_credential(unused.caller, user_name="erin", service_name=GIT)
    SECRETS.append(left.secret["service_password"])
    older = settings.KEY_RING
    settings.KEY_RING = KeyRing((("newer", b"n" * 32), *older.keys))
    before = desk.credential.secret_digest
    since = datetime.now(UTC)
    assert desk.accepted()
    desk.credential.refresh_from_db()
    assert desk.credential.secret_digest != before
    assert desk.credential.digest_date > since
    names = set(rotation._old_credentials(since).values_list("name", flat=True))
    assert left.entity.name in names
    assert desk.credential.name not in names
    settings.KEY_RING = KeyRing((("newer", b"n" * 32),))
    assert desk.accepted()
    assert not left.entity.proves(left.secret["service_password"])


def test_a_reset_leaves_nothing_to_the_older_key(root: Person) -> None:
    desk = Desk(root)
    ServiceSpecificCredential.objects.update(digest_date=datetime(2026, 1, 1, tzinfo=UTC))
    since = datetime.now(UTC)
    desk.credential.reset()
    assert desk.credential.name not in set(rotation._old_credentials(since).values_list("name", flat=True))


# On the pages


@pytest.mark.parametrize(
    ("git_url", "address"),
    [
        ("", "https://dave-at-{}@git.example.org/v1/repos/NAME"),
        ("https://git.acme.example", "https://dave-at-{}@git.acme.example/v1/repos/NAME"),
    ],
)
def test_the_page_that_shows_a_password_once_has_the_command_that_uses_it(
    root: Person, settings: Any, git_url: str, address: str
) -> None:
    settings.GIT_URL = git_url
    new_target(root, "dave")
    client = signed_in(root)
    page = "/console/accounts/user/dave/service-credentials/create/"
    form = {"nonce": nonce_in(client.get(page)), "service_name": GIT, "credential_age_days": ""}
    shown: Any = client.post(page, form)
    SECRETS.append(shown.context["secret"])
    assert shown["Cache-Control"] == "no-store"
    assert address.format(root.account_id) in text(shown)
    assert ("put the host of your Git server" in text(shown)) is (git_url == "")
    again: Any = client.post(page, form)
    assert again.status_code == 409
    assert shown.context["secret"] not in str(again.content)
    listed = client.get("/console/accounts/user/dave/change/?tab=credentials")
    assert f"dave-at-{root.account_id}" in text(listed)
    assert shown.context["secret"] not in str(listed.content)


def test_an_expired_api_key_is_not_reset_but_deleted(root: Person, iam: Any) -> None:
    new_target(root, "dave")
    made = create_service_specific_credential(
        root.caller, user_name="dave", service_name=BEDROCK, credential_age_days=1
    )
    SECRETS.extend(made.secret.values())
    kept, one = made.entity, {"UserName": "dave", "ServiceSpecificCredentialId": str(made.entity)}
    said = f"The credential {kept} has expired, and a new secret of it would not be accepted. Delete it and create another."
    ServiceSpecificCredential.objects.filter(pk=kept.pk).update(expiration_date=datetime.now(UTC))
    assert fault_of(iam.reset_service_specific_credential, **one) == ("InvalidInput", 400, said)
    client, place = signed_in(root), "/console/accounts/user/dave"
    listed = text(client.get(f"{place}/change/?tab=credentials"))
    assert "Expired: delete it and create another" in listed
    for action in ("Deactivate", "Reset"):
        assert f"{action} {kept.name}" not in listed
    page = f"{place}/service-credentials/{kept}/reset/"
    assert "would not be accepted. Delete it and create another credential." in text(client.get(page))
    assert '<button type="submit" class="button danger' not in client.get(page).content.decode()
    nonce = nonce_in(client.get(f"{place}/service-credentials/create/"))
    assert said in text(client.post(page, {"nonce": nonce}))
    digest = kept.secret_digest
    kept.refresh_from_db()
    assert kept.secret_digest == digest
    iam.delete_service_specific_credential(**one)
