# shellcheck shell=sh
# Sourced by scripts/test, after environment.sh: brings the programs that the list `programs`
# beside this file names. POSIX sh only. Sets: lacking, the packages that are not to be had.

# Where a Debian user's PATH does not look, and packages put servers.
SYSTEM_PATH=/usr/sbin:/usr/local/sbin

have_program() { (PATH=$PATH:$SYSTEM_PATH && command -v "$1" >/dev/null 2>&1); }

# Sets lacking, from the list that is the file $1.
look_for_programs() {
  lacking=
  while read -r package names; do
    case $package in '' | '#'*) continue ;; esac
    found=
    for name in $names; do
      if have_program "$name"; then found=yes; fi
    done
    [ -n "$found" ] || lacking="$lacking${lacking:+ }$package"
  done <"$1"
}

# bring_programs LIST LOG: as root on Debian install what is missing; without it the tests that need
# it are skipped, so that no failure here ends anything.
bring_programs() {
  look_for_programs "$1"
  [ -n "$lacking" ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then return 0; fi
  say "Installing $lacking, for tests that start it (apt-get; once) ..."
  if ! fetch_packages >"$2" 2>&1; then say "apt-get could not; what it said stands in $2."; fi
  look_for_programs "$1"
}

# A machine's lists of packages may be old or none: they are fetched where they don't serve.
fetch_packages() {
  get_packages && return 0
  apt-get -q -o Acquire::Retries=1 -o Acquire::http::Timeout=20 update </dev/null && get_packages
}

get_packages() {
  # shellcheck disable=SC2086 # several packages
  DEBIAN_FRONTEND=noninteractive apt-get -qy -o Acquire::Retries=1 -o Acquire::http::Timeout=20 \
    -o DPkg::Lock::Timeout=60 install --no-install-recommends $lacking </dev/null
}
