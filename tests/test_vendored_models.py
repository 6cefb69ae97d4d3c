"""The vendored service models are what the installed botocore brings, and nothing else."""

import json
from pathlib import Path

import pytest
from botocore.loaders import Loader

from api.management.commands.vendor_service_models import FOLDER, UNREAD, VENDORED, stripped, vendored_files
from api.shapes import services

pytestmark = pytest.mark.pure


@pytest.mark.parametrize("name", sorted(VENDORED))
def test_a_vendored_model_is_the_installed_botocores(name: str) -> None:
    fresh = vendored_files()[f"{name}.json"]
    assert json.loads((FOLDER / f"{name}.json").read_text()) == json.loads(fresh), "run manage.py vendor_service_models"
    assert (FOLDER / f"{name}.json").read_text() == fresh, "run manage.py vendor_service_models"


def test_the_notice_names_source_and_licence() -> None:
    notice = (FOLDER / "NOTICE").read_text()
    for word in ("botocore", "Apache", "Amazon.com"):
        assert word in notice


@pytest.mark.parametrize("name", sorted(VENDORED))
def test_stripping_takes_no_operation_shape_or_member(name: str) -> None:
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    whole = loader.load_service_model(name, "service-2", VENDORED[name])
    ours = json.loads((FOLDER / f"{name}.json").read_text())
    assert ours["operations"].keys() == whole["operations"].keys()
    assert ours["shapes"].keys() == whole["shapes"].keys()
    for shape, described in whole["shapes"].items():
        assert ours["shapes"][shape].get("members", {}).keys() == described.get("members", {}).keys()
        kept = {key: value for key, value in described.items() if key not in {*UNREAD, "members"}}
        assert {key: ours["shapes"][shape].get(key) for key in kept} == {key: stripped(kept[key]) for key in kept}


def test_stripping_keeps_members_that_are_named_like_documentation() -> None:
    member = {"shape": "a", "deprecated": True, "documentation": "x"}
    model = {"shapes": {"http": {"documentation": "x", "members": {"documentation": member}}}}
    assert stripped(model) == {"shapes": {"http": {"members": {"documentation": {"shape": "a"}}}}}


def test_the_models_hold_no_documentation() -> None:
    for name in VENDORED:
        assert '"documentation"' not in (FOLDER / f"{name}.json").read_text()


def test_every_model_in_the_folder_is_loaded() -> None:
    assert set(services()) == {file.stem for file in Path(FOLDER).glob("*.json")}
    assert {service.api_version for service in services().values()} >= set(VENDORED.values())
