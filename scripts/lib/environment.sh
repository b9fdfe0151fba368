# shellcheck shell=sh
# Sourced by scripts/demo and scripts/test: find a Python, find a place, make an environment once.
# POSIX sh only. Sets: python, place, made_with.

NEWEST_PYTHON=14 # the newest 3.x for which Numba publishes wheels

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# What belongs to the caller's own work must not leak into ours: another project's modules, and
# pip settings that install somewhere else than into the environment.
clear_surroundings() {
  unset PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV PIP_TARGET PIP_PREFIX PIP_USER PIP_ROOT
  unset CDPATH UV_PROJECT_ENVIRONMENT UV_SYSTEM_PYTHON UV_PYTHON
  UV_PYTHON_DOWNLOADS=never # the package index is all the network we ask for
  export UV_PYTHON_DOWNLOADS
}

# pyenv's shims answer only for the versions that PYENV_VERSION names: name all that could serve,
# the caller's choice first.
reveal_pyenv() {
  command -v pyenv >/dev/null 2>&1 || return 0
  chosen=$(pyenv version-name 2>/dev/null) || chosen=
  for version in $(pyenv versions --bare 2>/dev/null | grep -E '^3\.(1[1-9]|[2-9][0-9])\.[0-9]+$'); do
    case ":$chosen:" in
      *":$version:"*) ;;
      *) chosen=${chosen:+$chosen:}$version ;;
    esac
  done
  [ -z "$chosen" ] || export PYENV_VERSION="$chosen"
}

have_uv() { uv --version >/dev/null 2>&1; }

# The path of the interpreter called $1, when it is a CPython that shsim supports; else status 3.
# Status 4: it would do, but Debian's python3-venv is missing.
try_python() {
  "$1" - "$NEWEST_PYTHON" 2>/dev/null <<'PYTHON'
import sys
if not (3, 11) <= sys.version_info[:2] <= (3, int(sys.argv[1])):
    sys.exit(3)
print(sys.executable)
try:
    import venv
    from ensurepip import bootstrap
except ImportError:
    sys.exit(4)
PYTHON
}

# Sets python. PYTHON in the environment is taken or refused, never passed over.
find_python() {
  without_venv=
  if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else
    set -- python3 python3.13 python3.12 python3.11 python3.14 python
  fi
  for name in "$@"; do
    python=$(try_python "$name")
    status=$?
    [ "$status" -ne 0 ] || return 0
    if [ "$status" -eq 4 ]; then
      if have_uv; then return 0; fi
      without_venv=${without_venv:-$python}
    fi
  done
  if [ -n "$without_venv" ]; then
    minor=$("$without_venv" -c 'import sys; print("3.%d" % sys.version_info[1])')
    fail "$without_venv cannot make environments: its module ensurepip is missing." \
      "On Debian and Ubuntu run: apt install python$minor-venv (or install uv), then try again."
  fi
  if [ -n "${PYTHON:-}" ]; then
    fail "PYTHON=$PYTHON is not a Python 3.11 to 3.$NEWEST_PYTHON that runs. Name another or unset it."
  fi
  if have_uv && python=$(uv python find --no-project ">=3.11,<3.$((NEWEST_PYTHON + 1))" 2>/dev/null); then
    return 0
  fi
  fail "No Python 3.11 to 3.$NEWEST_PYTHON found (tried python3, python3.11 to python3.$NEWEST_PYTHON, python)." \
    "Install one, or name it: PYTHON=/path/to/python sh $0"
}

# Sets place: the hidden folder $2 of the checkout $1, or one in the user's cache where the
# checkout cannot be written, or a passing one where nothing can.
find_place() {
  place=$1/$2
  if mkdir -p "$place" 2>/dev/null && [ -w "$place" ]; then return 0; fi
  key=$(printf '%s' "$1" | cksum | cut -d ' ' -f 1)
  place=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/shsim/$key/$2
  if mkdir -p "$place" 2>/dev/null && [ -w "$place" ]; then return 0; fi
  place=$(mktemp -d) || fail "Neither $1 nor the user's cache nor ${TMPDIR:-/tmp} can be written."
  say "Neither $1 nor the user's cache can be written: working in $place, which is not kept."
}

# One run at a time in $place. The lock is on an open file, so that it ends with the run, however
# that ends; flock(1) is not everywhere, Python's is.
hold_place() {
  exec 9>>"$place/lock"
  "$python" - 9>&9 <<'PYTHON'
import fcntl
import sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Another run is at work here: waiting for its end.", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
except OSError:
    pass  # a file system without locks: go on alone
PYTHON
}

# A digest of the interpreter and of the files and folders named.
fingerprint() {
  "$python" - "$@" <<'PYTHON'
import hashlib
import sys
from pathlib import Path
digest = hashlib.sha256(f"{sys.version}\n{sys.base_prefix}\n".encode())
for name in sys.argv[1:]:
    root = Path(name)
    for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path}\n".encode() + path.read_bytes())
print(digest.hexdigest())
PYTHON
}

# install_with_uv ENVIRONMENT REQUIREMENT...
install_with_uv() {
  into=$1
  shift
  uv pip install --quiet --compile-bytecode --python "$into/bin/python" "$@"
}

# make_environment FOLDER REQUIREMENT...: byte-compiled, whatever PYTHONDONTWRITEBYTECODE says.
# With uv where it is and works, else with venv and pip; made_with says which.
make_environment() {
  folder=$1
  shift
  rm -rf "$folder"
  if have_uv; then
    if uv venv --quiet --no-project --python "$python" "$folder" &&
      install_with_uv "$folder" "$@"; then
      made_with=uv
      return 0
    fi
    say "uv could not make the environment: trying venv and pip."
    rm -rf "$folder"
  fi
  # shellcheck disable=SC2034 # scripts/test reads it
  made_with=pip
  "$python" -m venv "$folder" || fail "$python -m venv $folder failed; the lines above say why."
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-user \
    --compile "$@" || fail "pip could not install $*; the lines above say why."
}
