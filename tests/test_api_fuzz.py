"""Generated requests to every operation of the three models, registered or not: the answer is always one of AWS's kind."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.shapes import OperationModel, Shape, services, snake
from iamconsole import errors
from iamconsole.operation import find
from tests.conftest import ALLOW_ALL, SECRETS, Person, make_account, make_user
from tests.everything import Values, furnish, secrets_in
from tests.raw import Answer, send, signed

MODELS = [model for service in services().values() for model in service.operations.values()]
REGISTERED = [model for model in MODELS if find(model.service, model.name)]
ABSENT = [model for model in MODELS if not find(model.service, model.name)]
# Refusals that would mean that the rest is never reached.
AUTHENTICATION = {"InvalidClientTokenId", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken"}
STEADY = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
ODD = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\x1f",
        "\x7f",
        "\r\n",
        "\ufffe",
        "\u202e",
        "\u0130",
        "\U0001f600",
        "../..",
        "%00",
        "<a>&amp;]]>",
        "' OR 1=1 --",
        "${aws:username}",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "*",
        "null",
        "-1",
        "1e0",
        "NaN",
        "a" * 5000,
        "{" * 3000,
    ]
)
BY_KIND = {
    "integer": ["1", "10", "0", "01", "+1", "1000", "1001", "-1", "2147483647", "2147483648", "1.0", "", "x", "\u0661"],
    "boolean": ["true", "false", "1", "0", "True", "", "x"],
    "timestamp": ["2026-01-01T00:00:00Z", "2026-01-01", "0", "9" * 12, "9" * 30, "x", "", "0001-01-01T00:00:00+23:59"],
    "blob": ["", "AAAA", "AAA", "!", "AAAA\n"],
}
Pairs = list[tuple[str, str]]


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any], *, of: int = 10) -> st.SearchStrategy[Any]:
    """The usual, and once in ``of`` times the odd. (one_of takes equal branches together.)"""
    return st.integers(1, of).flatmap(lambda drawn: odd if drawn == of else usual)


INDEXES = mostly(st.just("1"), st.sampled_from(["2", "01", "10", "0", "-1", "x", "", "9" * 9, "9" * 11]))


def administrator() -> tuple[Person, Values]:
    """Someone who may do everything in an account of one of each thing, whose name no generated request knows."""
    root = make_account()
    return make_user(root, "Administrator-of-the-fuzz", ALLOW_ALL), furnish(root)


def texts(shape: Shape, known: object) -> st.SearchStrategy[str]:
    """Texts for a scalar: what exists, what is just too short or too long, what the model names, and anything."""
    if shape.kind in BY_KIND:
        return mostly(st.sampled_from(BY_KIND[shape.kind][:2]), st.sampled_from(BY_KIND[shape.kind]), of=4)
    least, most = shape.min or 0, min(shape.max or 200, 140_000)
    edges = [letter * length for length in {max(least - 1, 0), least, most, most + 1} for letter in "aA/"]
    choices = st.one_of(st.sampled_from(edges), ODD, st.text(max_size=20))
    if shape.enum:
        return mostly(st.sampled_from(shape.enum), choices, of=4)
    return mostly(st.sampled_from([known, known, known.upper()]), choices, of=5) if isinstance(known, str) else choices


def pairs(shape: Shape, name: str, known: Values, depth: int = 0) -> st.SearchStrategy[Pairs]:
    """Pairs for a parameter: mostly of its own shape."""
    if depth > 4:
        return st.just([])
    if shape.kind == "structure":
        parts = [
            mostly(asked, st.just([]), of=20) if each in shape.required else mostly(st.just([]), asked, of=3)
            for each, member in shape.members.items()
            for asked in [pairs(member, f"{name}.{each}".removeprefix("."), known, depth + 1)]
        ]
        return st.tuples(*parts).map(joined)
    if shape.kind in ("list", "map"):
        several = st.lists(elements(shape, name, known, depth + 1), max_size=2)
        return mostly(several.map(joined), ODD.map(lambda text: [(name, text)]))
    last = name.rpartition(".")[2]
    return texts(shape, known.get(snake(last))).map(lambda text: [(name, text)])


def elements(shape: Shape, name: str, known: Values, depth: int) -> st.SearchStrategy[Pairs]:
    """Pairs for one element of a list or a map, numbered well or not."""
    if shape.kind == "list":
        inner = pairs(shape.member, f"{name}.member.#", known, depth)
    else:
        key, value = (pairs(shape.parts[part], f"{name}.entry.#.{part}", known, depth) for part in ("key", "value"))
        inner = st.tuples(key, value).map(joined)
    return st.builds(lambda index, found: [(each.replace("#", index), text) for each, text in found], INDEXES, inner)


def joined(parts: Iterable[Pairs]) -> Pairs:
    return [pair for part in parts for pair in part]


def requests(model: OperationModel, known: Values) -> st.SearchStrategy[bytes]:
    """Bodies for one operation, sometimes with junk behind."""
    made = pairs(model.input, "", known) if model.input else st.just([])
    head = b"Action=%s&Version=%s" % (model.name.encode(), services()[model.service].api_version.encode())
    junk = mostly(st.just(b""), st.binary(max_size=40))

    def encoded(found: Pairs, behind: bytes) -> bytes:
        octets = [(name.encode(), value.encode("utf-8", "surrogatepass")) for name, value in found]
        body = [f"{quote_from_bytes(name)}={quote_from_bytes(value)}".encode() for name, value in octets]
        return b"&".join([head, *body, *([behind] if behind else [])])

    return st.builds(encoded, made, junk)


def check(answer: Answer, model: OperationModel) -> None:
    assert answer.status < 500
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.text("RequestId") == answer.headers["x-amzn-requestid"]
    if answer.status == 200:
        assert answer.xml.tag.endswith(f"}}{model.name}Response")
        SECRETS.extend(secrets_in(answer))
        return
    assert answer.xml.tag.endswith("}ErrorResponse")
    assert answer.text("Type") == "Sender"
    assert answer.message
    assert getattr(errors, str(answer.code)).status == answer.status
    assert answer.code not in AUTHENTICATION


def named(models: list[OperationModel]) -> Any:
    return pytest.mark.parametrize("model", models, ids=[f"{model.service}:{model.name}" for model in models])


def ask_whatever(model: OperationModel, admin: Person, known: Values, examples: int) -> None:
    @settings(STEADY, max_examples=examples)
    @given(body=requests(model, known))
    def whatever(body: bytes) -> None:
        check(send(signed(admin, body, service=model.service)), model)

    whatever()


@pytest.fixture(scope="module")
def administrators(rounds: Callable[[int, int], int]) -> Iterator[tuple[Person, Values]]:
    """An administrator for each operation; so many in a row share an account, whose things may then be changed or gone."""
    shared = rounds(10, 1)
    return (stage for stage in iter(administrator, None) for _ in range(shared))


@named(REGISTERED)
def test_whatever_is_asked_is_answered(
    model: OperationModel,
    administrators: Iterator[tuple[Person, Values]],
    server: Path,
    rounds: Callable[[int, int], int],
) -> None:
    ask_whatever(model, *next(administrators), rounds(10, 500))


def test_whatever_is_asked_of_what_is_absent_is_answered(server: Path, rounds: Callable[[int, int], int]) -> None:
    admin, known = administrator()
    for model in ABSENT:
        ask_whatever(model, admin, known, rounds(1, 30))


def test_whatever_bytes_come_are_answered(server: Path, rounds: Callable[[int, int], int]) -> None:
    admin, _ = administrator()
    model = services()["iam"].operations["GetUser"]
    text = st.text(max_size=100).map(lambda made: made.encode("utf-8", "ignore"))

    @settings(STEADY, max_examples=rounds(50, 3000))
    @given(body=st.one_of(st.binary(max_size=200), text))
    def whatever(body: bytes) -> None:
        check(send(signed(admin, b"Action=GetUser&" + body)), model)

    whatever()
