"""The aws CLI, as tests drive it."""

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from typing import Any
from unittest.mock import patch

from awscli.clidriver import create_clidriver

from tests.conftest import Person


def aws(person: Person, *words: str) -> Any:
    """What the CLI answers when it works: its own program in this process, where it need not start each time.

    `tests/test_story.py` starts it as people do.
    """
    told, complaint = io.StringIO(), io.StringIO()
    with patch.dict(os.environ, person.environment()), redirect_stdout(told), redirect_stderr(complaint):
        status = create_clidriver().main([*words, "--output", "json"])
    assert status == 0, complaint.getvalue()
    return json.loads(told.getvalue()) if told.getvalue().strip() else None
