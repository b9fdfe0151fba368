"""The admin page, used as an operator would, in a real browser on a real server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from extras.browser import Browser
from extras.computing import PREFIX, begin, outcome
from extras.served import Served, token
from storage.databases import query

pytestmark = pytest.mark.compiled

EXAM = "DEMO-EXAM"

#: What a form says so that a dry run is over at once.
QUICK = {"tau": "0.3", "test_len": "20"}
QUICK_MORE = {"n": "2,000", "iters": "3", "verify_n": "20000", "tol": "0.4"}

#: And what goes on for as long as a test wants it to.
ENDLESS_MORE = {"n": "100000", "iters": "1000", "tol": "1e-9", "decay": "0"}


def fill(page: Browser, main: dict[str, str], more: dict[str, str]) -> None:
    page.until(lambda: page.one("#start-dry-run").is_enabled())
    page.until(lambda: EXAM in page.text("#settings-note"))
    if not page.one("#settings-rest").get_attribute("open"):
        page.click("#settings-rest summary")
    for name, words in {**main, **more}.items():
        page.type(f"#set-{name}", words)


def dry_run(page: Browser, served: Served, more: dict[str, str], **main: str) -> None:
    page.open(served.url, token("admin", sub="alice"), "calibrate")
    fill(page, {**QUICK, **main}, more)
    page.click("#start-dry-run")


def k_in(dsn: str) -> dict[str, float]:
    rows = query(dsn, "SELECT question_id, version, sh_p FROM item_exposure_control")
    return {f"{question}/{version}": k for question, version, k in rows}


def k_shown(page: Browser) -> dict[str, tuple[str, str]]:
    """Of every item that changes its k before and after, as the page shows them."""
    while page.shown(".changes + button"):
        page.click(".changes + button")
    rows = [row.split("\t") for row in page.texts(".changes tbody tr")]
    return {row[0].split()[0]: (row[2], row[3]) for row in rows}


def is_in_force(page: Browser, paged: Served, run: int) -> None:
    """Over the items stands this run, of a moment ago, and what its cap takes for granted."""
    page.driver.get(f"{paged.url}/#items")
    page.reads("#items-cap", f"In force: run {run}, ")
    assert "Cap 0.3" in page.text("#items-cap")
    page.reads("#items-table thead", "Cap: about ")
    assert "attempts of the 7 days from before it were made under other k" in page.text(
        "#items-cap"
    )
    assert "takes each test to hold 20 items" in page.text("#items-cap")


def of_this_tab(page: Browser) -> str:
    """The number of the calibration that the page started."""
    kept = page.driver.execute_script(f"return sessionStorage['shsim.calibration.{EXAM}']")
    return str(json.loads(kept)["id"])


def test_items(page: Browser, paged: Served) -> None:
    page.open(paged.url, token("viewer"))
    page.reads("#items-pager", "1 to 50 of 480 items")
    with paged.ask("viewer") as viewer:
        items = viewer.get(f"{PREFIX}/items", params={"exam": EXAM, "limit": 480}).json()
    names = [f"{each['question_id']}/{each['version']}" for each in items]
    assert page.texts("#items-table tbody th") == names[:50]
    page.click("#items-pager button:nth-of-type(2)")
    page.reads("#items-pager", "51 to 100 of 480 items")
    assert page.texts("#items-table tbody th") == names[50:100]
    page.click("[data-key=question_id]")
    page.until(lambda: page.texts("#items-table tbody th")[0] == "900001/1")
    page.click("[data-key=question_id]")
    page.until(lambda: page.texts("#items-table tbody th")[0].startswith("900480/"))
    assert page.one("th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert page.driver.switch_to.active_element.get_attribute("data-key") == "question_id"


def test_from_a_dry_run_to_saved_k_and_back(page: Browser, paged: Served) -> None:
    first = k_in(paged.dsn)
    dry_run(page, paged, QUICK_MORE)
    page.until(lambda: page.shown("#save"))
    assert page.text("#run h2") == f"Dry run of {EXAM}"
    assert page.one("#run .course svg").get_attribute("aria-label").endswith("the cap is 0.3.")
    assert page.text(".verdict").startswith("The cap of 0.3 is ")
    assert "Largest exposure" in page.text(".measures")
    assert k_in(paged.dsn) == first
    shown = k_shown(page)
    assert len(shown) > 20
    with paged.ask("viewer") as viewer:
        dry = viewer.get(f"{PREFIX}/calibrations/{of_this_tab(page)}").json()["result"]

    page.click("#save")
    page.until(lambda: page.shown("#dialog"))
    asked = page.text("#dialog")
    assert f"{dry['changed']} k of 480 items of {EXAM} will change" in asked
    stands = {f"{each['question_id']}/{each['version']}": each["sh_p"] for each in dry["items"]}
    assert dry["changed"] == sum(first.get(name) != k for name, k in stands.items())
    page.click("#dialog-no")
    page.until(lambda: not page.shown("#dialog"))
    assert k_in(paged.dsn) == first
    page.click("#save")
    page.click("#dialog-yes")
    page.until(lambda: page.shown("#saved"))

    saved = k_in(paged.dsn)
    wanted = {f"{each['question_id']}/{each['version']}": each["sh_p"] for each in dry["items"]}
    assert saved == wanted
    assert {name: f"{saved[name]:.4f}" for name in shown} == {n: k for n, (_, k) in shown.items()}
    assert not page.shown("#outcome [role=alert]")
    with paged.ask("viewer") as viewer:
        newest = viewer.get(f"{PREFIX}/runs", params={"exam": EXAM, "limit": 1}).json()["runs"][0]
    assert (newest["command"], newest["outcome"]) == ("calibrate", "saved")
    assert newest["os_user"] == "alice (api)"
    run = newest["run"]
    assert f"It is run {run}." in page.text("#saved")

    is_in_force(page, paged, run)
    page.driver.get(f"{paged.url}/#runs")
    page.until(lambda: page.shown(f"[data-run='{run}'] .rollback"))
    assert page.one(f"[data-run='{run}'] time").get_attribute("title").endswith(" UTC")
    page.click(f"[data-run='{run}'] .rollback")
    page.until(lambda: page.shown("#dialog"))
    assert f"Roll back run {run}?" in page.text("#dialog")
    assert f"{len(shown)} k of 480 change" in page.text("#dialog")
    page.click("#dialog-yes")
    page.reads("#runs-said", f"Run {run} is rolled back: {len(shown)} k changed, as run {run + 1}.")
    back = k_in(paged.dsn)
    assert {name: back[name] for name in saved} == {name: first.get(name, 1.0) for name in saved}


def test_a_rollback_over_what_was_written_since(page: Browser, paged: Served) -> None:
    with paged.ask() as admin:
        quick = {"exam_code": EXAM, "tau": 0.4, "tol": 0.2, "n": 2000, "iters": 3, "seed": 1}
        run = outcome(admin, begin(admin, **quick))["run"]
        item = {"question_id": 900_002, "version": 1, "sh_p": 0.25}
        later = admin.post(f"{PREFIX}/set", json=item).json()["run"]
        # What the k in force do: it saves none, so that the list says how it ended, not `dry`.
        quick = {"exam_code": EXAM, "n": 2000, "seed": 1}
        done = admin.post(f"{PREFIX}/simulate", json=quick).json()["run"]
    page.open(paged.url, token("admin"))
    page.reads("#items-cap", f"Last written by run {later} (set), ")
    assert f"In force: run {run}, " in page.text("#items-cap")
    assert "Cap 0.4, " in page.text("#items-cap")
    assert f"1 item has another k by now than run {run} left" in page.text("#items-cap")
    page.driver.get(f"{paged.url}/#runs")
    page.reads(f"[data-run='{done}'] .outcome", "done")
    page.click(f"[data-run='{run}'] .rollback")
    page.reads("#dialog-yes", "Roll back all the same")
    assert "900002/1" in page.text("#dialog")
    page.click("#dialog-yes")
    page.reads("#runs-said", f"Run {run} is rolled back: ")


def test_what_came_of_the_one_before_is_not_shown_over_a_new_one(
    page: Browser, paged: Served
) -> None:
    dry_run(page, paged, QUICK_MORE)
    page.until(lambda: page.shown(".verdict"))
    # What the server refuses starts nothing: the outcome stays.
    page.type("#set-n", "-1")
    page.click("#start-dry-run")
    page.reads("#set-n-wrong", "greater than or equal to")
    assert page.shown(".verdict")
    page.type("#set-n", "2000")
    # A server that takes its time to answer, by a request that never ends.
    page.driver.execute_script(
        "const fetched = window.fetch; window.fetch = (path, options) =>"
        " options.method === 'POST' ? new Promise(() => {}) : fetched(path, options);"
    )
    page.click("#start-dry-run")
    page.until(lambda: not page.shown(".verdict"))
    assert not page.shown("#run")


def test_k_that_others_wrote_meanwhile_are_not_overwritten(page: Browser, paged: Served) -> None:
    dry_run(page, paged, QUICK_MORE)
    page.until(lambda: page.shown("#save"))
    with paged.ask() as admin:
        item: dict[str, Any] = {"question_id": 900_001, "version": 1, "sh_p": 0.125}
        run = admin.post(f"{PREFIX}/set", json=item).json()["run"]
    page.click("#save")
    page.click("#dialog-yes")
    page.reads("#dialog-problem", f"were written after this dry run began (run {run})")
    assert not page.shown("#dialog-yes")
    page.click("#dialog-no")
    assert k_in(paged.dsn)["900001/1"] == 0.125


def test_cancel(page: Browser, paged: Served) -> None:
    before = k_in(paged.dsn)
    dry_run(page, paged, ENDLESS_MORE)
    page.reads("#run", " of at most 1,000: largest exposure")
    assert not page.one("#start-dry-run").is_enabled()
    # Coming back to the tab is to go on following.
    page.driver.refresh()
    page.reads("#run", " of at most 1,000: largest exposure")
    page.click(".cancel")
    page.reads("#run", "Cancelled. Nothing was saved.")
    page.reads("#outcome", "cancelled")
    assert page.one("#start-dry-run").is_enabled()
    assert k_in(paged.dsn) == before


def test_somebody_elses_calibration_is_shown_instead(page: Browser, paged: Served) -> None:
    page.open(paged.url, token("admin"), "calibrate")
    fill(page, QUICK, QUICK_MORE)
    endless = {
        "exam_code": EXAM, "n": 100_000, "iters": 1000, "tol": 1e-9, "decay": 0.0, "dry_run": True,
    }  # fmt: skip
    with paged.ask() as admin:
        location = begin(admin, **endless)
        page.click("#start-dry-run")
        page.reads("#settings-problem", "is being calibrated already")
        page.reads("#run", "largest exposure")
        admin.delete(location)
        page.reads("#run", "Cancelled")
        assert outcome(admin, location)["state"] == "cancelled"
    assert not page.shown("#save")


def test_what_is_wrong_with_settings_is_said_where_they_stand(page: Browser, paged: Served) -> None:
    page.open(paged.url, token("admin"), "calibrate")
    fill(page, {**QUICK, "tau": ""}, {"n": "many", "blueprint": "{"})
    page.click("#start-dry-run")
    page.reads("#set-n-wrong", "This is no number.")
    assert page.text("#set-tau-wrong") == "This is needed."
    assert page.text("#set-blueprint-wrong") == "This is no JSON."
    assert page.one("#set-tau").get_attribute("aria-invalid") == "true"
    assert page.driver.switch_to.active_element.get_attribute("id") == "set-tau"
    page.one("#set-blueprint").clear()
    # What only the server knows is said in its words.
    fill(page, QUICK, {"n": "2000", "floor": "0.5", "ceil": "0.1"})
    page.click("#start-dry-run")
    page.reads("#settings-problem", "floor")
    page.type("#set-n", "-1")
    page.click("#start-dry-run")
    page.reads("#set-n-wrong", "greater than or equal to")
