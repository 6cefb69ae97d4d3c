"""What a password costs in the tests: little, but where a test is about the cost."""

from typing import Final

from credentials.hashers import Argon2id

FULL: Final = {"memory_cost": Argon2id.memory_cost, "time_cost": Argon2id.time_cost}
CHEAP: Final = {"memory_cost": 64, "time_cost": 1}


def make_cheap() -> None:
    """Let passwords cost little in this process from now on."""
    for name, cost in CHEAP.items():
        setattr(Argon2id, name, cost)
