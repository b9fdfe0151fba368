#!/bin/sh
# What a monitor says of the last run in each log that `--log-format json` wrote; its exit code is
# Nagios': 0 well, 1 look at it by day, 2 now. Each kind of run needs a log of its own, made empty
# before the first run. One that has grown no longer for HOURS (26) is reported too: the run did
# not take place.
#
#   sh monitor.sh /var/log/shsim/*.jsonl
#   HOURS=170 sh monitor.sh /var/log/shsim/weekly/*.jsonl
if [ $# -eq 0 ]; then
    echo "usage: sh monitor.sh LOG ..."
    exit 3 # Nagios': unknown
fi
hours=${HOURS:-26}
worst=0
# The last line of a run, whole: other programs' words may hold as much as a part of it.
end='{"time": "[^"]*", "level": "[a-z]*", "event": "end", .*"exit_code": \([0-9]*\).*}'
for log in "$@"; do
    file=$log
    # logrotate has been there, and nothing has run since: the log before holds.
    if [ ! -s "$log" ] && [ -f "$log.1" ]; then file=$log.1; fi
    if [ ! -f "$file" ]; then
        echo "$log: there is no such log"
        worst=2
        continue
    fi
    if [ -n "$(find "$file" -mmin +"$((hours * 60))")" ]; then
        echo "$log: nothing has run for $hours hours"
        worst=2
        continue
    fi
    [ -s "$file" ] || continue # made for a run that is yet to come
    # No word may steer the terminal: neither control characters nor, beyond ASCII, what turns text.
    last=$(tail -n 1 "$file" | LC_ALL=C tr -cd '\040-\176')
    code=$(printf '%s\n' "$last" | sed -n "s/^$end\$/\1/p")
    case $code in
    0) continue ;;
    5) level=1 said="the cap is not held, and nothing was saved" ;;
    130) level=1 said="interrupted" ;;
    4) level=2 said="the database is out of reach, refuses, or changed under the run" ;;
    2 | 3 | 6) level=2 said="the command, its data or its installation is wrong" ;;
    1) level=2 said="a bug in shsim" ;;
    *)
        level=2
        case $last in # which is not how it ended
        '{"time": "'*) said="it runs still, or was killed" ;;
        *"shsim: "*"not found")
            said="cron finds no shsim: name its folder in the crontab's PATH ($last)"
            ;;
        *) said="its last words are not shsim's JSON: $last" ;;
        esac
        ;;
    esac
    printf '%s: %s\n' "$log" "$said${code:+ (exit code $code)}"
    [ "$level" -le "$worst" ] || worst=$level
done
exit "$worst"
