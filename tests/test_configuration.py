"""Settings: wrong or missing values stop the start with one clear sentence, and the embedded mode makes its own secrets."""

import base64
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.pure

KEYS = "k1:" + base64.b64encode(b"0" * 32).decode()
KEPT = ("PATH", "HOME", "LANG", "PYTHONPATH")


def start(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command that reads the settings, with nothing in the environment but what is given."""
    clean = {name: os.environ[name] for name in KEPT if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=clean | {"IAMCONSOLE_DATA": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"PUBLIC_URL": "http://iam.example.org"}, "is plain HTTP on a host that is not this machine"),
        ({"PUBLIC_URL": "iam.example.org"}, "PUBLIC_URL must look like https://iam.example.org"),
        ({"PUBLIC_URL": "https://iam.example.org/console"}, "PUBLIC_URL must look like"),
        ({"PUBLIC_URL": "https://iam.example.org:port"}, "PUBLIC_URL must look like"),
        ({"GIT_URL": "http://git.example.org"}, "GIT_URL 'http://git.example.org' is plain HTTP"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS may not hold '*'"),
        ({"TRUSTED_PROXIES": "10.0.0.0/33"}, "TRUSTED_PROXIES must be addresses or networks"),
        ({"DATABASE_URL": "postgres://u@127.0.0.1/x", "ENCRYPTION_KEYS": KEYS}, "SECRET_KEY is not set"),
        ({"DATABASE_URL": "postgres://u@127.0.0.1/x", "SECRET_KEY": "s" * 50}, "ENCRYPTION_KEYS is not set"),
        (
            {"DATABASE_URL": "mysql://u@127.0.0.1/x", "SECRET_KEY": "s" * 50, "ENCRYPTION_KEYS": KEYS},
            "must name a PostgreSQL or SQLite",
        ),
        ({"SECRET_KEY": "short"}, "SECRET_KEY must have 50 characters or more"),
        ({"ENCRYPTION_KEYS": "k1:c2hvcnQ="}, "ENCRYPTION_KEYS must be id:base64 of 32 bytes"),
        ({"ENCRYPTION_KEYS": f"{KEYS},{KEYS}"}, "ENCRYPTION_KEYS names the key k1 twice"),
        ({"ENCRYPTION_KEYS_FILE": "/nonexistent/keys"}, "ENCRYPTION_KEYS cannot be read"),
        ({"SIGNATURE_SKEW_SECONDS": "a while"}, "SIGNATURE_SKEW_SECONDS cannot be read"),
        ({"SIGNATURE_SKEW_SECONDS": "-1"}, "SIGNATURE_SKEW_SECONDS must be a whole number from 1 to 86400; it is -1."),
        ({"SETUP_LINK_DAYS": "99999999999"}, "SETUP_LINK_DAYS must be a whole number from 1 to 365"),
        ({"WEB_CONCURRENCY": "two"}, "WEB_CONCURRENCY cannot be read"),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY must be a whole number from 1 to 1000; it is 0."),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be text or json"),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_sentence(
    tmp_path: Path, environment: dict[str, str], sentence: str
) -> None:
    done = start(tmp_path / "data", **environment)
    assert done.returncode != 0
    assert done.stderr.startswith("iamconsole: ")
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_embedded_mode_makes_its_own_secrets_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert start(folder).returncode == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    made = {name: (folder / name).read_text() for name in ("secret_key", "encryption_keys")}
    assert all(stat.S_IMODE((folder / name).stat().st_mode) == 0o600 for name in made)
    assert start(folder).returncode == 0
    assert made == {name: (folder / name).read_text() for name in made}


def test_a_data_folder_that_others_can_read_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert start(tmp_path).returncode == 0
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_two_first_starts_agree_on_the_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    code = "from iamconsole import settings; print(settings.SECRET_KEY, settings.KEY_RING.keys)"
    clean = {name: os.environ[name] for name in KEPT if name in os.environ} | {"IAMCONSOLE_DATA": str(folder)}
    both = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=clean, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=120)[0] for process in both}) == 1


def test_a_secret_can_be_given_as_a_file(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(KEYS)
    assert start(tmp_path / "data", ENCRYPTION_KEYS_FILE=str(keys)).returncode == 0
    assert not (tmp_path / "data" / "encryption_keys").exists()


def test_every_setting_is_explained_in_the_example() -> None:
    import re

    settings = (ROOT / "iamconsole" / "settings.py").read_text()
    read = set(re.findall(r'_setting\(env\.\w+, "(\w+)"', settings)) | set(re.findall(r'_secret\("(\w+)"', settings))
    explained = set(re.findall(r"^# (\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read - {"LOG_STREAM"} <= explained


def test_keys_that_were_lost_are_not_made_anew_beside_what_they_sealed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert start(folder).returncode == 0
    (folder / "iamconsole.sqlite3").touch()
    kept = folder / "encryption_keys"
    kept.rename(tmp_path / "copy")
    assert "put the file back from your copy" in start(folder).stderr
    assert not kept.exists()
    (tmp_path / "copy").rename(kept)
    assert start(folder).returncode == 0
