"""The README says what is so: its table of settings is complete, and what it names is there.

Its code blocks, the five requests among them, run in tests/docs/test_blocks.py.
"""

import re
from pathlib import Path

from db.settings import Settings

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_table_of_settings_names_every_setting() -> None:
    named = re.findall(r"^\| `SIP_(\w+)` \|", README, re.MULTILINE)
    assert named == [name.upper() for name in Settings.model_fields]


def test_every_page_and_folder_it_names_is_there() -> None:
    root = Path(__file__).parents[1]
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    folders = re.findall(r"`(\w+/)`", README)
    assert [name for name in (*linked, *folders) if not (root / name).exists()] == []
