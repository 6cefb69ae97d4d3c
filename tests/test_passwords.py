"""What a new password must be: tables of lengths, kinds of characters, names and common passwords; and how it is kept."""

import hashlib
import math
import string
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import identify_hasher

from accounts.forms import RootSignInForm, SignInForm
from accounts.models import Account, User
from credentials import common_passwords
from credentials.common_passwords import is_common
from credentials.models import PasswordPolicy
from credentials.password_rules import CHARACTERS, LONGEST, PRODUCT_WORDS
from credentials.passwords import (
    MOST_DECOMPOSED,
    NewPassword,
    OldPassword,
    broken_rules,
    generated,
    normalised,
    rules_of,
)
from credentials.secrets import SYMBOLS, new_password
from tests.conftest import SECRETS, Person

MOST_USED = (Path(__file__).parent / "data/most_used_passwords.txt").read_text().splitlines()
# Each rule by words of its sentence.
LENGTH, KINDS, CHARACTER, NAMES, COMMON = "characters.", "three of these four", "beyond", "beside", "many people use"
UPPER, LOWER, DIGIT, SYMBOL = "upper-case letter (", "lower-case letter (", "digit (", "symbol ("
ACCOUNT = Account(account_id="123456789012", name="Acme Storage", alias="acme-berlin")
ALICE = User(account=ACCOUNT, user_id="AIDA2222222222222222", user_name="alice.liddell")
ROOT = User(account=ACCOUNT, user_id="123456789012", email="chief@wonderland.example")


def policy(**fields: Any) -> PasswordPolicy:
    """A policy, saved nowhere."""
    return PasswordPolicy(account=ACCOUNT, **fields)


def broken(password: str, under: PasswordPolicy | None = None, user: User = ALICE) -> list[str]:
    """The sentences of the rules that the password breaks."""
    return broken_rules(NewPassword(password, encoded=""), user, under)


def breaks(password: str, *rules: str, under: PasswordPolicy | None = None, user: User = ALICE) -> None:
    """These rules are broken and no others."""
    sentences = broken(password, under, user)
    assert len(sentences) == len(rules), sentences
    for rule in rules:
        assert [sentence for sentence in sentences if rule in sentence], (rule, sentences)


def fresh(length: int) -> str:
    """A password of that length that nobody has."""
    return new_password(max(length, 8))[:length]


# Lengths


@pytest.mark.asvs("6.2.1")
@pytest.mark.asvs("6.2.9")
@pytest.mark.pure
@pytest.mark.parametrize(
    ("minimum", "shortest"), [(None, 8), (6, 8), (7, 8), (8, 8), (9, 9), (14, 14), (15, 15), (64, 64), (128, 128)]
)
@pytest.mark.parametrize("length", [1, 7, 8, 9, 14, 15, 63, 64, 127, 128, 129])
def test_a_password_has_the_minimum_length_but_never_less_than_8_and_no_more_than_128(
    minimum: int | None, shortest: int, length: int
) -> None:
    under = None if minimum is None else policy(minimum_password_length=minimum)
    is_refused = any(rule.endswith(LENGTH) and "It has" in rule for rule in broken(fresh(length), under))
    assert is_refused is not (shortest <= length <= 128)


@pytest.mark.pure
def test_the_length_is_told_as_it_is() -> None:
    assert rules_of(None, ACCOUNT)[0] == "It has 8 to 128 characters."
    assert rules_of(policy(minimum_password_length=6), ACCOUNT)[0] == "It has 8 to 128 characters."
    assert rules_of(policy(minimum_password_length=20), ACCOUNT)[0] == "It has 20 to 128 characters."
    assert rules_of(policy(minimum_password_length=128), ACCOUNT)[0] == "It has 128 characters."


# Kinds of characters


@pytest.mark.pure
@pytest.mark.parametrize(
    ("password", "kinds"),
    [
        ("plover-xyzzy", 2),
        ("ploverxyzzy", 1),
        ("PLOVERXYZZY", 1),
        ("Plover-Xyzzy", 3),
        ("plover-xyzzy-4", 3),
        ("PLOVER-XYZZY-4", 3),
        ("Ploverxyzzy4", 3),
        ("Plover-Xyzzy-4", 4),
        ("Ploverxyzzy 4", 3),
        ("plover xyzzy", 1),  # a space is no symbol of AWS's
        ("plover,xyzzy.4", 2),  # nor are comma and full stop
        ("plöver-xyzzy", 2),
        ("ÄÖÜÄÖÜÄÖÜ-4", 2),  # AWS's letters are A to Z
    ],
)
def test_by_default_three_of_four_kinds_are_demanded(password: str, kinds: int) -> None:
    breaks(password, *([KINDS] if kinds < 3 else []))
    breaks(password, under=policy())


@pytest.mark.asvs("6.2.5")
@pytest.mark.pure
def test_a_policy_demands_each_kind_by_itself_and_none_unless_it_says_so() -> None:
    for field, sentence, members in (
        ("require_uppercase_characters", UPPER, string.ascii_uppercase),
        ("require_lowercase_characters", LOWER, string.ascii_lowercase),
        ("require_numbers", DIGIT, string.digits),
        ("require_symbols", SYMBOL, SYMBOLS),
    ):
        under = policy(**{field: True})
        filler = "ÿ" * 8
        breaks(filler, sentence, under=under)
        for member in members:
            breaks(filler + member, under=under)
    breaks("ÿ" * 8, under=policy())


@pytest.mark.pure
def test_what_is_far_too_long_is_not_normalised_which_takes_its_length_squared(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = "".join(map(chr, range(0x1F80, 0x1F90)))  # of those that are spelled by most
    assert max(len(unicodedata.normalize("NFD", each)) for each in map(chr, range(0x110000))) == MOST_DECOMPOSED
    decomposed = unicodedata.normalize("NFD", longest * 8)
    lengths, normalize = list[int](), unicodedata.normalize

    def measured(form: str, text: str) -> str:
        lengths.append(len(text))
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", measured)
    hostile = "a" + "\u0301" * 60_000 + "\u0316" * 60_000
    for form in (SignInForm, RootSignInForm):
        assert "at most 128 characters" in str(form({"password": hostile}).errors["password"])
    assert normalised(hostile) == hostile
    assert lengths == []
    assert SignInForm({"password": decomposed}).errors.keys() == {"account", "user_name"}
    assert lengths == [len(decomposed)]
    assert LONGEST < len(decomposed) <= MOST_DECOMPOSED * LONGEST


def test_all_failures_are_told_at_once() -> None:
    every = policy(
        minimum_password_length=20,
        require_uppercase_characters=True,
        require_lowercase_characters=True,
        require_numbers=True,
        require_symbols=True,
    )
    breaks("Ω", LENGTH, UPPER, LOWER, DIGIT, SYMBOL, CHARACTER, under=every)
    breaks("password", KINDS, NAMES, COMMON)
    assert len(rules_of(every, ACCOUNT)) == 8


@pytest.mark.pure
def test_what_can_be_set_is_what_aws_accepts_as_an_old_password() -> None:
    for character in (chr(code) for code in range(0x180)):
        accepted = character in "\t\n\r" or "\u0020" <= character <= "\u00ff"
        assert bool(CHARACTERS.fullmatch(character)) is accepted
        breaks(f"Plover-4{character}xyzzy", *([] if accepted else [CHARACTER]))


# Names


@pytest.mark.asvs("6.2.11")
@pytest.mark.pure
@pytest.mark.parametrize(
    "password",
    [
        "alice.liddell",
        "Alice.Liddell",
        "ALICE.LIDDELL-1",
        "Liddell-2026",
        "alice-in-7",
        "1a2-Liddell",
        "Acme-Storage-1",
        "Acme-Berlin-77",
        "Berlin-berlin-1",
        "123456789012-Ab",
        "Iamconsole-1",
        "Console-1234",
        "Amazon-Admin-1",
        "Password-1!x",
    ],
)
def test_a_password_is_not_made_of_names_and_a_few_characters(password: str) -> None:
    assert [sentence for sentence in broken(password) if NAMES in sentence]


@pytest.mark.pure
@pytest.mark.parametrize("password", ["Alice-fell-down-7-holes", "Acme-plover-xyzzy", "My-Password-has-4-ponies"])
def test_a_name_in_a_long_password_does_no_harm(password: str) -> None:
    breaks(password)


@pytest.mark.pure
def test_the_root_users_address_counts_and_the_accounts_own_policy_does_not() -> None:
    from credentials.passwords import policy_of

    assert [sentence for sentence in broken("Chief@Wonderland-1", user=ROOT) if NAMES in sentence]
    assert policy_of(ROOT) is None


@pytest.mark.pure
def test_the_words_that_do_not_count_are_told() -> None:
    [sentence] = [each for each in rules_of(None, ACCOUNT) if NAMES in each]
    assert all(word in sentence for word in PRODUCT_WORDS)


# Common passwords


@pytest.mark.asvs("6.2.4")
@pytest.mark.asvs("6.2.12")
@pytest.mark.pure
@pytest.mark.parametrize("shortest", range(8, 21))
def test_the_3000_most_used_of_every_length_are_refused(shortest: int) -> None:
    under = policy(minimum_password_length=shortest)
    top = [password for password in MOST_USED if len(password) >= shortest][:3000]
    assert len(top) == 3000 or shortest > 16  # so many there are
    for password in top:
        assert [sentence for sentence in broken(password, under) if COMMON in sentence], password


@pytest.mark.pure
def test_a_common_password_is_refused_in_any_case() -> None:
    for password in MOST_USED[:3000]:
        assert is_common(password.upper())
        assert is_common(password.capitalize())


@pytest.mark.pure
def test_what_is_not_on_the_list_is_not_common() -> None:
    for password in ("", "a", "~" * 40, "zzzzzzzzz~", "Plover-Xyzzy-4", "ÿ" * 128, "!", "\n", "password\n1qaz2wsx"):
        assert not is_common(password)
    for _ in range(300):
        assert not is_common(new_password())


@pytest.mark.pure
def test_the_list_is_long_sorted_and_known_by_its_sources() -> None:
    data = common_passwords.FILE.read_bytes()
    lines = data.decode("ascii").split("\n")
    assert lines.pop() == ""
    assert lines == sorted(set(lines))
    assert len(lines) == 319_691
    assert min(map(len, lines)) == 8
    assert all(line == line.lower() for line in lines)
    assert f"{len(lines):,}" in (common_passwords.FILE.parent / "NOTICE").read_text()
    assert hashlib.sha256(data).hexdigest() == "fdc4f0a2be4554be1ec468fa5df91bdfdc43759354a8d5ec8d4dce8752577029"


@pytest.mark.pure
def test_the_list_holds_every_entry_and_is_searched_by_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = common_passwords.FILE.read_text().splitlines()
    assert all(map(is_common, lines[::20]))
    assert is_common(lines[0])
    assert is_common(lines[-1])
    counted = Counted(common_passwords.FILE.read_bytes())
    monkeypatch.setattr(common_passwords, "_lines", lambda: counted)
    for wanted in (lines[0], lines[123_456], lines[-1], "no such password"):
        counted.lines_read = 0
        is_common(wanted)
        assert counted.lines_read <= math.log2(len(counted))


class Counted(bytes):
    """The list, which counts how many of its lines are read."""

    lines_read = 0

    def find(self, *where: Any) -> int:
        self.lines_read += 1
        return super().find(*where)


# As it is typed


@pytest.mark.asvs("6.2.8")
@pytest.mark.pure
def test_a_password_is_kept_to_the_last_character_and_with_its_spaces() -> None:
    text = " Plover  Xyzzy 4 "
    holder = User(account=ACCOUNT, user_name="alice", password=NewPassword.of(text).encoded)
    assert OldPassword.of(text, holder, "api").proves(holder)
    for other in (text.strip(), text.lower(), text[1:], text[:-1], text.replace("  ", " "), text + " "):
        assert not OldPassword.of(other, holder, "api").proves(holder)
    longest = "ÿ" * 128
    holder.password = NewPassword.of(longest).encoded
    assert OldPassword.of(longest, holder, "api").proves(holder)
    assert not OldPassword.of("ÿ" * 127 + "þ", holder, "api").proves(holder)
    assert not OldPassword.of("ÿ" * 127, holder, "api").proves(holder)


@pytest.mark.pure
def test_a_password_is_the_same_from_every_keyboard() -> None:
    composed, decomposed = "Käse-Brötchen-7", unicodedata.normalize("NFD", "Käse-Brötchen-7")
    assert composed != decomposed
    assert normalised(decomposed) == composed
    holder = User(account=ACCOUNT, user_name="alice", password=NewPassword.of(decomposed).encoded)
    assert OldPassword.of(composed, holder, "api").proves(holder)


@pytest.mark.asvs("11.4.2")
@pytest.mark.pure
def test_a_password_is_hashed_by_argon2id(full_hashes: None) -> None:
    made = NewPassword.of("Plover-Xyzzy-4")
    assert identify_hasher(made.encoded).algorithm == "argon2"
    assert made.encoded.startswith("argon2$argon2id$v=19$m=32768,t=2,p=1$")
    assert "Plover" not in repr(made) + repr(OldPassword("Plover-Xyzzy-4", made.encoded))


# Made by the machine


@pytest.mark.asvs("6.4.1")
@pytest.mark.parametrize("length", [None, 6, 8, 20, 21, 64, 127, 128])
def test_a_generated_password_always_satisfies_the_policy(root: Person, length: int | None) -> None:
    from credentials.operations.password_policies import update_account_password_policy

    under = None
    if length is not None:
        demands = {
            "minimum_password_length": length,
            "require_symbols": True,
            "require_numbers": True,
            "require_uppercase_characters": True,
            "require_lowercase_characters": True,
        }
        update_account_password_policy(root.caller, **demands)
        under = policy(**demands)
    made = {generated(root.caller.account) for _ in range(100)}
    SECRETS.extend(made)
    assert len(made) == 100
    for password in made:
        assert len(password) == max(20, length or 0)
        breaks(password, under=under)
