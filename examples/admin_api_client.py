"""Start a calibration over HTTP, follow it to its end, and print the summary.

It takes nothing but Python. Start the server before (`shsim serve`), then:

    TOKEN="$(shsim token --role admin)" python admin_api_client.py DEMO-EXAM 0.25
"""

import json
import os
import sys
import urllib.error
import urllib.request

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


def main(exam, tau):
    """Calibrate and follow; the exit code."""
    wanted = {"exam_code": exam, "tau": float(tau), "test_len": 30, "dry_run": True}
    try:
        with ask("POST", "/v1/admin/exposure/calibrations", wanted) as answer:
            location = answer.headers["Location"]
    except urllib.error.HTTPError as error:
        # Every error says in `detail` what is wrong and what to do.
        print(json.load(error)["detail"], file=sys.stderr)
        return 1
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


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
