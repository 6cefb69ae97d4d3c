"""Hardware tokens from vendors' files: CSV and PSKC (RFC 6030), the hostile ones too."""

import base64
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from api.shapes import services
from credentials import token_files
from credentials.mfa.models import HardwareToken, seed_of
from credentials.operations.hardware_tokens import delete_hardware_token, import_hardware_tokens, list_hardware_tokens
from credentials.operations.mfa_devices import deactivate_mfa_device, enable_mfa_device
from iamconsole.errors import DeleteConflict, EntityAlreadyExists, InvalidInput, LimitExceeded, NoSuchEntity
from tests.authenticators import App, give_app, in_mfa_session
from tests.conftest import SECRETS, Person
from tests.raw import send, signed
from tests.rows import events_of

SEED = "3132333435363738393031323334353637383930"
OTHER = "4142434445464748494a4b4c4d4e4f5051525354"
CSV = f"serial_number,seed_hex,digits,period\nTOKEN-0001,{SEED},6,30\nTOKEN-0002,{OTHER},6,60\n".encode()
SECRETS.extend([base64.b32encode(bytes.fromhex(seed)).decode() for seed in (SEED, OTHER)])
PSKC = """<?xml version="1.0" encoding="UTF-8"?>
<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc">
  <KeyPackage>
    <DeviceInfo><Manufacturer>Acme</Manufacturer><SerialNo>{serial}</SerialNo></DeviceInfo>
    <Key Id="1" Algorithm="{algorithm}">
      <Issuer>Acme</Issuer>
      <AlgorithmParameters>{suite}<ResponseFormat Length="{digits}" Encoding="DECIMAL"/></AlgorithmParameters>
      <Data><Secret>{secret}</Secret><Time><PlainValue>0</PlainValue></Time>
      <TimeInterval><PlainValue>{period}</PlainValue></TimeInterval></Data>
    </Key>
  </KeyPackage>
</KeyContainer>"""


def pskc(**other: str) -> bytes:
    """A file of one token, with some of it changed."""
    given = {
        "serial": "TOKEN-0003",
        "algorithm": "urn:ietf:params:xml:ns:keyprov:pskc:totp",
        "suite": "",
        "digits": "6",
        "secret": f"<PlainValue>{base64.b64encode(bytes.fromhex(SEED)).decode()}</PlainValue>",
        "period": "30",
    }
    return PSKC.format(**{**given, **other}).encode()


@pytest.mark.parametrize(
    ("file", "form", "period"), [(CSV.splitlines(keepends=True), "csv", 30), (pskc(period="60"), "pskc", 60)]
)
def test_a_token_of_a_file_shows_its_codes(file: Any, form: str, period: int, root: Person) -> None:
    octets = b"".join(file[:2]) if isinstance(file, list) else file
    [token] = import_hardware_tokens(root.caller, token_file=octets, file_format=form)
    assert (token.user, token.period, seed_of(token).hex()) == (None, period, SEED)
    app = App(token.serial_number, bytes.fromhex(SEED), period)
    bob_of(root)
    enable_mfa_device(in_mfa_session(root), user_name="bob", **app.two_codes(-1))
    assert HardwareToken.objects.get(account=root.account_id).user is not None


def bob_of(root: Person) -> None:
    from accounts.operations.users import create_user

    create_user(root.caller, user_name="bob")


def test_the_inventory_lists_and_deletes(root: Person, trudy: Person) -> None:
    import_hardware_tokens(root.caller, token_file=CSV)
    listed = list_hardware_tokens(root.caller).items
    assert [(each.serial_number, each.period) for each in listed] == [("TOKEN-0001", 30), ("TOKEN-0002", 60)]
    with pytest.raises(EntityAlreadyExists):
        import_hardware_tokens(root.caller, token_file=CSV)
    # Another account may have tokens with the same numbers, and sees none of these.
    assert list_hardware_tokens(trudy.caller).items == []
    import_hardware_tokens(trudy.caller, token_file=CSV)
    bob_of(root)
    app = App("TOKEN-0001", bytes.fromhex(SEED))
    enable_mfa_device(in_mfa_session(root), user_name="bob", **app.two_codes(-1))
    with pytest.raises(DeleteConflict):
        delete_hardware_token(root.caller, serial_number="TOKEN-0001")
    deactivate_mfa_device(in_mfa_session(root), user_name="bob", serial_number="TOKEN-0001")
    delete_hardware_token(root.caller, serial_number="TOKEN-0001")
    with pytest.raises(NoSuchEntity):
        delete_hardware_token(root.caller, serial_number="TOKEN-0001")
    phone = give_app(root.account_id, None, "phone")
    with pytest.raises(NoSuchEntity):
        delete_hardware_token(root.caller, serial_number=phone.serial_number)


def test_a_file_comes_through_the_api_and_its_seeds_stand_nowhere(root: Person, server: Path) -> None:
    form = {
        "Action": "ImportHardwareTokens",
        "Version": services()["iamconsole"].api_version,
        "TokenFile": base64.b64encode(CSV).decode(),
        "FileFormat": "csv",
    }
    answer = send(signed(root, urlencode(form).encode(), service="iamconsole"))
    assert answer.status == 200
    assert answer.text("SerialNumber") == "TOKEN-0001"
    line = events_of(root.account_id)[-1]
    assert line.parameters["token_file"] == "***"
    for text in (answer.body.decode().lower(), repr((line.parameters, line.response)).lower()):
        assert SEED not in text


def test_all_of_a_file_is_taken_or_nothing(root: Person) -> None:
    half = CSV + b"short,00,6,30\n"
    with pytest.raises(InvalidInput, match="line 4"):
        import_hardware_tokens(root.caller, token_file=half)
    assert list_hardware_tokens(root.caller).items == []


def test_an_account_has_as_many_tokens_as_its_quota(root: Person) -> None:
    from accounts.models import Account

    Account.objects.filter(pk=root.account_id).update(quotas={"HardwareTokensPerAccount": 1})
    with pytest.raises(LimitExceeded):
        import_hardware_tokens(root.caller, token_file=CSV)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "first line"),
        (b"serial_number,seed_hex\n", "no tokens"),
        (b"serial,seed\nTOKEN-0001,00\n", "first line"),
        (b"serial_number,seed_hex,seed_base32\nTOKEN-0001,00,AA\n", "first line"),
        (b"serial_number,seed_hex\nTOKEN-0001\n", "line 2"),
        (b"serial_number,seed_hex\nTOKEN-0001,00,00\n", "line 2"),
        (b"serial_number,seed_hex\nTOKEN-0001,xx\n", "seed of line 2 cannot"),
        (b"serial_number,seed_hex\nTOKEN-0001,0011\n", "16 bits"),
        (b"serial_number,seed_base32\nTOKEN-0001,1111\n", "cannot be read"),
        (f"serial_number,seed_hex\n12345678,{SEED}\n".encode(), "serial number of line 2"),
        (f"serial_number,seed_hex\narn:aws:iam::1:mfa/x,{SEED}\n".encode(), "serial number of line 2"),
        (f"serial_number,seed_hex\nTÖKEN-0001,{SEED}\n".encode(), "serial number of line 2"),
        (f"serial_number,seed_hex,digits\nTOKEN-0001,{SEED},8\n".encode(), "6 digits"),
        (f"serial_number,seed_hex,period\nTOKEN-0001,{SEED},0\n".encode(), "period"),
        (f"serial_number,seed_hex,period\nTOKEN-0001,{SEED},９\n".encode(), "period"),  # noqa: RUF001
        (f"serial_number,seed_hex\nTOKEN-0001,{SEED}\nTOKEN-0001,{SEED}\n".encode(), "twice"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b'serial_number,seed_hex\n"TOKEN', "no CSV"),
        (b"serial_number,seed_hex\nTOKEN-0001,\x00\n", "cannot be read"),
        (b"serial_number,seed_hex\n" + b"a" * 200_000 + b",00\n", "no CSV"),
        (b"a" * (2 * 1024 * 1024 + 1), "larger"),
    ],
)
def test_a_wrong_csv_is_refused_with_the_reason(file: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        token_files.read(file, "csv")


@pytest.mark.pure
def test_spaces_base32_and_a_byte_order_mark_are_read() -> None:
    text = base64.b32encode(bytes.fromhex(SEED)).decode().lower()
    file = f"\ufeffserial_number,seed_base32\r\n TOKEN-0001 ,{text[:8]} {text[8:]}\r\n".encode()
    [token] = token_files.read(file, "csv")
    assert (token.serial_number, token.seed.hex(), token.period) == ("TOKEN-0001", SEED, 30)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"serial": "short"}, "serial number"),
        ({"algorithm": "urn:ietf:params:xml:ns:keyprov:pskc:hotp"}, "algorithm"),
        ({"suite": "<Suite>HMAC-SHA256</Suite>"}, "suite"),
        ({"digits": "8"}, "6 digits"),
        ({"secret": "<EncryptedValue/>"}, "encrypted"),
        ({"secret": "<PlainValue>!</PlainValue>"}, "cannot be read"),
        ({"secret": "<PlainValue/>"}, "0 bits"),
        ({"period": "-30"}, "period"),
    ],
)
def test_a_wrong_pskc_key_is_refused_with_the_reason(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        token_files.read(pskc(**changes), "pskc")


BOMB = (
    '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">'
    '<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">]><a>&e;</a>'
)


@pytest.mark.pure
@pytest.mark.asvs("1.5.1")
@pytest.mark.parametrize(
    "file",
    [
        BOMB.encode(),
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:9/"> %b;]><a/>',
        b"<a/>",
        b"<a",
        b"",
        b"\xff\xfe<\x00a\x00/\x00>\x00",
        b'<?xml version="1.0" encoding="none-such"?><a/>',
        b"<a>" * 200_000,
        b"<a>" * 50_000 + b"</a>" * 50_000,
        b'<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc"/>',
        b'<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc"><KeyPackage/></KeyContainer>',
    ],
)
def test_a_hostile_xml_is_refused_and_no_entity_of_it_is_looked_at(file: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        token_files.read(file, "pskc")
    assert ("has a DTD" in caught.value.message) is file.startswith(b"<!DOCTYPE")
