"""How the pages of this folder become a site: `make docs`."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


project = "Source identification"
version = release = version_of("source-identification")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "reference_pages"]
exclude_patterns = ["reference/*.tmp"]

html_theme = "furo"
html_title = "Source identification"
html_show_sphinx = False
html_copy_source = False

myst_heading_anchors = 3
default_role = "code"  # docstrings mark code with single backticks
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88
