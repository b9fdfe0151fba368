"""The admin page in a real browser, headless, as its tests look at it and use it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from system_programs import require_program

#: Seconds that anything may take on a machine that is busy.
PATIENCE = 90.0

_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1280,900",
)  # fmt: skip


@dataclass(frozen=True)
class Browser:
    """A browser, and how a test speaks of what is in it: by CSS."""

    driver: webdriver.Chrome

    def open(self, url: str, token: str | None = None, view: str = "items") -> None:
        """The page as somebody sees it who has just come, signed in by a token or not."""
        self.driver.get("about:blank")
        self.driver.get(url)
        kept = "sessionStorage.clear(); sessionStorage.setItem('shsim.exam', 'DEMO-EXAM')"
        if token is not None:
            kept += f"; sessionStorage.setItem('shsim.token', {json.dumps(token)})"
        self.driver.execute_script(f"{kept}; location.hash = {json.dumps(view)}")
        self.driver.refresh()
        self.until(lambda: self.shown("#token") or self.shown("#exam"))

    def all(self, css: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def shown(self, css: str) -> bool:
        return any(each.is_displayed() for each in self.all(css))

    def text(self, css: str) -> str:
        """What one reads there now, all at once: the page may draw it anew at any time."""
        script = "return document.querySelector(arguments[0])?.innerText ?? ''"
        return str(self.driver.execute_script(script, css))

    def texts(self, css: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)"
        found: list[str] = self.driver.execute_script(script, css)
        return found

    def until(self, is_so: Callable[[], Any]) -> Any:
        """Wait for it; what it gave at last."""
        wait = WebDriverWait(self.driver, PATIENCE, 0.05, [StaleElementReferenceException])
        try:
            return wait.until(lambda _: is_so())
        except TimeoutException:
            said = self.driver.execute_script("return document.body.innerText")
            raise AssertionError(f"it never came; the page says: {said[:2000]}") from None

    def reads(self, css: str, words: str) -> None:
        """Wait until these words stand there."""
        self.until(lambda: words in self.text(css))

    def click(self, css: str) -> None:
        self.until(lambda: self.shown(css) and self.one(css).is_enabled())
        self.one(css).click()

    def type(self, css: str, words: str) -> None:
        field = self.one(css)
        field.clear()
        field.send_keys(words)

    def see(self, width: int, height: int) -> None:
        """Look at it through a window of that size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def overhang(self) -> int:
        """Pixels by which the page is wider than the window."""
        script = (
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return int(self.driver.execute_script(script))

    def complaints(self) -> list[str]:
        """What the console has that is no answer of the server's, since the last look."""
        lines = self.driver.get_log("browser")
        return [line["message"] for line in lines if line["source"] != "network"]

    def requests(self) -> list[str]:
        """The addresses that were asked, since the last look."""
        messages = (json.loads(line["message"])["message"] for line in self._performance())
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def _performance(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.driver.get_log("performance")
        return found


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """A browser with a new profile; where there is none the test is skipped."""
    options = webdriver.ChromeOptions()
    options.binary_location = require_program("chromium")
    for argument in (*_ARGUMENTS, f"--user-data-dir={folder}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Named, so that selenium looks for none and downloads none.
    service = Service(require_program("chromium-driver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield Browser(driver)
    finally:
        driver.quit()
