"""How passwords are hashed."""

import secrets

from argon2 import low_level
from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id with 32 MiB, two passes and one lane.

    Above OWASP's floor (19 MiB, t=2, p=1), and one lane, so that a burst of sign-ins costs one thread and 32 MiB each
    (Django's default of eight lanes and 100 MiB would be 1.6 GiB for sixteen at once).
    """

    time_cost = 2
    memory_cost = 32 * 1024
    parallelism = 1

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do what a wrong password cost less because the hash is older than these costs, so that time does not tell of it."""
        time_cost, memory_cost = self.missing_work(encoded)
        if memory_cost:
            low_level.hash_secret_raw(
                password.encode(),
                secrets.token_bytes(16),
                time_cost=time_cost,
                memory_cost=max(memory_cost, 8 * self.parallelism),  # the least that Argon2 takes
                parallelism=self.parallelism,
                hash_len=32,
                type=low_level.Type.ID,
            )

    def missing_work(self, encoded: str) -> tuple[int, int]:
        """How many passes over how many KiB a hash with these costs takes more than ``encoded`` did."""
        made = self.decode(encoded)["params"]
        left = self.time_cost * self.memory_cost - made.time_cost * made.memory_cost
        return self.time_cost, max(left, 0) // self.time_cost
