#!/bin/sh
# What several caps cost: the largest exposure and the information kept, for each tau.
#   sh examples/what_if.sh DEMO-EXAM 0.10 0.15 0.20 0.25
set -eu
if [ $# -lt 2 ]; then
  echo "usage: sh what_if.sh EXAM TAU [TAU ...]" >&2
  exit 2
fi
exam=$1
shift
printf 'tau,largest,overlap,information_kept\n'
for tau in "$@"; do
  shsim calibrate --exam "$exam" --tau "$tau" --dry-run --quiet --seed 1 --format json |
    python3 -c '
import json, sys
run = json.load(sys.stdin)
seen = run["verification"]
print("%s,%.4f,%.4f,%.3f" % (
    run["settings"]["tau"], seen["max_exposure"], seen["overlap"], seen["information_kept"]))'
done
