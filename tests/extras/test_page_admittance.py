"""The admin page: who is let in, what is data stays data, and a server that goes and comes."""

from __future__ import annotations

import re
import signal
import time
from urllib.parse import urlsplit

import httpx
import pytest
from extras.browser import Browser
from extras.computing import ENDLESS, begin
from extras.conftest import Start
from extras.served import Served, serving, token
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from storage.databases import seed

from shsim.extras.admin_api.page_files import PAGE
from shsim.extras.admin_api.paths import PREFIX

pytestmark = pytest.mark.compiled

HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;\u202e exam"
LARGEST = 2**63 - 1


def sign_in(page: Browser, text: str) -> None:
    page.type("#token", text)
    page.click("#sign-in-form button")


def kept_token(page: Browser) -> str | None:
    found: str | None = page.driver.execute_script("return sessionStorage['shsim.token']")
    return found


def test_the_page_is_ours_and_strict(paged: Served) -> None:
    for path in PAGE:
        answer = httpx.get(paged.url + path)
        policy = answer.headers["content-security-policy"]
        assert answer.status_code == 200
        assert "unsafe" not in policy
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "connect-src 'self'" in policy
        if path.endswith((".js", ".css")) or path == "/":
            assert not re.search(
                r"(?:https?:)?//(?!www\.w3\.org/)\w", answer.text.replace("// ", "")
            )
            assert "innerHTML" not in answer.text
    assert httpx.head(paged.url).status_code == 200
    for outside in ("/page/", "/page/../me.py", "/page/none.js", "/page"):
        assert httpx.get(paged.url + outside).status_code in {401, 404}


def test_sign_in(page: Browser, paged: Served) -> None:
    page.open(paged.url)
    for text, said in (
        ("no token", "That is no token."),
        (token("admin", "another secret, as long as the server's own, but another"), "not valid"),
        (token("admin", exp=int(time.time()) - 60), "The token has expired."),
        (token(None), "takes the role viewer"),
    ):
        sign_in(page, text)
        page.reads("#sign-in-reason", said)
        assert kept_token(page) is None
    sign_in(page, f"Authorization: Bearer {token('admin', sub='alice <b>')}")
    page.reads("#who", "alice <b>, admin, until ")
    page.driver.refresh()
    page.reads("#who", "alice <b>, admin, until ")
    assert page.driver.current_url.startswith(paged.url)
    assert "eyJ" not in page.driver.current_url
    page.click("#sign-out")
    page.reads("#sign-in-reason", "You have signed out.")
    page.driver.refresh()
    page.until(lambda: page.shown("#token"))
    assert kept_token(page) is None


def test_a_token_that_runs_out(page: Browser, paged: Served) -> None:
    page.open(paged.url, token("admin", exp=int(time.time()) + 4))
    page.reads("#who", "in less than a minute")
    page.reads("#sign-in-reason", "The token has expired.")
    assert not page.shown("#signed-in")


def test_a_viewer_sees_what_he_may_do(page: Browser, paged: Served) -> None:
    with paged.ask() as admin:
        item = {"question_id": 900_003, "version": 1, "sh_p": 0.75}
        run = admin.post(f"{PREFIX}/set", json=item).json()["run"]
    page.open(paged.url, token("viewer"), "calibrate")
    page.reads("#settings-note", "Your role is viewer")
    assert not page.one("#start-dry-run").is_enabled()
    page.driver.get(f"{paged.url}/#runs")
    page.until(lambda: page.shown(f"[data-run='{run}']"))
    assert not page.shown(".rollback")
    page.open(paged.url, token("admin"), "runs")
    page.until(lambda: page.shown(f"[data-run='{run}'] .rollback"))


def focused_on(page: Browser, name: str) -> WebElement:
    """Wait until the element of this id has the focus."""
    focus = page.driver.switch_to
    page.until(lambda: focus.active_element.get_attribute("id") == name)
    return focus.active_element


def test_it_can_be_used_without_a_mouse(page: Browser, paged: Served) -> None:
    page.open(paged.url)
    focused_on(page, "token").send_keys(token("admin"), Keys.TAB, Keys.ENTER)
    page.reads("#items-pager", "1 to 50")
    focused_on(page, "items-title")
    page.driver.refresh()
    page.reads("#items-pager", "1 to 50")
    reached = []
    for _ in range(10):
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
        element = page.driver.switch_to.active_element
        reached.append(element.get_attribute("id") or element.text)
        outline = element.value_of_css_property("outline-style")
        assert outline != "none", f"nobody sees that {reached[-1]} has the focus"
    assert {"exam", "sign-out", "Items", "Calibrate", "Past runs", "Item", "k"} <= set(reached)


def test_names_and_numbers_are_data(page: Browser, paged: Served) -> None:
    ids = (LARGEST, LARGEST - 1, 9_007_199_254_740_993)
    seed(paged.dsn, "question_publications", [(HOSTILE, each, LARGEST) for each in ids])
    seed(
        paged.dsn,
        "question_versions",
        [(each, LARGEST, -LARGEST, "published") for each in ids],
    )
    page.open(paged.url, token("admin", sub="<script>alert(2)</script>"))
    page.reads("#exam", HOSTILE)
    page.driver.execute_script(
        "const exam = document.getElementById('exam'); exam.value = arguments[0];"
        "exam.dispatchEvent(new Event('change'))",
        HOSTILE,
    )
    page.reads("#items-pager", "1 to 3 of 3 items")
    assert sorted(page.texts("#items-table tbody th")) == sorted(f"{i}/{LARGEST}" for i in ids)
    assert page.texts("#items-table tbody td:nth-child(2)") == [str(-LARGEST)] * 3
    page.driver.get(f"{paged.url}/#runs")
    page.reads("#runs-table", f"No run of {HOSTILE} is on record.")
    page.driver.get(f"{paged.url}/#calibrate")
    page.reads("#settings-note", HOSTILE)
    page.type("#set-test_len", "1")
    page.type("#set-tau", "0.9")
    page.click("#start-dry-run")
    page.reads("#run h2", f"Dry run of {HOSTILE}")
    page.until(lambda: page.shown(".verdict"))
    assert not page.all("#signed-in img, body script")


def test_it_fits_a_telephone(page: Browser, paged: Served) -> None:
    page.see(390, 844)
    try:
        page.open(paged.url)
        assert page.overhang() <= 0
        page.open(paged.url, token("admin"))
        page.reads("#items-pager", "1 to 50")
        for view in ("items", "runs", "calibrate"):
            page.driver.get(f"{paged.url}/#{view}")
            page.until(lambda view=view: page.shown(f"#{view} h1"))
            assert page.overhang() <= 0, view
        page.click("#start-dry-run")
        page.until(lambda: page.shown("#save"))
        assert page.overhang() <= 0
        page.click("#save")
        assert page.overhang() <= 0
        page.click("#dialog-no")
    finally:
        page.see(1280, 900)


def test_a_server_that_goes_and_comes_back(
    browser: Browser, start: Start, postgres_demo_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving("--dsn", postgres_demo_dsn) as first:
        port = str(urlsplit(first.url).port)
        browser.open(first.url, token("admin"), "calibrate")
        with first.ask() as admin:
            begin(admin, **ENDLESS, dry_run=True)
        browser.driver.refresh()
        browser.reads("#run", "largest exposure")
        first.stop(signal.SIGKILL)
    browser.reads("#connection", "The server cannot be reached. Trying again")
    with serving("--dsn", postgres_demo_dsn, "--port", port) as second:
        browser.reads("#run", "The server has started anew, and does not know this calibration.")
        browser.until(lambda: not browser.shown("#connection"))
        browser.until(lambda: browser.one("#start-dry-run").is_enabled())
        second.stop(signal.SIGKILL)
    browser.driver.execute_script("location.hash = 'items'")
    browser.reads("#connection", "The server cannot be reached. Trying again")
    monkeypatch.setenv("SHSIM_JWT_SECRET", "another secret of more than the bytes that it takes")
    start("--dsn", postgres_demo_dsn, "--port", port)
    browser.reads("#sign-in-reason", "The token is not valid.")
    assert browser.complaints() == []


def test_a_database_without_exams(browser: Browser, start: Start, postgres_dsn: str) -> None:
    served = start("--dsn", postgres_dsn)
    browser.open(served.url, token("viewer"))
    browser.reads("#no-exam", "No exam yet")
    assert not browser.shown("#items")
    assert browser.complaints() == []
