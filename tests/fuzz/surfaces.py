"""Where input comes in: valid examples of each, how shsim is started on one, what it may say.

A surface damages one valid input. Where shsim takes the damaged one all the same, it must
have read it as :mod:`fuzz.reading` does, which shares no code with it.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzz import reading
from fuzz.mutations import NUMBERS, damaged, damaged_word

POOL = (
    b"question_id,version,topic_id,a,b,c,sh_p\n"
    b"1,1,5,1,0,.2,1\n2,1,5,1.2,0.5,.1,0.5\n3,1,,0.7,-1,0,1\n4,2,6,1.7,1,0.25,\n"
)
POOLS = (
    POOL,
    POOL.replace(b"\n", b"\r\n"),
    b"question_id,a,b,c\n10,1,0,.2\n11,1e0,-.5,0\n12,2.5,3,.3\n",
    b'"question_id","a","b","c","d"\n"1","1","0",".2","1"\n2,1,"0",.2,1\n\n3,1,0,.2,\n',
    POOL[:-1],
)
JSON_POOLS = (
    (b'{"items": [{"question_id": 1, "version": 1, "topic_id": null, "a": 1.5, "b": 0, "c": 0.2,'
    b' "sh_p": 0.5}, {"question_id": 2, "a": 1, "b": -1e0, "c": 0}, {"question_id": "3", "a": "1",'
    b' "b": "0", "c": "0.1"}]}'),
    (b'[{"question_id": 7, "a": 1, "b": 0, "c": 0.2}, {"question_id": 8, "a": 1, "b": 1, "c": 0},'
    b' {"question_id": 9, "a": 1, "b": 1, "c": 0}]'),
)  # fmt: skip
CONFIGS = (
    b"tau = 0.5\nlen = 2\nseed = 7\n[simulate]\nnodes = 30\n",
    b'# a comment\ntheta = "normal:0,1"\nrejection = "examinee"\nquiet = true\nscale = 1.0\n',
    b"[simulate]\ntau = 1\ntest_len = 1\n[sweep]\ntau = [0.1, 0.2]\nlen = '20:40:5'\n",
    b'simulate.tau = 0.25\n"seed" = 0b11\ncalibrate = { iters = 3 }\n',
)
BLUEPRINTS = (
    b"[topics.5]\nleast = 1\nmost = 2\n[topics.none]\nmost = 1\n",
    b"topics.5.least = 1\ntopics.6.most = 1\n",
    b'topics = { "5" = { least = 0, most = 2 }, none = { least = 0 } }\n',
)
ABILITIES = (
    b"0\n1.5\n-2e0\n",
    b"# of last year\n0.25  # the first\r\n\r\n-1\n",
    b"1\n",
)
THETAS = ("normal:0,1", "normal0,1", "uniform:-1,1", "uniform-1,1", "fixed:0.5", "fixed0",
          " Normal : 0.5 , 2e0 ")  # fmt: skip

#: A test that takes a millisecond where its settings are right.
_EXACT = ("simulate", "--len", "2", "--tau", "1", "--method", "exact", "--nodes", "20",
          "--format", "json")  # fmt: skip
_TRACE = ("trace", "--len", "2", "--seed", "1", "--tests", "8", "--format", "json")


@dataclass(frozen=True)
class Folder:
    """Where a run finds its files: a database with an exam, a pool, the damaged input."""

    path: Path

    @property
    def dsn(self) -> str:
        return f"sqlite:///{self.path / 'qbank.sqlite'}"

    @property
    def pool(self) -> str:
        return str(self.path / "pool.csv")

    @property
    def input(self) -> Path:
        return self.path / "input"


@dataclass(frozen=True)
class Start:
    """A command line, and what stands in the environment beside it."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


Same = Callable[[Folder, Any, str], bool]


@dataclass(frozen=True)
class Surface:
    """One way in.

    Attributes
    ----------
    make
        The damaged input: bytes for a file, text for an argument or a variable.
    start
        The command line that meets it.
    codes
        What shsim may end with where it refuses it.
    same
        Whether shsim, which took it and printed this, read it as an independent reader does.
    """

    name: str
    make: Callable[[random.Random], Any]
    start: Callable[[Folder, Any], Start]
    codes: frozenset[int]
    same: Same


def _file(valid: Sequence[bytes]) -> Callable[[random.Random], bytes]:
    return lambda rng: damaged(rng, valid)


def _on_file(*arguments: str) -> Callable[[Folder, Any], Start]:
    """The damaged input is the file INPUT; POOL is the sound pool."""

    def start(folder: Folder, data: bytes) -> Start:
        folder.input.write_bytes(data)
        places = {"INPUT": str(folder.input), "POOL": folder.pool, "DSN": folder.dsn}
        return Start([
            next((word.replace(k, v) for k, v in places.items() if k in word), word)
            for word in arguments
        ])  # fmt: skip

    return start


def _settings(out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(out)["settings"]
    return found


#: Options that take a number, each with the name it has in the settings and a sound value.
_NUMBERS = {
    "--tau": ("tau", "0.5"), "--len": ("length", "2"), "--seed": ("seed", "5"),
    "--scale": ("scale", "1.7"), "--tol": ("tol", "0.01"), "--nodes": ("nodes", "20"),
}  # fmt: skip


def _number_option(rng: random.Random) -> tuple[str, str]:
    option = rng.choice(list(_NUMBERS))
    word = rng.choice(NUMBERS) if rng.random() < 0.5 else damaged_word(rng, [_NUMBERS[option][1]])
    return option, word.replace("\0", "")


def _start_option(folder: Folder, what: tuple[str, str]) -> Start:
    option, word = what
    return Start([*_EXACT, "--pool", folder.pool, f"{option}={word}"])


def _start_variable(folder: Folder, what: tuple[str, str]) -> Start:
    """The option's own value must not stand on the command line, which would win."""
    option, word = what
    kept = list(_EXACT)
    if option in kept:
        at = kept.index(option)
        del kept[at : at + 2]
    variable = f"SHSIM_{option[2:].upper().replace('-', '_')}"
    return Start([*kept, "--pool", folder.pool], {variable: word})


def _same_number(folder: Folder, what: tuple[str, str], out: str) -> bool:
    option, word = what
    # An empty variable is none.
    return not word or float(_settings(out)[_NUMBERS[option][0]]) == float(word)


def _same_theta(folder: Folder, word: str, out: str) -> bool:
    return not word or reading.theta(_settings(out)["theta"]) == reading.theta(word)


def _same_config(folder: Folder, data: bytes, out: str) -> bool:
    wanted = reading.config(data, "simulate")
    settings = _settings(out)
    found = {"length": settings["length"], "tau": settings["tau"], "seed": settings["seed"],
             "scale": settings["scale"], "rejection": settings["rejection"]}  # fmt: skip
    return all(wanted.get(name, value) == value for name, value in found.items())


def _same_pool(folder: Folder, data: bytes, out: str) -> bool:
    return reading.printed(json.loads(out)["items"]) == reading.pool(data)


def _same_blueprint(folder: Folder, data: bytes, out: str) -> bool:
    return bool(_settings(out)["blueprint"] == reading.blueprint(data))


def _same_abilities(folder: Folder, data: bytes, out: str) -> bool:
    drawn = {each["theta"] for each in json.loads(out)["tests"]}
    return drawn <= set(reading.abilities(data))


def _same_import(folder: Folder, data: bytes, out: str) -> bool:
    return reading.imported(folder.path / "qbank.sqlite", "NEW") == reading.pool(data)


#: Every other word that is understood, by the option it belongs to and its command.
_WORDS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "--tau": (("sweep", "--len", "2", "--nodes", "20", "--iters", "2"),
              ("0.1,0.2", "0.10:0.30:0.02", ".5", "0.1,0.3:0.5:0.1")),
    "--len": (("sweep", "--tau", "1", "--nodes", "20", "--iters", "2"), ("1", "1,2", "1:3:1")),
    "--compare": (("simulate", "--len", "2", "--n", "64", "--seed", "1"),
                  ("none,sh", "randomesque:5", "none, progressive", "restricted")),
    "--control": (("simulate", "--len", "2", "--n", "64", "--seed", "1"),
                  ("none", "randomesque:5", "Eligibility")),
    "--prior": (("trace", "--len", "2", "--seed", "1", "--ability", "eap"), THETAS),
    "--rejection": (_EXACT, ("position", "examinee")),
    "--threads": (_EXACT, ("1", "2")),
    "--format": (("simulate", *_EXACT[1:-2]), ("table", "csv", "json")),
    "--output": (_EXACT, ("out.txt", "/nowhere/out.csv", "qbank.sqlite", "")),
    "--log-format": (_EXACT, ("text", "json")),
}  # fmt: skip


def _word(rng: random.Random) -> tuple[str, str]:
    option = rng.choice(list(_WORDS))
    word = damaged_word(rng, _WORDS[option][1])
    if option == "--output" and word.lower().endswith((".csv", ".json")):
        word += "."  # it would be written
    return option, word


def _start_word(folder: Folder, what: tuple[str, str]) -> Start:
    option, word = what
    return Start([*_WORDS[option][0], "--pool", folder.pool, f"{option}={word}"])


def _same_word(folder: Folder, what: tuple[str, str], out: str) -> bool:
    """No word was taken that holds what none of its kind can: it is plain, and not empty."""
    word = "".join(what[1].split())  # blanks, of whatever kind, may stand around values
    return word.isascii() and word.isprintable() and bool(out)


#: Commands with a number, a date or a name of their own.
_ASKED: Sequence[tuple[Sequence[str], Sequence[str]]] = (
    (("show", "WORD"), ("1", "2")),
    (("diff", "1", "WORD"), ("1", "2")),
    (("rollback", "WORD"), ("1",)),
    (("calibrate", "--from-run", "WORD"), ("1",)),
    (("audit", "--exam", "FUZZ", "--since", "WORD"), ("2020-01-31", "2020-01-31T06:00+01:00")),
    (("audit", "--exam", "FUZZ", "--since-run", "WORD"), ("1",)),
    (("history", "--limit", "WORD"), ("10",)),
    (("export", "--exam", "WORD"), ("FUZZ",)),
    (("simulate", "--exam", "WORD"), ("FUZZ",)),
    (("WORD",), ("export", "calibrate")),
    (("db", "WORD"), ("check", "init")),
)


def _asked(rng: random.Random) -> tuple[int, str]:
    which = rng.randrange(len(_ASKED))
    word = rng.choice(NUMBERS) if rng.random() < 0.2 else damaged_word(rng, _ASKED[which][1])
    return which, word.replace("\0", "")


def _start_asked(folder: Folder, what: tuple[int, str]) -> Start:
    words = ["--" if word == "WORD" else word for word in _ASKED[what[0]][0]]
    arguments = [what[1] if word == "WORD" else word for word in _ASKED[what[0]][0]]
    if what[1].startswith("-") and "--" in words and what[0] not in (4, 5, 6, 7, 8):
        arguments.insert(len(arguments) - 1, "--")
    return Start(arguments, {"SHSIM_DSN": folder.dsn})


def _same_asked(folder: Folder, what: tuple[int, str], out: str) -> bool:
    """Taken is what is left alone, or another spelling of it; or help was asked for."""
    if what[1] in {"--help", "-h"}:
        return out.startswith("Usage: ")
    valid = _ASKED[what[0]][1]
    if valid[0].isdigit():
        return int(what[1]) in range(1, 10**9)
    return what[1].strip() in valid or _ASKED[what[0]][0][-2:-1] == ("--since",)


def _dsn(rng: random.Random) -> str:
    """Such as ask no name server, and nobody but this machine."""
    while True:
        word = damaged_word(rng, (
            "sqlite:///FOLDER/qbank.sqlite", "sqlite+pysqlite:///FOLDER/qbank.sqlite",
            "postgresql://u:pw@127.0.0.1:1/db", "postgres://u@127.0.0.1:1/db?sslmode=disable",
            "postgresql+psycopg2://u:p%40w@127.0.0.1:1/db", "host=/nowhere dbname=db user='u v'",
            "postgresql:///db?host=/nowhere", "service=none", "mysql://u:pw@h/db",
        ))  # fmt: skip
        if word.strip() and reading.stays_here(word):  # an empty variable is none
            return word


def _start_dsn(folder: Folder, word: str) -> Start:
    word = word.replace("FOLDER", str(folder.path))
    nowhere = {"PGHOST": "/nowhere", "PGSERVICEFILE": "/nowhere", "PGCONNECT_TIMEOUT": "2"}
    return Start(["export", "--exam", "FUZZ"], {**nowhere, "SHSIM_DSN": word})


def _same_dsn(folder: Folder, word: str, out: str) -> bool:
    return word.strip().replace("FOLDER", "").endswith("/qbank.sqlite") and "90001,1,5" in out


#: The calibration that the checkpoint in the folder is of.
CALIBRATION = ("calibrate", "--len", "2", "--tau", "1", "--n", "100", "--iters", "3",
               "--verify-n", "100", "--format", "csv", "--checkpoint")  # fmt: skip


def _start_checkpoint(folder: Folder, seed: int) -> Start:
    """Damage to a checkpoint: to its bytes, or to what stands under a checksum made anew."""
    rng = random.Random(seed)  # noqa: S311 - the same again
    sound = (folder.path / "sound.run").read_bytes()
    if rng.random() < 0.5:
        data = damaged(rng, [sound])
    else:
        line, numbers = sound.split(b"\n", 2)[2].split(b"\n", 1)
        body = damaged(rng, [line]) + b"\n" + numbers
        checksum = hashlib.sha256(body).hexdigest().encode()
        data = b"shsim checkpoint 1\n" + checksum + b"\n" + body
    folder.input.write_bytes(data)
    return Start([*CALIBRATION, str(folder.input), "--resume", "--pool", folder.pool])


_FILE = frozenset({3})
_TYPED = frozenset({2})
_EITHER = frozenset({2, 3})

SURFACES = (
    Surface("import of CSV", _file(POOLS),
            _on_file("import", "INPUT", "--exam", "NEW", "--dsn", "DSN"), _FILE, _same_import),
    Surface("import of JSON", _file(JSON_POOLS),
            _on_file("import", "INPUT", "--exam", "NEW", "--dsn", "DSN"), _FILE, _same_import),
    Surface("--pool", _file(POOLS + JSON_POOLS), _on_file(*_EXACT, "--pool", "INPUT"), _FILE,
            _same_pool),
    Surface("--config", _file(CONFIGS),
            _on_file("simulate", "--pool", "POOL", "--method", "exact", "--format", "json",
                     "--config", "INPUT"),
            _EITHER, _same_config),
    Surface("--blueprint", _file(BLUEPRINTS),
            _on_file(*_TRACE, "--pool", "POOL", "--blueprint", "INPUT"), _FILE, _same_blueprint),
    Surface("abilities", _file(ABILITIES),
            _on_file(*_TRACE, "--pool", "POOL", "--theta", "file:INPUT"), _FILE, _same_abilities),
    Surface("--theta", lambda rng: damaged_word(rng, THETAS),
            lambda folder, word: Start([*_EXACT, "--pool", folder.pool, f"--theta={word}"]),
            _EITHER, _same_theta),
    Surface("numbers", _number_option, _start_option, _EITHER, _same_number),
    Surface("words", _word, _start_word, _EITHER, _same_word),
    Surface("asked", _asked, _start_asked, _EITHER, _same_asked),
    # 4: what is well formed still, and names a database that is not there.
    Surface("DSN", _dsn, _start_dsn, frozenset({2, 4}), _same_dsn),
    Surface("checkpoint", lambda rng: rng.randrange(2**31), _start_checkpoint, _EITHER,
            lambda _folder, _seed, out: out.startswith("question_id,")),
    Surface("variables", _number_option, _start_variable, _EITHER, _same_number),
)  # fmt: skip
