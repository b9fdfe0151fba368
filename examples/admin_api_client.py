"""Start a calibration over HTTP, follow it to its end, and print the summary.

It takes nothing but Python. Start the server before (`shsim serve`), then:

    TOKEN="$(shsim token --role admin)" python admin_api_client.py DEMO-EXAM 0.25
"""

import json
import os
import sys
import urllib.error
import urllib.request

USAGE = 'usage: TOKEN="$(shsim token --role admin)" python admin_api_client.py EXAM TAU'
SERVER = os.environ.get("SHSIM_URL", "http://127.0.0.1:8000")


def ask(method, path, body=None):
    """One request; the answer's headers and lines."""
    request = urllib.request.Request(  # noqa: S310 - the operator's own server
        SERVER + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {os.environ['TOKEN']}",
            "Content-Type": "application/json",
        },
    )
    return urllib.request.urlopen(request)  # noqa: S310


def events(path):
    """Name and data of each server-sent event, to the last."""
    name = ""
    with ask("GET", path) as stream:
        for line in stream:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)


def calibrate(exam, tau):
    """Calibrate and follow; the exit code."""
    wanted = {"exam_code": exam, "tau": tau, "test_len": 30, "dry_run": True}
    with ask("POST", "/v1/admin/exposure/calibrations", wanted) as answer:
        location = answer.headers["Location"]
    for name, data in events(f"{location}/events"):
        if name == "iteration":
            print(f"iteration {data['iter']}: largest {data['max_exposure']:.4f}", file=sys.stderr)
        elif name == "warning":
            print(f"warning: {data['message']}", file=sys.stderr)
    with ask("GET", location) as answer:
        ended = json.load(answer)
    if ended["state"] != "done":
        print(f"{ended['state']}: {(ended['problem'] or {}).get('detail', '')}", file=sys.stderr)
        return 1
    print(ended["stdout"], end="")
    return 0


def main(words):
    """Calibrate as the command line says; the exit code."""
    try:
        exam, tau = words[0], float(words[1])
    except (IndexError, ValueError):
        sys.exit(USAGE)
    if "TOKEN" not in os.environ:
        sys.exit(USAGE)
    try:
        return calibrate(exam, tau)
    except urllib.error.HTTPError as error:
        # Every error says in `detail` what is wrong and what to do.
        print(json.load(error)["detail"], file=sys.stderr)
    except urllib.error.URLError as error:
        print(f"{SERVER} does not answer: {error.reason}. Start shsim serve.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
