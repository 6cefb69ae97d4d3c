"""What boto3 raised, as one value to compare."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def fault_of(call: Callable[..., Any], /, **parameters: Any) -> tuple[str, int, str]:
    """The code, HTTP status and message that the call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def invalid(*broken: tuple[str, str]) -> tuple[str, int, str]:
    """The ValidationError of IAM for these members and the constraints they break."""
    texts = [f"Value at '{path}' failed to satisfy constraint: {constraint}" for path, constraint in broken]
    count = f"{len(broken)} validation error{'s' if len(broken) > 1 else ''} detected"
    return "ValidationError", 400, f"{count}: {'; '.join(texts)}"
