"""The server's application as it is, but that passwords cost as little as in the tests' own process."""

from tests.hashes import make_cheap

make_cheap()

from iamconsole.wsgi import application  # noqa: E402, F401 - it hashes at once
