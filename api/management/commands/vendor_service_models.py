"""``manage.py vendor_service_models``: write AWS's models in api/ anew from the installed botocore."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

FOLDER = Path(__file__).parents[2]
VENDORED = {"iam": "2010-05-08", "sts": "2011-06-15", "cloudtrail": "2013-11-01"}
# What api.shapes never reads.
UNREAD = {"documentation", "deprecated", "deprecatedMessage", "deprecatedSince", "examples", "http"}
MAPPINGS_BY_NAME = {"operations", "shapes", "members"}
NOTICE = """The service models iam.json, sts.json and cloudtrail.json in this folder are taken from botocore {version}
(https://github.com/boto/botocore, botocore/data/*/*/service-2.json), stripped of their documentation
by `manage.py vendor_service_models`.

Botocore (Apache-2.0)
Copyright 2012-2022 Amazon.com, Inc. or its affiliates. All Rights Reserved.

Licensed under the Apache License, Version 2.0 (the "License"). You may not use these files except in
compliance with the License. A copy of the License is located at

    http://aws.amazon.com/apache2.0/

These files are distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either
express or implied. See the License for the specific language governing permissions and limitations
under the License.

iamconsole.json is iamconsole's own, in the same format.
"""


class Command(BaseCommand):
    """Vendor the models."""

    help = "Write api/iam.json, api/sts.json, api/cloudtrail.json and api/NOTICE anew from the botocore of requirements-dev.txt."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write them."""
        try:
            files = vendored_files()
        except ImportError as error:
            raise CommandError("botocore is not installed: pip install -r requirements-dev.txt") from error
        for name, text in files.items():
            (FOLDER / name).write_text(text)
            self.stdout.write(f"{FOLDER / name} is written.")


def vendored_files() -> dict[str, str]:
    """The text of every vendored file by its name. Raises ImportError without botocore."""
    import botocore
    from botocore.loaders import Loader

    # Only what botocore itself brings: a model in ~/.aws/models is somebody's own.
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    models = {
        name: stripped(loader.load_service_model(name, "service-2", version)) for name, version in VENDORED.items()
    }
    files = {f"{name}.json": json.dumps(model, indent=1) + "\n" for name, model in models.items()}
    return files | {"NOTICE": NOTICE.format(version=botocore.__version__)}


def stripped(node: Any, *, by_name: bool = False) -> Any:
    """A model without what is never read. Where the keys are names of the model's own, none is taken out."""
    if isinstance(node, list):
        return [stripped(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        key: stripped(value, by_name=not by_name and key in MAPPINGS_BY_NAME)
        for key, value in node.items()
        if by_name or key not in UNREAD
    }
