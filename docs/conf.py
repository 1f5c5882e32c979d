"""The documentation as a site: ``make docs``."""

from analyzer import __version__

project, author, version = "hoptrace", "the authors of hoptrace", __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["man"]
html_theme = "furo"
html_title = "hoptrace"
html_show_copyright = False
html_copy_source = False
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
suppress_warnings = ["misc.highlighting_failure"]
