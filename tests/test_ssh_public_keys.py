"""SSH public keys through boto3 and the aws CLI, in AWS's words, and hostile uploads."""

import base64
import random
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from credentials.operations.service_tokens import create_service_token
from credentials.ssh import public_keys
from credentials.ssh.authorized_keys import authorized_keys_line
from credentials.ssh.models import SSHPublicKey
from credentials.ssh.public_keys import parse
from iamconsole.errors import Fault, InvalidPublicKey, UnrecognizedPublicKeyEncoding
from tests.aws_cli import aws
from tests.conftest import SECRETS, Person, allow, make_user
from tests.der import dh_public_key, pem
from tests.everything import new_target
from tests.faults import fault_of
from tests.raw import exchange
from tests.ssh_keys import generate, new_ssh_key, public_half
from tests.test_races import MANY, at_once, clients, codes

UNRECOGNIZED = ("UnrecognizedPublicKeyEncoding", 400, "Invalid public key uploaded.")
INVALID = ("InvalidPublicKey", 400, "Invalid body for public key")
DUPLICATE = ("DuplicateSSHPublicKey", 400, "Duplicate SSH public key uploaded.")


def field(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def line(key_type: str, *parts: bytes) -> str:
    return f"{key_type} {base64.b64encode(field(key_type.encode(), *parts)).decode()}"


def sk_key(application: bytes = b"ssh:") -> str:
    return line("sk-ssh-ed25519@openssh.com", Ed25519PrivateKey.generate().public_key().public_bytes_raw(), application)


@pytest.fixture
def dave(iam: Any) -> str:
    return str(iam.create_user(UserName="dave")["User"]["UserName"])


def test_a_key_is_uploaded_read_in_both_encodings_listed_switched_and_deleted(
    iam: Any, dave: str, tmp_path: Path
) -> None:
    path = generate(tmp_path, "rsa", "-b", "2048")
    body = public_half(path)
    made = iam.upload_ssh_public_key(UserName=dave, SSHPublicKeyBody=body)["SSHPublicKey"]
    assert made["SSHPublicKeyId"].startswith("APKA")
    assert len(made["SSHPublicKeyId"]) == 20
    assert made["SSHPublicKeyBody"] == " ".join(body.split()[:2])
    shown = subprocess.run(
        ["ssh-keygen", "-E", "md5", "-lf", f"{path}.pub"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[1] == f"MD5:{made['Fingerprint']}"
    named = {"UserName": dave, "SSHPublicKeyId": made["SSHPublicKeyId"]}
    assert iam.get_ssh_public_key(**named, Encoding="SSH")["SSHPublicKey"] == made
    pem = iam.get_ssh_public_key(**named, Encoding="PEM")["SSHPublicKey"]["SSHPublicKeyBody"]
    command = ["ssh-keygen", "-e", "-m", "PKCS8", "-f", f"{path}.pub"]
    assert pem == subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert fault_of(iam.upload_ssh_public_key, UserName=dave, SSHPublicKeyBody=pem) == DUPLICATE
    [listed] = iam.list_ssh_public_keys(UserName=dave)["SSHPublicKeys"]
    assert listed == {name: made[name] for name in ("UserName", "SSHPublicKeyId", "Status", "UploadDate")}
    iam.update_ssh_public_key(**named, Status="Inactive")
    assert iam.get_ssh_public_key(**named, Encoding="SSH")["SSHPublicKey"]["Status"] == "Inactive"
    assert fault_of(iam.update_ssh_public_key, **named, Status="Expired")[0] == "InvalidInput"
    assert fault_of(iam.delete_user, UserName=dave)[2] == "Cannot delete entity, must remove referenced objects first."
    iam.delete_ssh_public_key(**named)
    gone = ("NoSuchEntity", 404, f"The Public Key with id {made['SSHPublicKeyId']} cannot be found.")
    assert fault_of(iam.get_ssh_public_key, **named, Encoding="SSH") == gone
    assert fault_of(iam.delete_ssh_public_key, **named) == gone


def test_a_key_of_another_user_is_said_to_be_not_this_users(iam: Any, dave: str) -> None:
    iam.create_user(UserName="erin")
    key_id = iam.upload_ssh_public_key(UserName=dave, SSHPublicKeyBody=new_ssh_key())["SSHPublicKey"]["SSHPublicKeyId"]
    fault = fault_of(iam.get_ssh_public_key, UserName="erin", SSHPublicKeyId=key_id, Encoding="SSH")
    assert fault == ("NoSuchEntity", 404, f"User has no Public Key with id {key_id}.")


@pytest.mark.asvs("2.3.2")
def test_a_user_holds_five_and_the_paginator_finds_them_all(iam: Any, dave: str) -> None:
    made = [
        iam.upload_ssh_public_key(UserName=dave, SSHPublicKeyBody=new_ssh_key())["SSHPublicKey"]["SSHPublicKeyId"]
        for _ in range(5)
    ]
    fault = fault_of(iam.upload_ssh_public_key, UserName=dave, SSHPublicKeyBody=new_ssh_key())
    assert fault == ("LimitExceeded", 409, "Cannot exceed quota for SSHPublicKeysPerUser: 5")
    pages = list(iam.get_paginator("list_ssh_public_keys").paginate(UserName=dave, PaginationConfig={"PageSize": 2}))
    assert [len(page["SSHPublicKeys"]) for page in pages] == [2, 2, 1]
    assert [key["SSHPublicKeyId"] for page in pages for key in page["SSHPublicKeys"]] == made


def test_no_sixth_key_and_no_key_twice_however_many_upload_at_once(root: Person, alice: Person, server: Path) -> None:
    each = clients(alice)
    new_target(root, "dave")
    bodies = [new_ssh_key() for _ in each]
    answers = at_once(
        [
            lambda iam=iam, body=body: iam.upload_ssh_public_key(UserName="dave", SSHPublicKeyBody=body)
            for iam, body in zip(each, bodies, strict=True)
        ]
    )
    assert codes(answers) == {"done": 5, "LimitExceeded": MANY - 5}
    new_target(root, "erin")
    answers = at_once(
        [lambda iam=iam: iam.upload_ssh_public_key(UserName="erin", SSHPublicKeyBody=bodies[0]) for iam in each]
    )
    assert codes(answers) == {"done": 1, "DuplicateSSHPublicKey": MANY - 1}


def test_the_aws_cli_does_all_five(iam: Any, alice: Person, dave: str) -> None:
    cli = partial(aws, alice, "iam")
    user = ("--user-name", dave)
    made = cli("upload-ssh-public-key", *user, "--ssh-public-key-body", new_ssh_key())["SSHPublicKey"]
    one = (*user, "--ssh-public-key-id", made["SSHPublicKeyId"])
    pem = cli("get-ssh-public-key", *one, "--encoding", "PEM")["SSHPublicKey"]["SSHPublicKeyBody"]
    assert pem.startswith("-----BEGIN PUBLIC KEY-----\n")
    cli("update-ssh-public-key", *one, "--status", "Inactive")
    assert [key["Status"] for key in cli("list-ssh-public-keys", *user)["SSHPublicKeys"]] == ["Inactive"]
    cli("delete-ssh-public-key", *one)
    assert cli("list-ssh-public-keys", *user)["SSHPublicKeys"] == []


def test_a_key_in_a_security_key_is_taken_and_has_no_pem(iam: Any, dave: str) -> None:
    made = iam.upload_ssh_public_key(UserName=dave, SSHPublicKeyBody=sk_key())["SSHPublicKey"]
    named = {"UserName": dave, "SSHPublicKeyId": made["SSHPublicKeyId"]}
    assert fault_of(iam.get_ssh_public_key, **named, Encoding="PEM")[0] == "UnrecognizedPublicKeyEncoding"


# What is read


@pytest.mark.pure
@pytest.mark.parametrize("kind", [("rsa", "-b", "1024"), ("dsa",)], ids=["RSA of 1024 bits", "DSA"])
def test_a_short_key_and_a_kind_that_is_not_taken_are_refused(tmp_path: Path, kind: tuple[str, ...]) -> None:
    fault = InvalidPublicKey if kind[0] == "rsa" else UnrecognizedPublicKeyEncoding
    with pytest.raises(fault):
        parse(public_half(generate(tmp_path, *kind)))


@pytest.mark.pure
def test_points_by_which_anybody_could_sign_are_no_keys() -> None:
    y8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc"
    other = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03"
    for point in ("00" * 32, "01" + "00" * 31, "00" * 31 + "80", "ec" + "ff" * 30 + "7f", f"{y8}05", f"{y8}85",
                  f"{other}7a", f"{other}fa", "ed" + "ff" * 30 + "7f", "02" + "00" * 31):  # fmt: skip
        with pytest.raises(InvalidPublicKey):
            parse(line("ssh-ed25519", bytes.fromhex(point)))


def test_a_key_of_another_kind_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a Diffie-Hellman key OpenSSL would check the primes, for half a minute and longer than any timeout."""
    monkeypatch.setattr(public_keys, "load_der_public_key", lambda *given: pytest.fail("it is looked at"))
    for label in ("PUBLIC KEY", "RSA PUBLIC KEY"):
        with pytest.raises(UnrecognizedPublicKeyEncoding):
            parse(pem(label, dh_public_key()))


def hostile(turn: random.Random) -> str:
    """An upload that would do harm if its text were kept, or is no key at all."""
    good, other = new_ssh_key(), new_ssh_key()
    key_type, text = good.split()
    end = turn.choice(["\n", "\r", "\r\n", "\x0b", "\x0c", "\x00", "\t", "\x85", "\u2028", " \n "])
    junk = "".join(turn.choice("AZaz09+/= \n\r\t\"',\\#$`") for _ in range(turn.randrange(1, 80)))
    at = turn.randrange(len(good))
    raw = base64.b64decode(text)
    return turn.choice(
        [
            f'{good}{end}command="id" {other}',
            f"{good}{end}{other}",
            f"{other}{end}",
            f'command="id" {good}',
            f'restrict,environment="A=b" {good}',
            f'{good} a comment; $(id) `id` command="id"',
            f'{good} x{end}command="id" {other}',
            good[:at] + junk + good[at:],
            good[:at] + end + good[at:],
            f"{key_type} {text[:at]}",
            f"{key_type}{end}{text}",
            f"ssh-rsa {text}",
            f"{key_type} {base64.b64encode(raw + turn.randbytes(3)).decode()}",
            f"{key_type} {base64.b64encode(raw[:-1]).decode()}",
            line("ssh-rsa", b"\x03", turn.randbytes(128) + b"\x01"),
            line("ssh-rsa", b"\x01\x00\x01", b"\x00" + b"\xff" * turn.choice([1, 128, 255, 1025, 2048])),
            line("ssh-rsa", b"\x00\x01\x00\x01", b"\x00" + b"\xff" * 256),
            line("ecdsa-sha2-nistp256", b"nistp256", b"\x04" + turn.randbytes(64)),
            line("ecdsa-sha2-nistp256", b"nistp521", b"\x04" + turn.randbytes(64)),
            line("ssh-ed25519-cert-v01@openssh.com", turn.randbytes(32), turn.randbytes(32)),
            sk_key(f"ssh:{end}command=id".encode()),
            sk_key(b"x"),
            f"-----BEGIN PUBLIC KEY-----\n{junk}\n-----END PUBLIC KEY-----",
            pem(turn.choice(["PUBLIC KEY", "RSA PUBLIC KEY"]), dh_public_key()),
            parse(good).pem + parse(other).pem,
            f"{parse(good).pem}{other}",
            junk,
            "#" + good,
            f"@cert-authority {good}",
            f"cert-authority {good}",
        ]
    )


@pytest.mark.pure
@pytest.mark.asvs("1.2.5")
def test_of_500_hostile_uploads_nothing_but_a_keys_own_line_is_left() -> None:
    turn, kept = random.Random(5), 0
    for _ in range(500):
        body = hostile(turn)
        try:
            key = parse(body)
        except (InvalidPublicKey, UnrecognizedPublicKeyEncoding):
            continue
        kept += 1
        key_type, text = key.line.split(" ")
        assert key_type in ("ssh-ed25519", "sk-ssh-ed25519@openssh.com")
        assert base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
        assert key.line.isascii()
        assert key.line.isprintable()
        assert parse(key.line) == key
        assert authorized_keys_line(key.line, (), {}) == f"restrict {key.line}"
    assert 0 < kept < 150


def test_hostile_uploads_through_the_api_store_one_line_each(
    iam: Any, dave: str, rounds: Callable[[int, int], int]
) -> None:
    turn, stored = random.Random(6), 0
    for _ in range(rounds(60, 500)):
        body = "".join(char for char in hostile(turn) if char in "\t\n\r" or " " <= char <= "\xff")
        try:
            made = iam.upload_ssh_public_key(UserName=dave, SSHPublicKeyBody=body)["SSHPublicKey"]
        except iam.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            assert code in ("InvalidPublicKey", "UnrecognizedPublicKeyEncoding", "ValidationError"), body
            continue
        stored += 1
        kept = SSHPublicKey.objects.get(ssh_public_key_id=made["SSHPublicKeyId"])
        assert kept.body == made["SSHPublicKeyBody"] == public_keys.parse(body).line
        iam.delete_ssh_public_key(UserName=dave, SSHPublicKeyId=made["SSHPublicKeyId"])
    assert stored > 0


# sshd's door


def asks(token: str, login: str, key: str) -> Any:
    from urllib.parse import urlencode

    key_type, text = key.split()
    body = urlencode({"login": login, "type": key_type, "key": text}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Iamconsole-Token": token}
    return exchange("POST", "/ssh/authorized-keys", body, headers)


def token_of(root: Person, name: str) -> str:
    issued = create_service_token(root.caller, user_name=name)
    SECRETS.append(issued.secret["token"])
    return str(issued.secret["token"])


def test_the_lookup_is_a_right_of_its_own_and_of_one_account(
    root: Person, alice: Person, trudy: Person, iam: Any, dave: str
) -> None:
    key = new_ssh_key()
    iam.upload_ssh_public_key(UserName=dave, SSHPublicKeyBody=key)
    make_user(root, "sshd", allow("iamconsole:LookUpSSHKey"))
    make_user(root, "gateway", allow("iamconsole:Authorize", "iam:*"))
    asker = token_of(root, "sshd")
    answer = asks(asker, "git", key)
    assert answer.status == 200
    assert answer.body.decode().startswith("restrict,environment=")
    assert answer.body.decode().endswith(f" {key}\n")
    assert asks(token_of(root, "gateway"), "git", key).status == 403
    assert asks(token_of(trudy, "trudy"), "git", key).status == 404
    assert asks("icst_none", "git", key).status == 403
    for login in ("root", "dave", "www-data"):
        assert asks(asker, login, key).status == 404
    assert asks(asker, "git", new_ssh_key()).status == 404
    assert exchange("GET", "/ssh/login-names", b"", {"X-Iamconsole-Token": asker}).status == 403


def test_of_two_users_with_one_key_nobody_comes_in_by_it_alone_and_the_log_says_why(
    server: Path, root: Person, trudy: Person, iam: Any, dave: str
) -> None:
    """Mallory uploads dave's public key, and the like is done in another account, which is not to be felt."""
    key = new_ssh_key()
    dave_id = iam.upload_ssh_public_key(UserName=dave, SSHPublicKeyBody=key)["SSHPublicKey"]["SSHPublicKeyId"]
    make_user(root, "sshd", allow("iamconsole:LookUpSSHKey"))
    asker = token_of(root, "sshd")
    trudy.client().upload_ssh_public_key(UserName="trudy", SSHPublicKeyBody=key)
    assert asks(asker, "git", key).status == 200
    iam.create_user(UserName="mallory")
    mallory_id = iam.upload_ssh_public_key(UserName="mallory", SSHPublicKeyBody=key)["SSHPublicKey"]["SSHPublicKeyId"]
    said = len(server.read_text())
    assert asks(asker, "git", key).status == 404
    log = server.read_text()[said:]
    named = f"{parse(key).sha256_fingerprint} ({', '.join(sorted((dave_id, mallory_id)))})"
    assert f"Nobody comes in as git: several users have the SSH public key {named}" in log
    for login, name in ((dave_id, "dave"), (mallory_id, "mallory")):
        assert f"IAMCONSOLE_USER_NAME={name}" in asks(asker, login, key).body.decode()
    iam.update_ssh_public_key(UserName="mallory", SSHPublicKeyId=mallory_id, Status="Inactive")
    assert "IAMCONSOLE_USER_NAME=dave" in asks(asker, "git", key).body.decode()


def test_options_and_faults_are_no_users_to_choose() -> None:
    with pytest.raises(ValueError, match="cannot be told"):
        authorized_keys_line(new_ssh_key(), (), {"IAMCONSOLE_ARN": "a\nb"})
    with pytest.raises(ValueError, match="cannot be told"):
        authorized_keys_line(new_ssh_key(), (), {"LD_PRELOAD": "a"})
    assert issubclass(InvalidPublicKey, Fault)
