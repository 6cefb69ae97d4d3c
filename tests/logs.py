"""The logs of the tests' programs and of the tests' own process, in one folder: the canary looks for secrets in all of them."""

import logging
import os
from pathlib import Path

from iamconsole.logs import JSONLine

FOLDER = Path(os.environ["IAMCONSOLE_DATA"]) / "logs"


def log_of(program: str) -> Path:
    """Where a program writes what it says, behind what others of the same name have written."""
    FOLDER.mkdir(exist_ok=True)
    return FOLDER / f"{program}.log"


def keep_own() -> None:
    """Write what the product logs in this process there as well."""
    handler = logging.FileHandler(log_of("tests"))
    handler.setFormatter(JSONLine())
    logging.getLogger().addHandler(handler)
