"""What is sealed in the tables: swapped between two rows or altered by a bit it does not open, and who needs it is refused."""

import base64
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command
from django.utils import timezone

from credentials.access_keys import secret_of
from credentials.certificate_models import ServerCertificate, private_key_of
from credentials.mfa import codes
from credentials.mfa.models import MFADevice, seed_of
from credentials.mfa.throttle import Guesser
from credentials.models import AccessKey
from credentials.operations.server_certificates import upload_server_certificate
from credentials.rotation import SEALED, SealedColumn
from credentials.sealing import SealBrokenError
from iamconsole.errors import InvalidAuthenticationCode
from tests.authenticators import give_app
from tests.certificate_authority import served
from tests.conftest import Person, make_user
from tests.rows import events_of

Rounds = Callable[[int, int], int]


def new_key(root: Person, name: str) -> AccessKey:
    return AccessKey.objects.get(access_key_id=make_user(root, name).access_key_id)


def new_device(root: Person, name: str) -> MFADevice:
    return MFADevice.objects.get(serial_number=give_app(root.account_id, None, name).serial_number)


def new_certificate(root: Person, name: str) -> ServerCertificate:
    made: ServerCertificate = upload_server_certificate(
        root.caller, server_certificate_name=name, **served().values
    ).server_certificate_metadata
    return made


# How a row of each is made, and what opens it in the product.
OF_EACH: dict[Any, tuple[Callable[[Person, str], Any], Callable[[Any], Any]]] = {
    AccessKey: (new_key, secret_of),
    MFADevice: (new_device, seed_of),
    ServerCertificate: (new_certificate, private_key_of),
}


@contextmanager
def stored(sealed: SealedColumn, texts: dict[Any, str]) -> Iterator[None]:
    """The rows with other texts in the table, and with their own again at the end."""
    try:
        for row, text in texts.items():
            assert sealed.model.objects.filter(pk=row.pk).update(**{sealed.attribute: text}) == 1
        yield
    finally:
        for row in texts:
            own = {sealed.attribute: getattr(row, sealed.attribute)}
            assert sealed.model.objects.filter(pk=row.pk).update(**own) == 1


def swapped(sealed: SealedColumn, one: Any, other: Any) -> dict[Any, str]:
    return {one: getattr(other, sealed.attribute), other: getattr(one, sealed.attribute)}


def last_bit_flipped(sealed: str) -> str:
    key_id, _, encoded = sealed.partition(":")
    data = bytearray(base64.b64decode(encoded))
    data[-1] ^= 1
    return f"{key_id}:{base64.b64encode(data).decode()}"


def of(model: Any) -> SealedColumn:
    return next(each for each in SEALED if each.model is model)


def test_every_sealed_column_is_asked_here() -> None:
    assert {each.model for each in SEALED} == OF_EACH.keys()


@pytest.mark.asvs("11.3.3")
@pytest.mark.parametrize("sealed", SEALED, ids=lambda sealed: sealed.column)
def test_in_its_table_nothing_opens_that_was_swapped_or_altered(
    sealed: SealedColumn, root: Person, trudy: Person, rounds: Rounds
) -> None:
    make, opened = OF_EACH[sealed.model]
    mine, neighbours, foreign = make(root, "mine"), make(root, "neighbours"), make(trudy, "mine")

    def refused(row: Any) -> None:
        with pytest.raises(SealBrokenError, match=f"{sealed.column} of {row.sealed_row} does not open"):
            opened(sealed.rows().get(pk=row.pk))

    own = {row: opened(sealed.rows().get(pk=row.pk)) for row in (mine, neighbours, foreign)}
    for other in (neighbours, foreign):
        with stored(sealed, swapped(sealed, mine, other)):
            refused(mine)
            refused(other)
    key_id, _, encoded = getattr(mine, sealed.attribute).partition(":")
    data, chance = base64.b64decode(encoded), random.Random(7)
    for bit in chance.sample(range(len(data) * 8), rounds(60, 300)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with stored(sealed, {mine: f"{key_id}:{base64.b64encode(flipped).decode()}"}):
            refused(mine)
    assert {row: opened(sealed.rows().get(pk=row.pk)) for row in own} == own


@pytest.mark.parametrize("damage", ["swapped", "a bit is flipped"])
def test_a_signature_by_a_secret_that_does_not_open_is_refused_and_logged(
    server: Path, alice: Person, bob: Person, damage: str
) -> None:
    sealed = of(AccessKey)
    keys = [AccessKey.objects.get(access_key_id=each.access_key_id) for each in (alice, bob)]
    texts = (
        swapped(sealed, *keys) if damage == "swapped" else {key: last_bit_flipped(key.sealed_secret) for key in keys}
    )
    said = len(server.read_text())
    with stored(sealed, texts):
        for one, other in ((alice, bob), (bob, alice)):
            for signer in (one, replace(one, secret_access_key=other.secret_access_key)):
                with pytest.raises(ClientError) as refused:
                    signer.client("sts").get_caller_identity()
                assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"
                assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    log = server.read_text()[said:]
    for key in keys:
        reason = f"{sealed.column} of {key.sealed_row} does not open with the key 'test'"
        assert f"{reason}: nothing is signed with this access key until it is replaced" in log.replace('\\"', '"')
    assert "Traceback" not in log
    for person in (alice, bob):
        assert person.secret_access_key not in log
        assert person.client("sts").get_caller_identity()["Arn"].endswith(f"/{person.name}")


def test_codes_of_a_device_whose_seed_does_not_open_are_wrong(root: Person, caplog: pytest.LogCaptureFixture) -> None:
    users = [make_user(root, name).user for name in ("dave", "erin")]
    apps = [give_app(root.account_id, user, str(user.user_name)) for user in users]
    devices = [MFADevice.objects.get(serial_number=app.serial_number) for app in apps]
    now = timezone.now()
    with stored(of(MFADevice), swapped(of(MFADevice), *devices)):
        for user, one in zip(users, devices, strict=True):
            device = MFADevice.objects.get(pk=one.pk)
            for app in apps:
                assert not codes.verify(Guesser(user, "console"), device, app.code(0), now)
                with pytest.raises(InvalidAuthenticationCode):
                    codes.match_two(device, app.code(0), app.code(1), now)
            assert (
                f"of {one.sealed_row} does not open with the key 'test': no code of this device is good" in caplog.text
            )
    for user, device, app in zip(users, devices, apps, strict=True):
        assert codes.verify(Guesser(user, "console"), device, app.code(0), now)


def test_a_certificate_whose_private_key_does_not_open_is_not_exported(
    root: Person, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sealed = of(ServerCertificate)
    made = [new_certificate(root, name) for name in ("www", "other")]
    rows = [ServerCertificate.objects.get(pk=each.pk) for each in made]
    where = ["--account", root.account_id, "--to", str(tmp_path / "tls")]
    with stored(sealed, swapped(sealed, *rows)):
        for row in rows:
            with pytest.raises(CommandError) as refused:
                call_command("export_server_certificate", row.server_certificate_name, *where, stdout=StringIO())
            assert str(refused.value).startswith(
                f"InvalidCertificate: The private key of the server certificate {row.server_certificate_name} does not open"
            )
            assert "PRIVATE KEY" not in str(refused.value) + caplog.text
            assert (
                f"of {row.sealed_row} does not open with the key 'test': this server certificate is not exported"
                in caplog.text
            )
            event = events_of(root.account_id)[-1]
            assert (event.action, event.result) == ("iamconsole:ExportServerCertificate", "InvalidCertificate")
    assert not (tmp_path / "tls").exists()
    call_command("export_server_certificate", "www", *where, stdout=StringIO())
    assert (tmp_path / "tls/current/privkey.pem").exists()
