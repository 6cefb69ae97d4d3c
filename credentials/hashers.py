"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id with 32 MiB, two passes and one lane.

    Above OWASP's floor (19 MiB, t=2, p=1), and one lane, so that a burst of sign-ins costs one thread and 32 MiB each
    (Django's default of eight lanes and 100 MiB would be 1.6 GiB for sixteen at once).
    """

    time_cost = 2
    memory_cost = 32 * 1024
    parallelism = 1
