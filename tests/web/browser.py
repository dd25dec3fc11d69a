"""A real Chromium that notes whatever a page does wrong."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    expect,
)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARTIFACTS = Path(os.environ.get("SIP_TEST_ARTIFACTS", "test-artifacts"))
"""Where the pictures of the pages are kept."""
DESKTOP = ViewportSize(width=1280, height=900)
LOOKS: dict[str, tuple[Literal["light", "dark"], ViewportSize]] = {
    "light": ("light", DESKTOP),
    "dark": ("dark", DESKTOP),
    "phone": ("light", ViewportSize(width=390, height=844)),
}
SERIOUS = ("serious", "critical")
WAIT_MILLISECONDS = 180_000
"""A busy machine is waited for."""


def find_chromium() -> str | None:
    """The path of an installed Chromium; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass
class Visit:
    """A page of the service in a browser; `troubles` must stay empty."""

    page: Page
    url: str
    context: BrowserContext
    troubles: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, browser: Browser, url: str) -> "Visit":
        """A fresh browser profile on the service at `url`."""
        context = browser.new_context(
            viewport=DESKTOP, color_scheme="light", permissions=["clipboard-read", "clipboard-write"]
        )
        context.set_default_timeout(WAIT_MILLISECONDS)
        expect.set_options(timeout=WAIT_MILLISECONDS)
        visit = cls(context.new_page(), url, context)
        visit.page.on("console", visit._heard)
        visit.page.on("pageerror", lambda error: visit.troubles.append(f"error: {error}"))
        visit.page.on("request", visit._asked)
        visit.page.on("dialog", lambda dialog: dialog.accept())
        return visit

    def open(self, address: str) -> Page:
        """Go to the page `#/…`."""
        self.page.goto(f"{self.url}/{address}")
        self.page.locator("main h1").first.wait_for()
        return self.page

    def violations(self) -> list[str]:
        """What axe finds serious on the page as it is."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {node['html']}"
            for each in found
            if each["impact"] in SERIOUS
            for node in each["nodes"]
        ]

    def photograph(self, name: str) -> None:
        """Pictures in light, dark and on a phone; nothing may stick out to the side."""
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        for look, (scheme, size) in LOOKS.items():
            self.page.set_viewport_size(size)
            self.page.emulate_media(color_scheme=scheme)
            self.page.wait_for_timeout(400)  # charts follow the new size
            self.page.screenshot(path=ARTIFACTS / f"{name}-{look}.png", full_page=True)
            if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                self.troubles.append(f"{name} is wider than the window ({look})")
            self.troubles += [f"{name} ({look}): {each}" for each in self.violations()]
        self.page.set_viewport_size(DESKTOP)
        self.page.emulate_media(color_scheme="light")

    def _heard(self, message: ConsoleMessage) -> None:
        # a refusal that the page shows is an error to the browser's console too
        if (
            message.type in ("error", "warning")
            and "the server responded with a status of 4" not in message.text
        ):
            self.troubles.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.hostname != "127.0.0.1":
            self.troubles.append(f"asked {parts.hostname}")
