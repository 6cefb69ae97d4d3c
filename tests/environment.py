"""The environment of the tests, set before Django reads its settings: a data folder, a free port, keys.

Loaded by ``-p tests.environment`` (pyproject.toml). With DATABASE_URL in the environment the same suite runs on PostgreSQL.
"""

import atexit
import os
import shutil
import socket
import tempfile


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if "IAMCONSOLE_TEST_PORT" not in os.environ:
    folder = tempfile.mkdtemp(prefix="iamconsole-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    port = free_port()
    os.environ |= {
        "IAMCONSOLE_TEST_PORT": str(port),
        "IAMCONSOLE_DATA": folder,
        "PUBLIC_URL": f"http://localhost:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
        "SECRET_KEY": "the tests' own key, of fifty characters and some more",
        "ENCRYPTION_KEYS": "test:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "SMS_URL": "outbox:",
        "LOG_FORMAT": "json",
        "LOG_STREAM": "stderr",
        "WEB_CONCURRENCY": "4",
        # Tests of races ask more than a client should; the budgets have tests of their own.
        "API_REQUESTS_PER_SECOND": "1000000",
        "API_FAILURES_PER_MINUTE": "1000000",
    }
    # What a developer's shell may hold must not reach boto3 and the aws CLI.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://localhost:{port}",
    }
