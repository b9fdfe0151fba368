"""Every spelling of a Redis, and no password in what is said of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from shsim.errors import DatabaseError, UsageError
from shsim.extras.redis_address import RedisAddress


@pytest.mark.parametrize(
    ("url", "label", "options"),
    [
        ("redis://", "redis://localhost:6379/0", {"host": "localhost", "port": 6379, "db": 0}),
        ("redis://h:7/3", "redis://h:7/3", {"host": "h", "port": 7, "db": 3}),
        ("redis://h?db=4", "redis://h:6379/4", {"host": "h", "db": 4}),
        ("redis://:s3cret@h", "redis://h:6379/0", {"password": "s3cret"}),
        (
            "redis://us%3Aer:s3%40%2Fcret@h:1",
            "redis://us%3Aer@h:1/0",
            {"username": "us:er", "password": "s3@/cret"},
        ),
        ("rediss://h?ssl_cert_reqs=none", "rediss://h:6379/0", {"ssl_cert_reqs": "none"}),
        ("redis://[::1]:7", "redis://[::1]:7/0", {"host": "::1"}),
        ("unix:///run/r.sock?db=2", "unix:///run/r.sock (database 2)", {"path": "/run/r.sock"}),
        ("unix://u:s3cret@/r.sock", "unix://u@/r.sock (database 0)", {"password": "s3cret"}),
        (" redis://h?password=s3cret ", "redis://h:6379/0", {"password": "s3cret"}),
    ],
)
def test_spellings(url, label, options):
    address = RedisAddress.parse(url)
    assert address.label == label
    assert options.items() <= dict(address.options).items()
    assert address.tls == ("rediss" in url)
    assert "s3" not in repr(address)
    address.connect(0.1)


HOSTILE = [
    "",
    "s3cret",
    "http://s3cret@h",
    "redis:/s3cret",
    "redis://:s3cret@x@h",
    "redis://:pass/s3cret@h",
    "redis://:pass#s3cret@h",
    "redis://:pass?s3cret@h",
    "redis://:pass?s3cret=1",
    "redis://h:s3cret",
    "redis://h:99999999",
    "redis://h/s3cret",
    "redis://h/-1",
    "redis://h?db=s3cret",
    "redis://h?socket_timeout=s3cret",
    "redis://h?ssl_cert_reqs=none",
    "rediss://h?ssl_cert_reqs=s3cret",
    "rediss://h?ssl_check_hostname=s3cret",
    "redis://[s3cret",
    "redis://h\n.s3cret",
    "redis://h\0s3cret",
    "unix://s3cret",
    "unix://",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_what_is_none_is_refused_without_quoting_it(url):
    with pytest.raises(UsageError) as caught:
        RedisAddress.parse(url).connect(0.1)
    assert "s3cret" not in str(caught.value)
    assert "Write redis://" in str(caught.value)
    assert "s3cret" not in str(caught.value.__cause__)


def test_an_error_of_redis_is_one_line_without_the_password(redis_server):
    address = RedisAddress.parse(f"redis://:s3cret@127.0.0.1:{redis_server.port}/0")
    client = address.connect(5)
    with pytest.raises(DatabaseError) as caught, address.asked():
        client.execute_command("SET", "s3cret")
    assert "s3cret" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert address.blame(ValueError("bad s3cret here.")) == "bad *** here"


def test_nothing_of_redis_is_loaded_until_one_is_connected_to():
    program = (
        "import sys\n"
        "from shsim.extras import proposal_reader, redis_proposals\n"
        "from shsim.extras.redis_address import RedisAddress\n"
        "address = RedisAddress.parse('redis://h')\n"
        "assert 'redis' not in sys.modules\n"
        "sys.modules['redis'] = None\n"
        "try: address.connect(1)\n"
        "except Exception as e: print(e.exit_code, e)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("6 ")
    assert "pip install 'redis[hiredis]>=" in done.stdout
