"""The verifier door: a store behind a real nginx with real clients, and a service that asks in JSON.

The gateway is a user of alice's account with a service token. alice may read and write below files/alice/, but not the file
called secret. trudy may do everything in another account, and her key is answered as if it had never been.
"""

import hashlib
import http.client
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import time_machine
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.operations.users import delete_user
from accounts.operations.whole_users import delete_user_with_credentials
from api import authenticate
from audit.models import INSTALLATION, Event
from credentials.mfa.models import MFADevice
from credentials.models import AccessKey, ServiceToken
from credentials.operations.access_keys import delete_access_key, update_access_key
from credentials.operations.service_tokens import create_service_token, delete_service_token, list_service_tokens
from iamconsole.errors import DeleteConflict, Fault, LimitExceeded, NoSuchEntity, ValidationError
from permissions.operations.inline import put_user_policy
from tests import gateway
from tests.authenticators import give_app, session_of
from tests.conftest import ALLOW_ALL, SECRETS, Person, allow, make_account, make_user
from tests.raw import body_of, send, signed
from tests.rows import events_of
from tests.test_api_fuzz import STEADY

NO_NGINX = "nginx is not installed: script/test installs it"
NO_CURL = "curl with --aws-sigv4 is not installed: script/test installs it"
with_nginx = pytest.mark.skipif(not shutil.which("nginx"), reason=NO_NGINX)
with_curl = pytest.mark.skipif(not shutil.which("curl"), reason=NO_CURL)
EMPTY = hashlib.sha256(b"").hexdigest()
ALICES = """{"Version": "2012-10-17", "Statement": [
  {"Sid": "Own", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
   "Resource": "arn:aws:s3:::files/${aws:username}/*"},
  {"Sid": "NotThat", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::files/alice/secret"},
  {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"},
  {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*",
   "Condition": {"StringLike": {"s3:prefix": "alice/*"}}},
  {"Effect": "Allow", "Action": "office:Enter", "Resource": "*",
   "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}},
  {"Effect": "Allow", "Action": "vault:Open", "Resource": "*",
   "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
]}"""


@dataclass(frozen=True)
class Stage:
    """One account with a gateway, alice, bob and mallory; trudy is in another one."""

    root: Person
    alice: Person
    mallory: Person
    trudy: Person
    asker: Person
    token: str


def issue(root: Person, user_name: str, **parameters: Any) -> tuple[ServiceToken, str]:
    """A service token, and what it is."""
    issued = create_service_token(root.caller, user_name=user_name, **parameters)
    SECRETS.append(issued.secret["token"])
    return issued.entity, issued.secret["token"]


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    with django_db_blocker.unblock():
        root = make_account()
        yield Stage(
            root,
            make_user(root, "alice", ALICES),
            make_user(root, "mallory"),
            make_user(make_account(), "trudy", ALLOW_ALL),
            make_user(root, "gateway", allow("iamconsole:Authorize")),
            issue(root, "gateway")[1],
        )


@pytest.fixture(scope="module")
def store() -> Iterator[gateway.Service]:
    with gateway.service() as behind:
        yield behind


@pytest.fixture(scope="module")
def front(
    server: Path, stage: Stage, store: gateway.Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of nginx in front of the store."""
    with gateway.nginx(tmp_path_factory.mktemp("nginx"), stage.token, store) as address:
        yield address


def s3(person: Person, address: str, **config: Any) -> Any:
    """boto3's S3 client against nginx."""
    return boto3.client(
        "s3",
        aws_access_key_id=person.access_key_id,
        aws_secret_access_key=person.secret_access_key,
        endpoint_url=address,
        region_name="eu-central-1",
        config=Config(
            retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, signature_version="s3v4", **config
        ),
    )


def signed_for(
    person: Person,
    url: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    service: str = "s3",
    headers: Mapping[str, str] | None = None,
    secret: str | None = None,
    at: datetime | None = None,
) -> AWSRequest:
    """A request to a service, signed by botocore."""
    request = AWSRequest(method, url, data=body, headers={"Host": urlsplit(url).netloc, **(headers or {})})
    credentials = Credentials(person.access_key_id, secret or person.secret_access_key, person.session_token)
    auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, "eu-central-1")
    with time_machine.travel(at or datetime.now(UTC), tick=False):
        auth.add_auth(request)
    return request


@dataclass(frozen=True)
class Reply:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> str | None:
        return self.headers.get("x-iamconsole-error")


def call(request: AWSRequest, *, target: str | None = None, body: bytes | None = None, **headers: str | None) -> Reply:
    """Send a signed request as it is, or with another target, body or headers than were signed."""
    parts = urlsplit(request.url)
    sent = dict(request.headers.items()) | {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=120)
    try:
        path = target or f"{parts.path}?{parts.query}".rstrip("?")
        given = {name: value for name, value in sent.items() if value is not None}
        connection.request(request.method, path, request.data if body is None else body, given)
        response = connection.getresponse()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


# Through nginx


@with_nginx
def test_boto3_puts_and_gets_an_object_and_the_store_knows_who_it_is(
    stage: Stage, front: str, store: gateway.Service
) -> None:
    client = s3(stage.alice, front)
    for key in ("alice/a.txt", "alice/\u00fc b+c&d=e%20~.txt", "alice//two"):
        client.put_object(Bucket="files", Key=key, Body=b"hello")
        put = store.seen[-1]
        assert client.get_object(Bucket="files", Key=key)["Body"].read() == b"hello"
        assert store.objects[f"/files/{key}"] == b"hello"
        assert put["x-iamconsole-arn"] == f"arn:aws:iam::{stage.alice.account_id}:user/alice"
        assert put["x-iamconsole-user-id"] == stage.alice.user.user_id
        assert put["x-iamconsole-user-name"] == "alice"
        assert put["x-iamconsole-account"] == stage.alice.account_id
        assert put["x-iamconsole-access-key-id"] == stage.alice.access_key_id
        assert put["x-iamconsole-content-sha256"] == hashlib.sha256(b"hello").hexdigest()
        assert put["x-iamconsole-action"] == "s3:PutObject"
        assert "x-iamconsole-token" not in put


@with_nginx
def test_what_the_policies_deny_does_not_reach_the_store(stage: Stage, front: str, store: gateway.Service) -> None:
    before = len(store.seen)
    for person, method, key, words in (
        (stage.alice, "DELETE", "alice/a.txt", "because no identity-based policy allows the s3:DeleteObject action"),
        (stage.alice, "GET", "bob/a.txt", "because no identity-based policy allows the s3:GetObject action"),
        (stage.alice, "GET", "alice/secret", "with an explicit deny in an identity-based policy"),
        (stage.mallory, "GET", "alice/a.txt", "because no identity-based policy allows the s3:GetObject action"),
    ):
        reply = call(signed_for(person, f"{front}/files/{key}", method=method))
        assert reply.status == 403
        assert reply.headers["x-iamconsole-reason"].endswith(words)
        assert reply.headers["x-iamconsole-decision"] in ("implicitDeny", "explicitDeny")
        assert reply.error is None
    assert len(store.seen) == before
    with pytest.raises(ClientError) as caught:
        s3(stage.mallory, front).get_object(Bucket="files", Key="alice/a.txt")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@with_nginx
def test_who_forges_the_gateways_headers_is_overruled(stage: Stage, front: str, store: gateway.Service) -> None:
    url = f"{front}/files/alice/a.txt"
    forged = {
        "X-Iamconsole-Action": "s3:GetObject",
        "X-Iamconsole-Resource": "arn:aws:s3:::files/alice/a.txt",
        "X-Iamconsole-Arn": "arn:aws:iam::000000000000:root",
        "X-Iamconsole-User-Name": "root",
        "X-Iamconsole-Content-Sha256": "UNSIGNED-PAYLOAD",
        "X-Iamconsole-Token": "icst_forged",
        "X-Original-Method": "GET",
        "X-Original-URI": "/files/alice/a.txt",
        "X-Original-Host": "elsewhere",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=192.0.2.1",
        "Via": "1.1 me",
        "Cookie": "session=x",
    }
    names = {name.replace("-", "_"): value for name, value in forged.items()}
    assert call(signed_for(stage.alice, url, method="DELETE"), **names).status == 403
    assert call(signed_for(stage.alice, f"{front}/files/bob/a.txt"), **names).status == 403
    assert call(signed_for(stage.mallory, url), **names).status == 403
    assert call(signed_for(stage.alice, url), **names).status == 200
    seen = store.seen[-1]
    assert seen["x-iamconsole-user-name"] == "alice"
    assert seen["x-iamconsole-arn"] == stage.alice.user.arn
    assert seen["x-iamconsole-content-sha256"] == EMPTY
    assert "x-iamconsole-token" not in seen


@with_nginx
def test_a_signature_that_proves_nothing_is_a_401_with_its_code(
    stage: Stage, front: str, store: gateway.Service
) -> None:
    url = f"{front}/files/alice/a.txt?x-id=GetObject"
    good = signed_for(stage.alice, url)
    unknown = Person(stage.alice.caller, "AKIAIOSFODNN7EXAMPLE", "x" * 40)
    hour = timedelta(hours=1)
    before = len(store.seen)
    for reply, code in (
        (call(AWSRequest("GET", url, headers={})), "MissingAuthenticationToken"),
        (call(signed_for(stage.alice, url, secret="w" * 40)), "SignatureDoesNotMatch"),
        (call(signed_for(unknown, url)), "InvalidClientTokenId"),
        (call(signed_for(stage.trudy, url)), "InvalidClientTokenId"),
        (call(good, target="/files/alice/b.txt?x-id=GetObject"), "SignatureDoesNotMatch"),
        (call(good, target="/files/alice/%61.txt?x-id=GetObject&x-id=b"), "SignatureDoesNotMatch"),
        (call(good, target="/files/alice/a.txt?x-id=PutObject"), "SignatureDoesNotMatch"),
        (call(good, target="/files/alice/a.txt"), "SignatureDoesNotMatch"),
        (call(good, Host="elsewhere"), "SignatureDoesNotMatch"),
        (call(good, x_amz_meta_note="mine"), "SignatureDoesNotMatch"),
        (call(good, X_Amz_Content_SHA256="UNSIGNED-PAYLOAD"), "SignatureDoesNotMatch"),
        (call(good, Authorization="Basic YWxpY2U6eA=="), "IncompleteSignature"),
        (call(signed_for(stage.alice, url, at=datetime.now(UTC) - hour)), "SignatureDoesNotMatch"),
        (call(signed_for(stage.alice, url, at=datetime.now(UTC) + hour)), "SignatureDoesNotMatch"),
    ):
        assert (reply.status, reply.error) == (401, code)
        assert reply.headers["www-authenticate"] == "AWS4-HMAC-SHA256"
        assert reply.headers["x-iamconsole-reason"]
        assert "x-iamconsole-decision" not in reply.headers
    assert len(store.seen) == before
    assert call(good).status == 200


@with_nginx
def test_what_is_not_about_one_object_is_not_decided_as_if_it_were(
    stage: Stage, front: str, store: gateway.Service
) -> None:
    before = len(store.seen)
    for method, target, status in (
        ("GET", "/", 403),
        ("GET", "/files", 403),
        ("GET", "/files/", 403),
        ("PUT", "/files", 403),
        ("DELETE", "/files", 403),
        ("GET", "/files/alice/a?acl", 403),
        ("PUT", "/files/alice/a?X-Amz-Copy-Source=%2Ffiles%2Fbob%2Fa", 403),
        ("PUT", "/files/alice/a?X-Amz-Acl=public-read", 403),
        ("GET", "/files/alice/a%20", 400),
        ("GET", "/files/alice/a%0a", 400),
    ):
        assert call(signed_for(stage.alice, f"{front}{target}", method=method)).status == status, target
    for header in ("x-amz-acl", "x-amz-grant-read", "x-amz-copy-source"):
        request = signed_for(stage.alice, f"{front}/files/alice/a", method="PUT", headers={header: "x"})
        assert call(request).status == 403, header
    # nginx ends the path at a raw "#", and the signature would not.
    assert call(signed_for(stage.alice, f"{front}/files/alice/a%23b"), target="/files/alice/a#b").status == 400
    assert len(store.seen) == before


@with_nginx
def test_a_key_of_another_account_is_answered_like_one_that_never_was(stage: Stage, front: str) -> None:
    url = f"{front}/files/alice/a.txt"
    unknown = Person(stage.alice.caller, "AKIAIOSFODNN7EXAMPLE", "x" * 40)
    replies = [call(signed_for(person, url)) for person in (stage.trudy, unknown)]
    kept = [
        {name: value for name, value in reply.headers.items() if name not in ("date", "x-amzn-requestid")}
        for reply in replies
    ]
    assert kept[0] == kept[1]
    assert replies[0].body == replies[1].body


@with_nginx
def test_a_key_counts_for_nothing_from_the_moment_it_is_switched_off_or_deleted(stage: Stage, front: str) -> None:
    url = f"{front}/files/carol/a.txt"
    carol = make_user(stage.root, "carol", ALICES)
    assert call(signed_for(carol, url)).status == 200
    key = {"user_name": "carol", "access_key_id": carol.access_key_id}
    for status, expected in (("Inactive", 401), ("Active", 200)):
        update_access_key(stage.root.caller, **key, status=status)
        assert call(signed_for(carol, url)).status == expected
    put_user_policy(stage.root.caller, user_name="carol", policy_name="given", policy_document=allow("s3:ListBucket"))
    assert call(signed_for(carol, url)).status == 403
    delete_access_key(stage.root.caller, **key)
    assert call(signed_for(carol, url)).error == "InvalidClientTokenId"


@with_nginx
def test_a_body_that_is_not_the_signed_one_is_found_by_the_service(
    stage: Stage, front: str, store: gateway.Service
) -> None:
    put = signed_for(stage.alice, f"{front}/files/alice/body", method="PUT", body=b"mine")
    assert call(put, body=b"hers").status == 400
    assert "/files/alice/body" not in store.objects
    assert call(put).status == 200
    assert call(put, X_Amz_Content_SHA256=hashlib.sha256(b"hers").hexdigest(), body=b"hers").status == 401


@with_nginx
def test_presigned_urls_work_until_they_are_changed_or_expire(stage: Stage, front: str, store: gateway.Service) -> None:
    client = s3(stage.alice, front)
    where = {"Bucket": "files", "Key": "alice/presigned.txt"}
    put = client.generate_presigned_url("put_object", Params=where, ExpiresIn=60)
    get = client.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    assert call(AWSRequest("PUT", put, data=b"by url", headers={})).status == 200
    assert store.seen[-1]["x-iamconsole-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert call(AWSRequest("GET", get, headers={})).body == b"by url"
    assert call(AWSRequest("GET", put, headers={})).error == "SignatureDoesNotMatch"
    assert call(AWSRequest("GET", get.replace("presigned", "a"), headers={})).error == "SignatureDoesNotMatch"
    assert call(AWSRequest("GET", get.replace("=60", "=600"), headers={})).error == "SignatureDoesNotMatch"
    assert call(signed_for(stage.alice, get)).error == "IncompleteSignature"
    with time_machine.travel(datetime.now(UTC) - timedelta(seconds=70), tick=False):
        old = client.generate_presigned_url("get_object", Params=where, ExpiresIn=60)
    reply = call(AWSRequest("GET", old, headers={}))
    assert reply.error == "SignatureDoesNotMatch"
    assert reply.headers["x-iamconsole-reason"].startswith("Signature expired")
    denied = s3(stage.mallory, front).generate_presigned_url("get_object", Params=where)
    assert call(AWSRequest("GET", denied, headers={})).status == 403


@with_nginx
def test_what_would_be_another_action_or_another_path_is_refused(
    stage: Stage, front: str, store: gateway.Service
) -> None:
    before = len(store.seen)
    for path, status in (
        ("/files/alice/a.txt?acl", 403),
        ("/files/alice/a.txt?%61cl", 403),
        ("/files/alice/a.txt?x-id=GetObject&tagging=", 403),
        ("/files/alice/a%0d%0aX-Iamconsole-Action:%20s3:GetObject", 400),
        ("/files/alice/%00", 400),
        ("/files/alice/%2e%2e/bob/a.txt", 401),  # botocore signs it as it stands, S3 reads it decoded
        ("/files/alice/../bob/a.txt", 403),
    ):
        assert call(signed_for(stage.alice, front + path)).status == status, path
    upwards = signed_for(stage.alice, f"{front}/files/alice/../bob/a.txt")
    for sent in ("/files/alice/%2e%2e/bob/a.txt", "/files/alice/..%2fbob/a.txt", "/files/alice%2f../bob/a.txt"):
        assert call(upwards, target=sent).headers["x-iamconsole-decision"] == "implicitDeny"
    copied = {"x-amz-copy-source": "/files/bob/a.txt"}
    assert call(signed_for(stage.alice, f"{front}/files/alice/c", method="PUT", headers=copied)).status == 403
    assert call(signed_for(stage.alice, f"{front}/files/alice/c", method="POST")).status == 405
    assert call(AWSRequest("GET", f"{front}/.iamconsole/authorize", headers={})).status == 404
    assert len(store.seen) == before
    assert call(signed_for(stage.alice, f"{front}/files/bob/../alice/a%20%3Fb")).status == 200
    assert store.seen[-1][":path"] == "/files/alice/a%20%3Fb"
    assert store.seen[-1]["x-iamconsole-resource"] == "arn:aws:s3:::files/alice/a ?b"


@with_nginx
@with_curl
def test_curl_signs_by_itself(stage: Stage, front: str, store: gateway.Service, tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(b"by curl")

    def curl(person: Person, path: str, *arguments: str) -> str:
        secrets = f'user = "{person.access_key_id}:{person.secret_access_key}"\n'
        done = subprocess.run(
            ["curl", "-sS", "-K", "-", "--aws-sigv4", "aws:amz:eu-central-1:s3", "-w", "%{http_code}", *arguments,
             front + path],
            input=secrets, text=True, capture_output=True, check=True,
        )  # fmt: skip
        return done.stdout

    # curl signs no body that it reads from a file, so the hash is given to it, as S3 wants it in any case.
    stated = ("-H", f"x-amz-content-sha256: {hashlib.sha256(b'by curl').hexdigest()}")
    assert curl(stage.alice, "/files/alice/curl", "-X", "PUT", "--data-binary", f"@{upload}", *stated) == "200"
    assert curl(stage.alice, "/files/alice/curl") == "by curl200"
    assert curl(stage.alice, "/files/alice/curl", "-X", "DELETE").endswith("403")
    assert curl(stage.mallory, "/files/alice/curl").endswith("403")
    assert curl(stage.trudy, "/files/alice/curl").endswith("401")


@with_nginx
def test_a_dynamodb_client_passes_when_it_signs_the_hash_of_its_body(
    server: Path, stage: Stage, store: gateway.Service, tmp_path: Path
) -> None:
    text = (gateway.ROOT / "deploy/nginx-authorize.conf").read_text()
    start = text.index("map $request_method $iam_action")
    shipped = text[start : text.index("}", start) + 1]
    mapped = (
        'map $http_x_amz_target $iam_action { "~^DynamoDB_20120810\\.(?<iam_name>[A-Za-z]+)$" dynamodb:$iam_name; }'
    )

    def state_the_hash(request: Any, **_: Any) -> None:
        request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(request.data).hexdigest()

    def client(person: Person, address: str) -> Any:
        made = boto3.client(
            "dynamodb",
            aws_access_key_id=person.access_key_id,
            aws_secret_access_key=person.secret_access_key,
            endpoint_url=address,
            region_name="eu-central-1",
            config=Config(retries={"total_max_attempts": 1}),
        )
        made.meta.events.register("before-sign.dynamodb", state_the_hash)
        return made

    asked = {"TableName": "people", "Key": {"id": {"S": "1"}}}
    any_path = ('"~^/[^/]+/."     1;', '"~^/"           1;')
    with gateway.nginx(tmp_path, stage.token, store, (shipped, mapped), any_path) as address:
        assert client(stage.alice, address).get_item(**asked)["Item"] == {}
        assert store.seen[-1]["x-iamconsole-action"] == "dynamodb:GetItem"
        with pytest.raises(ClientError) as denied:
            client(stage.alice, address).delete_item(**asked)
        assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        plain = client(stage.alice, address)
        plain.meta.events.unregister("before-sign.dynamodb", state_the_hash)
        with pytest.raises(ClientError) as unseen:
            plain.get_item(**asked)
        metadata = unseen.value.response["ResponseMetadata"]
        assert metadata["HTTPStatusCode"] == 401
        assert "no signed 'x-amz-content-sha256' header" in metadata["HTTPHeaders"]["x-iamconsole-reason"]


@with_nginx
def test_a_gateway_that_may_not_ask_lets_nobody_in(
    server: Path, stage: Stage, store: gateway.Service, tmp_path: Path
) -> None:
    before = len(store.seen)
    for number, (token, code) in enumerate(
        (("icst_made-up", "InvalidServiceToken"), (issue(stage.root, "mallory")[1], "AccessDenied"))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        with gateway.nginx(folder, token, store) as address:
            reply = call(signed_for(stage.alice, f"{address}/files/alice/a.txt"))
        assert (reply.status, reply.error) == (403, code)
        assert "x-iamconsole-reason" not in reply.headers
    nobody = f"http://localhost:{gateway.free_port()}"
    folder = tmp_path / "down"
    folder.mkdir()
    with gateway.nginx(folder, stage.token, store, iamconsole=nobody) as address:
        assert call(signed_for(stage.alice, f"{address}/files/alice/a.txt")).status == 503
    assert len(store.seen) == before


# Asked directly


def ask(token: str | None, document: object, **more: Any) -> tuple[int, dict[str, Any]]:
    """A question in JSON: the document, or bytes as they are."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = {"host": "localhost", **({"X-Iamconsole-Token": token} if token is not None else {})}
    response = Client().post("/authorize", body, **{"content_type": "application/json", **more}, headers=headers)
    assert "X-Iamconsole-Arn" not in response
    return response.status_code, response.json()


def described(request: AWSRequest) -> dict[str, Any]:
    """A signed request as a service tells of it."""
    parts = urlsplit(request.url)
    headers = [[name, value] for name, value in request.headers.items()]
    return {"method": request.method, "uri": f"{parts.path}?{parts.query}".rstrip("?"), "headers": headers}


def question(stage: Stage, **changes: Any) -> dict[str, Any]:
    """Whether alice may read her file, asked by her key."""
    asked = {"access_key_id": stage.alice.access_key_id, "action": "s3:GetObject"}
    return {**asked, "resource": "arn:aws:s3:::files/alice/a", **changes}


def ask_by_headers(token: str | None, request: AWSRequest, **changes: str | None) -> Any:
    """A question as nginx asks it, with some of its headers changed or left out."""
    parts = urlsplit(request.url)
    headers: dict[str, str | None] = {
        **dict(request.headers.items()),
        "X-Iamconsole-Token": token,
        "X-Original-Method": request.method,
        "X-Original-URI": f"{parts.path}?{parts.query}".rstrip("?"),
        "X-Original-Host": parts.netloc,
        "X-Original-Scheme": "https",
        "X-Original-Address": "192.0.2.7",
        "X-Iamconsole-Action": "s3:GetObject",
        "X-Iamconsole-Resource": "arn:aws:s3:::files/alice/a",
        "Host": "localhost",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return Client().get("/authorize", headers={name: value for name, value in headers.items() if value is not None})


FILE = "https://files.example.org/files/alice/a"


def test_an_answer_says_who_and_why(stage: Stage) -> None:
    status, answer = ask(stage.token, question(stage))
    principal = {
        "arn": stage.alice.user.arn,
        "user_id": stage.alice.user.user_id,
        "user_name": "alice",
        "account": stage.alice.account_id,
        "access_key_id": stage.alice.access_key_id,
    }
    assert status == 200
    assert answer == {
        "decision": "allowed",
        "allowed": True,
        "reason": f"User: {stage.alice.user.arn} is allowed to perform: s3:GetObject on resource:"
        " arn:aws:s3:::files/alice/a by the policy given",
        "policy_type": "identity",
        "policy": {"name": "given", "kind": "inline"},
        "statement": {"index": 0, "line": 1, "sid": "Own"},
        "principal": principal,
    }
    _, answer = ask(stage.token, question(stage, resource="arn:aws:s3:::files/alice/secret"))
    assert (answer["decision"], answer["allowed"], answer["statement"]["sid"]) == ("explicitDeny", False, "NotThat")
    assert answer["principal"] == principal
    _, answer = ask(stage.token, question(stage, action="s3:DeleteObject"))
    assert (answer["decision"], answer["allowed"], "statement" in answer) == ("implicitDeny", False, False)
    _, answer = ask(stage.token, question(stage, access_key_id=stage.root.access_key_id, action="any:Thing"))
    assert (answer["decision"], answer["principal"]["arn"]) == ("allowed", stage.root.user.arn)
    assert "user_name" not in answer["principal"]
    assert "policy" not in answer


def test_a_signer_with_temporary_credentials_is_known_with_what_the_session_says(stage: Stage) -> None:
    app = give_app(stage.alice.account_id, stage.alice.user, "alices")
    plain, proven = session_of(stage.alice), session_of(stage.alice, app)
    vault = {"action": "vault:Open", "resource": "arn:aws:vault:::door"}
    for person, decision in ((stage.alice, "implicitDeny"), (plain, "implicitDeny"), (proven, "allowed")):
        status, answer = ask(stage.token, {"request": described(signed_for(person, FILE)), **vault})
        assert (status, answer["decision"]) == (200, decision)
        assert answer["principal"]["access_key_id"] == person.access_key_id
        assert answer["principal"]["arn"] == stage.alice.user.arn
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=16), tick=False):
        over = session_of(stage.alice, duration_seconds=900)
    status, answer = ask(stage.token, {"request": described(signed_for(over, FILE)), **vault})
    assert (status, answer["error"]["code"]) == (401, "ExpiredToken")
    # To a service of another account it never was.
    foreign = session_of(stage.trudy)
    status, answer = ask(stage.token, {"request": described(signed_for(foreign, FILE)), **vault})
    assert (status, answer["error"]["code"]) == (401, "InvalidClientTokenId")
    MFADevice.objects.filter(user=stage.alice.user).delete()


def test_a_service_tells_of_the_request_it_received(stage: Stage) -> None:
    get = described(signed_for(stage.alice, f"{FILE}?x-id=GetObject"))
    asked = {"action": "s3:GetObject", "resource": "arn:aws:s3:::files/alice/a"}
    status, answer = ask(stage.token, {**asked, "request": get})
    assert (status, answer["decision"], answer["content_sha256"]) == (200, "allowed", EMPTY)
    body = b'{"TableName": "people"}'
    post = signed_for(stage.alice, "https://db.example.org/", method="POST", body=body, service="dynamodb")
    told = described(post) | {"body_sha256": hashlib.sha256(body).hexdigest()}
    status, answer = ask(stage.token, {"request": told, "action": "dynamodb:GetItem", "resource": "*"})
    assert (status, answer["decision"], answer["content_sha256"]) == (200, "allowed", told["body_sha256"])
    for change, code in (
        ({"body_sha256": EMPTY}, "SignatureDoesNotMatch"),
        ({"body_sha256": None}, "SignatureDoesNotMatch"),
        ({"method": "PUT"}, "SignatureDoesNotMatch"),
        ({"uri": "/?a"}, "SignatureDoesNotMatch"),
        ({"headers": []}, "MissingAuthenticationToken"),
        ({"headers": [*told["headers"], ["host", "db.example.org"]]}, "IncompleteSignature"),
    ):
        status, answer = ask(
            stage.token, {"request": {**told, **change}, "action": "dynamodb:GetItem", "resource": "*"}
        )
        assert (status, answer["error"]["code"]) == (401, code), change


@pytest.mark.parametrize(
    ("service", "path"),
    [
        *(("s3", path) for path in ("/a/../b", "/a//b", "/%C3%BC%20b%2Bc", "/a?prefix=a%20b&b&a=2&a=1", "/a%25b")),
        *(("execute-api", path) for path in ("/a/../b", "/a//b", "/%C3%BC%20b", "/a%2Fb", "/+", "/a%25b")),
    ],
)
def test_each_service_has_its_encoding(stage: Stage, service: str, path: str) -> None:
    request = signed_for(stage.alice, f"https://x.example.org{path}", service=service)
    document = {"request": described(request), "action": "s3:GetObject", "resource": "arn:aws:s3:::files/alice/a"}
    assert ask(stage.token, document)[1].get("decision") == "allowed"
    other = document | {"request": described(request) | {"uri": f"{path}&x=1" if "?" in path else f"{path}?x=1"}}
    assert ask(stage.token, other)[0] == 401


def test_only_s3_may_leave_the_body_unsigned(stage: Stage) -> None:
    for service, stated, expected in (
        ("s3", "UNSIGNED-PAYLOAD", "UNSIGNED-PAYLOAD"),
        ("s3", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("s3", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", None),
        ("s3", "unsigned-payload", None),
        ("execute-api", "UNSIGNED-PAYLOAD", None),
        ("execute-api", "e" * 63, None),
    ):
        request = AWSRequest("PUT", FILE, data=b"x", headers={"Host": "files.example.org", "Content-Length": "1"})
        request.headers["X-Amz-Content-SHA256"] = stated
        SigV4Auth(Credentials(stage.alice.access_key_id, stage.alice.secret_access_key), service, "").add_auth(request)
        document = {"request": described(request), "action": "s3:PutObject", "resource": "arn:aws:s3:::files/alice/a"}
        status, answer = ask(stage.token, document)
        if expected is None:
            assert (status, answer["error"]["code"]) == (401, "SignatureDoesNotMatch")
        else:
            assert (status, answer["content_sha256"]) == (200, expected)


def test_the_asker_says_what_it_knows_and_cannot_say_who_the_signer_is(stage: Stage) -> None:
    for action, context, decision in (
        ("s3:ListBucket", {"s3:prefix": ["alice/x"]}, "allowed"),
        ("s3:ListBucket", {"S3:Prefix": ["bob/x"]}, "implicitDeny"),
        ("s3:ListBucket", {}, "implicitDeny"),
        ("office:Enter", {"aws:SourceIp": ["192.0.2.7"], "aws:SecureTransport": ["true"]}, "allowed"),
        ("office:Enter", {"aws:SourceIp": ["198.51.100.7"], "aws:UserAgent": ["x"]}, "implicitDeny"),
        ("office:Enter", {"aws:SourceIp": ["not an address"]}, "implicitDeny"),
        ("office:Enter", None, "implicitDeny"),
        ("vault:Open", None, "implicitDeny"),
    ):
        _, answer = ask(stage.token, question(stage, action=action, resource="*", context=context))
        assert answer["decision"] == decision, (action, context)
    for key in (
        *("aws:userid", "aws:username", "AWS:UserName", "aws:PrincipalArn", "aws:PrincipalAccount"),
        *("aws:PrincipalTag/team", "aws:PrincipalType", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"),
        *("aws:CurrentTime", "aws:EpochTime", "aws:TokenIssueTime", "aws:ResourceAccount", "aws:Unknown"),
    ):
        status, answer = ask(stage.token, question(stage, context={key: ["true"]}))
        assert (status, answer["error"]["code"]) == (400, "InvalidInput"), key
    status, answer = ask(stage.token, question(stage, context={"s3:a": ["1"], "S3:A": ["2"]}))
    assert (status, answer["error"]["code"]) == (400, "InvalidInput")


def test_a_resource_based_policy_gives_and_takes(stage: Stage) -> None:
    def policy(effect: str, principal: str) -> str:
        statement = {"Effect": effect, "Principal": {"AWS": principal}, "Action": "s3:*", "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    mallory = {"access_key_id": stage.mallory.access_key_id}
    _, answer = ask(stage.token, question(stage, **mallory, resource_policy=policy("Allow", stage.mallory.user.arn)))
    assert (answer["decision"], answer["policy_type"]) == ("allowed", "resource")
    _, answer = ask(stage.token, question(stage, **mallory, resource_policy=policy("Allow", stage.alice.user.arn)))
    assert answer["decision"] == "implicitDeny"
    _, answer = ask(stage.token, question(stage, resource_policy=policy("Deny", stage.alice.account_id)))
    assert (answer["decision"], answer["policy_type"]) == ("explicitDeny", "resource")
    for document in ("{}", "", allow("s3:*")):
        status, answer = ask(stage.token, question(stage, resource_policy=document))
        assert status == 400


def test_the_root_user_is_not_above_what_a_resource_denies(stage: Stage) -> None:
    def policy(effect: str) -> str:
        statement = {"Effect": effect, "Principal": {"AWS": stage.root.user.arn}, "Action": "s3:*", "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": statement})

    root = {"access_key_id": stage.root.access_key_id}
    _, answer = ask(stage.token, question(stage, **root, resource_policy=policy("Allow")))
    assert (answer["decision"], answer.get("policy_type")) == ("allowed", None)
    _, answer = ask(stage.token, question(stage, **root, resource_policy=policy("Deny")))
    assert (answer["decision"], answer["policy_type"], answer["statement"]["index"]) == ("explicitDeny", "resource", 0)


def test_what_is_another_accounts_wants_its_say_too(stage: Stage) -> None:
    own, other = stage.root.account_id, stage.trudy.account_id
    everything = make_user(stage.root, "everything", ALLOW_ALL)
    stay = {"StringNotEquals": {"aws:ResourceAccount": own}}
    homely = json.loads(ALLOW_ALL)["Statement"]
    homely = [homely, {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": stay}]
    at_home = make_user(stage.root, "homely", json.dumps({"Version": "2012-10-17", "Statement": homely}))
    given = {"Effect": "Allow", "Principal": {"AWS": own}, "Action": "dynamodb:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": given})
    for person, account, resource_policy, decision, decided in (
        (everything, own, None, "allowed", "identity"),
        (everything, other, None, "implicitDeny", "resource"),
        (everything, other, policy, "allowed", "identity"),
        (at_home, own, None, "allowed", "identity"),
        (at_home, other, policy, "explicitDeny", "identity"),
        (stage.root, own, None, "allowed", None),
        (stage.root, other, None, "implicitDeny", "resource"),
        (stage.root, other, policy, "allowed", None),
        (stage.mallory, other, policy, "implicitDeny", "identity"),
    ):
        told = {"access_key_id": person.access_key_id, "resource_policy": resource_policy}
        resource = f"arn:aws:dynamodb:eu-west-1:{account}:table/people"
        asked = question(stage, action="dynamodb:GetItem", resource=resource, **told)
        status, answer = ask(stage.token, asked)
        assert status == 200, answer
        assert (answer["decision"], answer.get("policy_type")) == (decision, decided), (person.user.arn, account)
    asked |= {"access_key_id": everything.access_key_id, "resource_policy": None}
    assert "no resource-based policy allows the dynamodb:GetItem action" in ask(stage.token, asked)[1]["reason"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"action": None}, "Value null at 'actionName'"),
        ({"action": "s3"}, "at 'actionName'"),
        ({"action": "s3:Get*"}, "at 'actionName'"),
        ({"action": "s3:Get,s3:Put"}, "at 'actionName'"),
        ({"action": 1}, "Member must be a string"),
        ({"resource": ""}, "at 'resourceArn'"),
        ({"resource": "a\nb"}, "at 'resourceArn'"),
        ({"resource": "\ud800"}, "must not contain control characters"),
        ({"access_key_id": "short"}, "at 'signer.accessKeyId'"),
        ({"access_key_id": None}, "one of the three"),
        ({"context": []}, "an object of lists"),
        ({"context": {"s3:prefix": "x"}}, "an object of lists"),
        ({"context": {"prefix": ["x"]}}, "at 'context.1.member.key'"),
        ({"context": {"s3:prefix": [1]}}, "at 'context.1.member.values'"),
        ({"context": {f"s3:{number}": ["x"] for number in range(101)}}, "at 'context'"),
        ({"request": {}}, "must be a list of pairs"),
        ({"request": []}, "must be an object"),
        ({"request": {"method": "GET", "uri": "/", "headers": [["a"]]}}, "must be a list of pairs"),
        ({"request": {"method": "GET", "uri": "/", "headers": {"a": "b"}}}, "must be a list of pairs"),
        ({"request": {"method": "GET", "uri": "/", "headers": [], "body": ""}}, "unknown member 'body'"),
        ({"request": {"method": "GET", "uri": "/", "headers": []}}, "one of the three"),
        ({"request": {"method": "GET", "uri": "x", "headers": []}, "access_key_id": None}, "at 'signer.request.uri'"),
        ({"request": {"method": "G\nT", "uri": "/", "headers": []}, "access_key_id": None}, "request.method'"),
        ({"request": {"uri": "/", "headers": []}, "access_key_id": None}, "request.method'"),
        ({"resource_policy": {}}, "at 'resourcePolicy'"),
        ({"\ud800": 1}, "unknown member '\\ud800'"),
    ],
)
def test_a_question_that_is_none_is_a_400(stage: Stage, change: dict[str, Any], words: str) -> None:
    status, answer = ask(stage.token, question(stage, **change))
    assert status == 400
    assert words in answer["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"\xff", 400),
        (b"\xef\xbb\xbf{}", 400),
        (b'{"action": "a:b", "action": "a:c"}', 400),
        (b'{"action": NaN}', 400),
        (b'{"action": 1e999}', 400),
        (b"[" * 100_000, 400),
        (b'{"context":' * 30 + b"1" + b"}" * 30, 400),
        (b" " * (256 * 1024) + b"{}", 413),
        (b'{"action": "\\u0000:b"}', 400),
    ],
)
def test_json_is_read_strictly(stage: Stage, body: bytes, status: int) -> None:
    assert ask(stage.token, body)[0] == status


def test_another_type_of_body_is_none(stage: Stage) -> None:
    assert ask(stage.token, question(stage), content_type="text/plain")[0] == 400


def test_a_gateway_must_ask_the_whole_question(stage: Stage) -> None:
    request = signed_for(stage.alice, FILE)
    assert ask_by_headers(stage.token, request).status_code == 200
    for name in (
        "X_Original_Method",
        "X_Original_URI",
        "X_Original_Host",
        "X_Iamconsole_Action",
        "X_Iamconsole_Resource",
    ):
        response = ask_by_headers(stage.token, request, **{name: None})
        assert (response.status_code, response["X-Iamconsole-Error"]) == (400, "ValidationError")
        assert name.replace("_", "-").lower() in response.json()["error"]["message"]
    assert ask_by_headers(stage.token, request, X_Iamconsole_Action="s3:GetObject,s3:PutObject").status_code == 400
    assert ask_by_headers(stage.token, request, X_Original_URI="files/alice/a").status_code == 400
    for method in ("put", "delete", "head", "options", "patch"):
        assert getattr(Client(), method)("/authorize", headers={"host": "localhost"}).status_code == 400


def test_a_body_without_a_signed_hash_does_not_pass_a_gateway(stage: Stage) -> None:
    request = signed_for(stage.alice, FILE, service="execute-api")
    assert ask_by_headers(stage.token, request, X_Original_Content_Length="0").status_code == 200
    for header, value in (
        ("X_Original_Content_Length", "1"),
        ("X_Original_Content_Length", "x"),
        ("X_Original_Transfer_Encoding", "chunked"),
    ):
        response = ask_by_headers(stage.token, request, **{header: value})
        assert (response.status_code, response["X-Iamconsole-Error"]) == (401, "SignatureDoesNotMatch")


def test_a_signed_content_length_is_the_originals(stage: Stage) -> None:
    headers = {"Content-Length": "5"}
    request = signed_for(stage.alice, FILE, method="PUT", body=b"hello", headers=headers)
    del request.headers["Content-Length"]
    wanted = {"X_Iamconsole_Action": "s3:PutObject"}
    response = ask_by_headers(stage.token, request, **wanted, X_Original_Content_Length="5")
    assert response["X-Iamconsole-Content-Sha256"] == hashlib.sha256(b"hello").hexdigest()
    assert ask_by_headers(stage.token, request, **wanted, X_Original_Content_Length="6").status_code == 401
    assert ask_by_headers(stage.token, request, **wanted).status_code == 401


def test_the_reason_is_one_plain_line(stage: Stage) -> None:
    request = signed_for(stage.alice, FILE)
    names = "arn:aws:s3:::\u00fc\u8a9e" + "x" * 4000
    response = ask_by_headers(stage.token, request, X_Iamconsole_Resource=names.encode().decode("latin-1"))
    assert response.status_code == 403
    assert response["X-Iamconsole-Decision"] == "implicitDeny"
    reason = response["X-Iamconsole-Reason"]
    assert reason.isascii()
    assert len(reason) == 1024
    assert "arn:aws:s3:::??xxx" in reason
    assert names in response.json()["reason"]


def test_the_original_address_scheme_and_agent_are_known_to_conditions(stage: Stage) -> None:
    request = signed_for(stage.alice, FILE)
    asked = {"X_Iamconsole_Action": "office:Enter"}
    assert ask_by_headers(stage.token, request, **asked).status_code == 200
    assert ask_by_headers(stage.token, request, **asked, X_Original_Address="198.51.100.7").status_code == 403
    assert ask_by_headers(stage.token, request, **asked, X_Original_Address=None).status_code == 403


def test_the_door_takes_no_cookies_gives_none_and_is_not_kept(stage: Stage) -> None:
    request = signed_for(stage.alice, FILE)
    response = ask_by_headers(stage.token, request)
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies
    strict = Client(enforce_csrf_checks=True, headers={"host": "localhost", "X-Iamconsole-Token": stage.token})
    assert strict.post("/authorize", question(stage), content_type="application/json").status_code == 200
    far = Client(REMOTE_ADDR="192.0.2.9", headers={"host": "localhost", "X-Iamconsole-Token": stage.token})
    refused: Any = far.post("/authorize", question(stage), content_type="application/json")
    assert refused.status_code == 403
    assert "plain HTTP" in refused.content.decode()


def test_a_question_costs_two_queries(stage: Stage) -> None:
    ask(stage.token, question(stage))
    with CaptureQueriesContext(connection) as captured:
        assert ask(stage.token, question(stage))[0] == 200
    assert [query["sql"].split()[0] for query in captured.captured_queries] == ["SELECT", "SELECT"]


def test_the_use_of_the_key_and_of_the_token_is_noted(stage: Stage) -> None:
    dave = make_user(stage.root, "dave", ALICES)
    token, text = issue(stage.root, "gateway")
    request = signed_for(dave, FILE)
    assert ask_by_headers(text, request).status_code == 403
    key = AccessKey.objects.get(access_key_id=dave.access_key_id)
    assert (key.last_used_service, key.last_used_region) == ("s3", "eu-central-1")
    token.refresh_from_db()
    assert abs(token.last_used_date - key.last_used_date) < timedelta(seconds=5)
    frank = make_user(stage.root, "frank", ALICES)
    assert ask(text, question(stage, access_key_id=frank.access_key_id, action="git:Push"))[0] == 200
    key = AccessKey.objects.get(access_key_id=frank.access_key_id)
    assert (key.last_used_service, key.last_used_region) == ("git", "N/A")
    delete_service_token(stage.root.caller, user_name="gateway", service_token_id=token.service_token_id)


# Who may ask


def test_a_token_that_is_missing_made_up_or_expired_asks_nothing(stage: Stage) -> None:
    token, text = issue(stage.root, "gateway", duration_days=1)
    made_up = (None, "", "icst_", text[:-1], text.upper(), "\u00fc" * 9, "x" * 4000)
    for wrong in made_up:
        status, answer = ask(wrong and wrong.encode().decode("latin-1"), question(stage))
        assert (status, answer["error"]["code"]) == (403, "InvalidServiceToken")
    assert ask_by_headers("icst_made-up", signed_for(stage.alice, FILE))["X-Iamconsole-Error"] == "InvalidServiceToken"
    with time_machine.travel(token.expire_date - timedelta(seconds=1), tick=False):
        assert ask(text, question(stage))[0] == 200
    with time_machine.travel(token.expire_date, tick=False):
        assert ask(text, question(stage))[1]["error"]["code"] == "InvalidServiceToken"
    delete_service_token(stage.root.caller, user_name="gateway", service_token_id=token.service_token_id)
    assert ask(text, question(stage))[1]["error"]["code"] == "InvalidServiceToken"


def test_the_asking_users_policies_decide_whether_it_may_ask(stage: Stage) -> None:
    _, text = issue(stage.root, "alice")
    before = len(events_of(stage.root.account_id))
    for document in (question(stage), question(stage, access_key_id="AKIAIOSFODNN7EXAMPLE")):
        status, answer = ask(text, document)
        assert (status, answer["error"]["code"]) == (403, "AccessDenied")
        assert "is not authorized to perform: iamconsole:Authorize on resource: *" in answer["error"]["message"]
    event = events_of(stage.root.account_id)[before]
    assert (event.action, event.result, event.door) == ("iamconsole:Authorize", "AccessDenied", "verifier")
    assert event.actor_arn == stage.alice.user.arn
    assert ask_by_headers(text, signed_for(stage.alice, FILE)).status_code == 403
    put_user_policy(
        stage.root.caller, user_name="alice", policy_name="ask", policy_document=allow("iamconsole:Authorize")
    )
    assert ask(text, question(stage))[0] == 200


def test_signatures_do_not_land_in_the_trail(stage: Stage) -> None:
    text = issue(stage.root, "mallory")[1]
    request = signed_for(stage.alice, FILE)
    ask(text, {"request": described(request), "action": "s3:GetObject", "resource": "*"})
    event = events_of(stage.root.account_id)[-1]
    assert event.action == "iamconsole:Authorize"
    assert "Signature=" not in repr(event.parameters)


def test_a_failed_signature_is_a_sampled_line_of_the_installation(stage: Stage) -> None:
    before = Event.objects.filter(chain=INSTALLATION).count()
    account = len(events_of(stage.root.account_id))
    response = ask_by_headers(
        stage.token, signed_for(stage.alice, FILE, secret="w" * 40), X_Original_Address="203.0.113.77"
    )
    assert response.status_code == 401
    assert Event.objects.filter(chain=INSTALLATION).count() == before + 1
    event = Event.objects.filter(chain=INSTALLATION).latest("sequence")
    assert (event.result, event.door) == ("SignatureDoesNotMatch", "verifier")
    assert (event.access_key_id, event.source_ip) == (stage.alice.access_key_id, "203.0.113.77")
    assert len(events_of(stage.root.account_id)) == account


def test_a_deleted_user_neither_asks_nor_signs(stage: Stage) -> None:
    erin = make_user(stage.root, "erin", allow("iamconsole:Authorize"))
    _, text = issue(stage.root, "erin")
    mine = question(stage, access_key_id=erin.access_key_id)
    assert ask(text, mine)[1]["principal"]["user_name"] == "erin"
    delete_user_with_credentials(stage.root.caller, user_name="erin")
    assert ask(text, mine)[1]["error"]["code"] == "InvalidServiceToken"
    status, answer = ask(stage.token, mine)
    assert (status, answer["error"]["code"]) == (401, "InvalidClientTokenId")


def test_a_service_learns_nothing_of_another_accounts_keys(stage: Stage) -> None:
    answers = [
        ask(stage.token, question(stage, access_key_id=key))
        for key in (stage.trudy.access_key_id, "AKIAIOSFODNN7EXAMPLE")
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


@pytest.fixture
def scarce(settings: Any) -> Iterator[None]:
    """Ten failures an address, and next to no refill."""
    settings.API_FAILURES_PER_MINUTE = 0.001
    authenticate.failures.cache_clear()
    yield
    authenticate.failures.cache_clear()


def test_whoever_signs_wrongly_shuts_out_nobody_else(stage: Stage, scarce: None) -> None:
    _, text = issue(stage.root, "gateway")
    good = signed_for(stage.alice, FILE)
    wrong = signed_for(stage.mallory, FILE, secret="w" * 40)
    here, there = {"X_Original_Address": "192.0.2.7"}, {"X_Original_Address": "192.0.2.8"}
    assert ask_by_headers(text, good, **here).status_code == 200
    assert ask_by_headers(text, wrong, **here).status_code == 401
    throttled = ask_by_headers(text, wrong, **here)
    assert (throttled.status_code, throttled["Retry-After"]) == (429, "1")
    assert throttled["X-Iamconsole-Error"] == "Throttling"
    assert ask_by_headers(text, good, **here).status_code == 200
    assert ask_by_headers(text, wrong, **there).status_code == 401
    assert ask("icst_guess", question(stage))[0] == 403
    assert ask("icst_guess", question(stage))[0] == 429
    assert ask(text, question(stage))[0] == 200


# The tokens themselves


def test_a_token_is_shown_once_and_kept_as_its_digest(stage: Stage) -> None:
    token, text = issue(stage.root, "mallory", description="the gateway of the files")
    assert text.startswith("icst_")
    assert len(text) == 48
    assert token.token_digest == hashlib.sha256(text.encode()).hexdigest()
    assert token.expire_date - token.create_date == timedelta(days=90)
    listed = list_service_tokens(stage.root.caller, user_name="mallory")
    assert listed[-1].description == "the gateway of the files"
    assert not [value for value in vars(listed[-1]).values() if value == text]


def test_a_user_may_hold_five_tokens(root: Person, bob: Person) -> None:
    tokens = [issue(root, "bob")[0] for _ in range(5)]
    with pytest.raises(LimitExceeded, match="ServiceTokensPerUser: 5"):
        create_service_token(root.caller, user_name="bob")
    with pytest.raises(DeleteConflict, match="must delete access keys first"):
        delete_user(root.caller, user_name="bob")
    delete_access_key(root.caller, user_name="bob", access_key_id=bob.access_key_id)
    with pytest.raises(DeleteConflict, match="must delete service tokens first"):
        delete_user(root.caller, user_name="bob")
    for token in tokens:
        delete_service_token(root.caller, user_name="bob", service_token_id=token.service_token_id)
    with pytest.raises(NoSuchEntity):
        delete_service_token(root.caller, user_name="bob", service_token_id=tokens[0].service_token_id)
    delete_user(root.caller, user_name="bob")


@pytest.mark.parametrize("days", [0, 366, -1])
def test_a_token_lives_a_day_to_a_year(root: Person, bob: Person, days: int) -> None:
    with pytest.raises(ValidationError):
        create_service_token(root.caller, user_name="bob", duration_days=days)


def test_the_root_user_has_no_tokens(root: Person) -> None:
    with pytest.raises(Fault):
        create_service_token(root.caller)


def test_another_users_token_is_not_to_be_deleted(root: Person, bob: Person, alice: Person) -> None:
    token, _ = issue(root, "alice")
    with pytest.raises(NoSuchEntity):
        delete_service_token(root.caller, user_name="bob", service_token_id=token.service_token_id)


def test_the_aws_door_asks_the_same_question(stage: Stage, server: Path) -> None:
    """Whoever signs for himself can ask without a token."""
    parameters = {"ActionName": "s3:GetObject", "ResourceArn": "arn:aws:s3:::files/alice/a"}
    body = body_of("Authorize", "iamconsole", **parameters, **{"Signer.AccessKeyId": stage.alice.access_key_id})
    answer = send(signed(stage.asker, body, service="iamconsole"))
    assert (answer.status, answer.text("Decision"), answer.text("UserName")) == (200, "allowed", "alice")
    assert send(signed(stage.mallory, body, service="iamconsole")).code == "AccessDenied"


# Anything at all

ODD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "\x00", "\r\n", "\ud800", "AWS4-HMAC-SHA256 Credential=/////", "A" * 9000, "/" * 50, "%", "?&="]
    ),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ODD),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(ODD, inner, max_size=3)),
    max_leaves=8,
)


def test_no_document_makes_the_server_fail(stage: Stage) -> None:
    good = question(stage)
    told = described(signed_for(stage.alice, FILE))
    names = st.sampled_from([*good, "request", "context", "resource_policy", "other"])
    requests = st.dictionaries(st.sampled_from([*told, "body_sha256"]), VALUES, max_size=3).map(
        lambda changes: {"access_key_id": None, "request": {**told, **changes}}
    )
    headers = st.lists(st.tuples(ODD, ODD).map(list), max_size=4).map(
        lambda more: {"access_key_id": None, "request": {**told, "headers": told["headers"] + more}}
    )
    changes = st.one_of(st.dictionaries(names, VALUES, max_size=3), requests, headers)

    @STEADY
    @given(changes=changes)
    def change(changes: dict[str, Any]) -> None:
        status, answer = ask(stage.token, {**good, **changes})
        assert status < 500
        assert ("error" in answer) is (status != 200)

    @STEADY
    @given(body=st.one_of(st.binary(max_size=200), ODD.map(lambda text: text.encode("utf-8", "surrogatepass"))))
    def junk(body: bytes) -> None:
        assert ask(stage.token, body)[0] == 400

    change()
    junk()


def test_no_header_makes_the_server_fail(stage: Stage) -> None:
    request = signed_for(stage.alice, FILE)
    names = [
        *("Authorization", "X-Amz-Date", "X-Amz-Content-SHA256", "X-Amz-Security-Token", "Date", "User-Agent"),
        *("X-Original-Method", "X-Original-URI", "X-Original-Host", "X-Original-Content-Length", "X-Original-Address"),
        *("X-Original-Scheme", "X-Original-Transfer-Encoding", "X-Iamconsole-Action", "X-Iamconsole-Resource"),
        *("X-Iamconsole-Token", "X-Forwarded-Host", "Cookie", "Content-Type"),
    ]
    # A server hands on no line ends and no characters above the first 256: each stands for a byte.
    texts = ODD.map(lambda text: text.encode("utf-8", "replace").decode("latin-1").replace("\r", "").replace("\n", ""))

    @STEADY
    @given(changes=st.dictionaries(st.sampled_from(names), texts, max_size=4))
    def ask_with(changes: dict[str, str]) -> None:
        response = ask_by_headers(stage.token, request, **changes)
        assert response.status_code in (200, 400, 401, 403)
        assert (response.status_code == 200) is (response.get("X-Iamconsole-Decision") == "allowed")

    ask_with()
