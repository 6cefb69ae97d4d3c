"""A server over a fresh data folder, and how figures are printed."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Stage:
    """Where a server's data is and where it listens."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes find in the environment."""
        return os.environ | {"IAMCONSOLE_DATA": str(self.folder), "PUBLIC_URL": self.url}

    def manage(self, *arguments: str) -> str:
        """Run one of the server's commands, in a process of its own. Returns what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        environment = self.environment | {"LOG_STREAM": "stderr"}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True, text=True)
        return done.stdout.strip()

    def call(self, function: str, *arguments: object) -> str:
        """Call a function of the benchmarks, in a process of its own that holds no other memory. Returns what it prints."""
        module, _, name = function.rpartition(".")
        code = f"from benchmarks.{module} import {name}; print({name}{arguments!r})"
        return self.manage("shell", "--no-imports", "--command", code)


@contextmanager
def stage() -> Iterator[Stage]:
    """A data folder and a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="iamconsole-bench-", ignore_cleanup_errors=True) as folder:
        yield Stage(Path(folder), port)


@contextmanager
def serving(on: Stage) -> Iterator[float]:
    """``script/server``; gives the seconds until it answered."""
    started = time.monotonic()
    process = subprocess.Popen(
        ["script/server", f"127.0.0.1:{on.port}"], cwd=ROOT, env=on.environment, stdout=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"{on.url}/readyz", timeout=1):
                    break
            except OSError:
                if process.poll() is not None:
                    raise
                time.sleep(0.02)
        yield time.monotonic() - started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def quantiles(label: str, milliseconds: list[float]) -> None:
    """Print the median, the 95th percentile and the slowest."""
    ordered = sorted(milliseconds)
    middle, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    print(f"{label}: median {middle:.2f} ms, p95 {late:.2f} ms, slowest {ordered[-1]:.2f} ms (n={len(ordered)})")
