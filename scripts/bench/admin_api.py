"""How fast `/health` answers while 200 clients read items and a calibration runs.

Usage: python scripts/bench/admin_api.py [--quick]

The server is `shsim serve` on SQLite as it comes, the readers are threads of one process
of their own, each with a connection that stays open; `/health` is asked here, twenty times
a second. Figures are of this machine under this load, readers included.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from stopwatch import Costs, announce, conclude, show

READERS = 200
PREFIX = "/v1/admin/exposure"

#: Ability is estimated, and no cap ever met closely enough: it goes on for minutes.
LONG = {"exam_code": "DEMO-EXAM", "tau": 0.2, "ability": "eap", "n": 50_000, "iters": 1000,
        "tol": 1e-9, "decay": 0, "dry_run": True}  # fmt: skip


def ask(port: int, token: str, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def read(port: int, token: str, seconds: float, results: Any) -> None:
    """200 readers of items, each asking as soon as it has been answered."""
    statuses: Counter[int | str] = Counter()
    until = time.monotonic() + seconds

    def reader() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < until:
            try:
                connection.request(
                    "GET", f"{PREFIX}/items?limit=10", headers={"Authorization": f"Bearer {token}"}
                )
                answer = connection.getresponse()
                answer.read()
                statuses[answer.status] += 1
            except OSError as error:
                statuses[type(error).__name__] += 1
                connection.close()

    threads = [threading.Thread(target=reader) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(dict(statuses))


def health(port: int, seconds: float) -> tuple[float, ...]:
    """Seconds that each answer took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            sys.exit(f"/health answered {answer.status}")
        taken.append(time.perf_counter() - began)
        time.sleep(0.05)
    return tuple(taken)


def measure(port: int, token: str, seconds: float) -> list[Costs]:
    """Alone, beside a calibration, and beside readers too."""
    while ask(port, token, "GET", "/ready")[0] != 200:
        time.sleep(0.2)
    costs = [Costs("nothing else", health(port, seconds / 3))]
    status, body = ask(port, token, "POST", f"{PREFIX}/calibrations", LONG)
    if status != 202:
        sys.exit(body.decode())
    location = f"{PREFIX}/calibrations/{json.loads(body)['id']}"
    costs.append(Costs("a calibration", health(port, seconds / 3)))
    results: Any = multiprocessing.Queue()
    readers = multiprocessing.Process(target=read, args=(port, token, seconds, results))
    readers.start()
    costs.append(Costs(f"a calibration, {READERS} readers", health(port, seconds)))
    statuses = results.get()
    readers.join()
    state = json.loads(ask(port, token, "GET", location)[1])["state"]
    total = sum(statuses.values())
    print(f"{total:,} answers to readers, {total / seconds:,.0f} a second; it was {state}.")
    if set(statuses) != {200} or state != "running":
        sys.exit(f"Answers by status: {statuses}: no comparison.")
    return costs


def main() -> None:
    """Start a server, measure, stop it."""
    seconds = 3.0 if "--quick" in sys.argv[1:] else 15.0
    announce("How long /health takes on one connection, asked twenty times a second.")
    with tempfile.TemporaryDirectory() as folder:
        surroundings = {
            **os.environ,
            "XDG_DATA_HOME": folder,
            "SHSIM_JWT_SECRET": secrets.token_urlsafe(48),
        }
        shsim = [sys.executable, "-m", "shsim"]
        token = subprocess.run(
            [*shsim, "token", "--role", "admin"],
            env=surroundings, capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        server = subprocess.Popen(
            [*shsim, "serve", "--port", "0"],
            env=surroundings, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            lines = iter(server.stderr or [])
            port = next(int(found[1]) for line in lines if (found := re.search(r":(\d+),", line)))
            threading.Thread(target=lambda: list(lines), daemon=True).start()
            costs = measure(port, token, seconds)
        finally:
            server.terminate()
            server.wait()
    show(costs, "milliseconds", 1e3)
    busy = costs[-1].middle
    conclude(
        f"50 ms over the median beside a calibration and {READERS} readers, {1e3 * busy:.1f} ms",
        0.05 / busy,
        "over 1",
    )


if __name__ == "__main__":
    main()
