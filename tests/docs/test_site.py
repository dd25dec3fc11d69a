"""The site builds without a warning, holds all there is, and needs nothing from elsewhere."""

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.app import create_app
from cli.lazy import PLACES
from client import Client
from db.settings import Settings
from tests.docs.blocks import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; the pages are built from a copy, so that nothing is written into the tree."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("reference", "__pycache__"))
    shutil.copy(ROOT / "README.md", folder)
    words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", "site"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return folder / "site"


def test_the_http_reference_has_every_request(site: Path) -> None:
    page = (site / "reference" / "http.html").read_text(encoding="utf-8")
    paths = create_app(Settings()).openapi()["paths"]
    assert [path for path in paths if path not in page] == []


def test_the_reference_of_sip_has_every_command(site: Path) -> None:
    page = re.sub(r"<[^>]+>", "", (site / "reference" / "sip.html").read_text(encoding="utf-8"))
    assert [name for name in PLACES if f"sip {name}" not in page] == []


def test_the_reference_of_the_client_has_every_method(site: Path) -> None:
    page = (site / "client.html").read_text(encoding="utf-8")
    public = [name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")]
    assert [name for name in public if f'id="client.Client.{name}"' not in page] == []


def test_a_page_asks_nobody_else_for_anything(site: Path) -> None:
    asked = re.compile(r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="(?:https?:)?//')
    offenders = [page.name for page in site.rglob("*.html") if asked.search(page.read_text(encoding="utf-8"))]
    assert offenders == []
    styles = [
        sheet for sheet in site.rglob("*.css") if re.search(r"url\(['\"]?(https?:)?//", sheet.read_text())
    ]
    assert styles == []
