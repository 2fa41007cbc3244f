"""How the documentation is built: ``sphinx-build -W -n docs docs/_build/html``."""

import re
from functools import cached_property
from importlib import import_module
from inspect import isdatadescriptor

from docutils import nodes

import skrnn
from skrnn._documentation import DOCUMENTATION_URL


def _class(name):
    module, _, class_name = name.rpartition(".")
    return getattr(import_module(module), class_name)


def members_of(name):
    """Attributes of a class by name: those of skrnn's private bases, then its own."""
    bases = [base for base in _class(name).__mro__[1:] if base.__module__.startswith("skrnn._")]
    return {member: value for base in [*reversed(bases), _class(name)] for member, value in vars(base).items()}


def own_members(name):
    """Methods and properties of a class that are skrnn's, in the order of its code; none of scikit-learn's setters."""
    return [
        member
        for member, value in members_of(name).items()
        if not member.startswith(("_", "set_"))
        and hasattr(value, "__get__")
        and (is_property(name, member) or not isdatadescriptor(value))  # a field is described by its class
    ]


def is_property(name, member):
    """Whether a member of a class is read like an attribute."""
    return isinstance(members_of(name)[member], (property, cached_property))


project = "skrnn"
author = "The skrnn developers"
copyright = author
version = release = skrnn.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_static"]
templates_path = ["_templates"]

# Pages are Markdown; docstrings and the scripts of the gallery are reStructuredText, which their readers ask for.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # numpydoc's sections say the types, with shapes
autodoc_preserve_defaults = True  # as they are written, not as they are computed
toc_object_entries_show_parents = "hide"  # methods in the right sidebar by their own names
mathjax_path = "mathjax/tex-svg.js"  # in _static, so that equations need no network
autosummary_generate = True
autosummary_context = {"own_members": own_members, "is_property": is_property}  # for the templates
suppress_warnings = ["config.cache"]  # that functions are no part of the cached configuration
numpydoc_show_class_members = False  # the template lists them
numpydoc_xref_param_type = False

# The build needs no network, so there is no intersphinx, and names of other packages have nothing to link to.
nitpick_ignore_regex = [("py:.*", r"(sklearn|numpy|scipy|tokenize)(\..*)?")]

SCRIPTS = ["digits", "anomalies", "names", "japanese_vowels", "baselines", "calibration", "grid_search"]


def script_order(filename):
    """Sort the examples by their place in SCRIPTS, the numbered tutorials by their names."""
    name = filename.removeprefix("plot_").removesuffix(".py")
    return (SCRIPTS.index(name), "") if name in SCRIPTS else (len(SCRIPTS), name)


sphinx_gallery_conf = {
    "examples_dirs": ["../tutorials", "../examples"],
    "gallery_dirs": ["auto_tutorials", "auto_examples"],
    "filename_pattern": r"/plot_",
    "within_subsection_order": script_order,
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skrnn",),
    "reference_url": {"skrnn": None},
    "abort_on_example_error": True,
    "capture_repr": (),  # no HTML of estimators, which would also fill the search index
    "write_computation_times": False,
    "parallel": 2,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
}

copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "skrnn"
html_baseurl = f"{DOCUMENTATION_URL}/"
html_static_path = ["_static"]
html_css_files = ["skrnn.css"]
html_favicon = "_static/logo.svg"
# No left sidebar: scripts and sources have lines of 120 characters, which need its place; two pages have no section.
html_sidebars = {
    pattern: [] for pattern in ("auto_examples/plot_*", "auto_tutorials/plot_*", "_modules/**", "index", "changelog")
}
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "skrnn", "image_light": "_static/logo.svg", "image_dark": "_static/logo.svg"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
}


def _fit_module_docstring(app, what, name, obj, options, lines):
    """Let the docstring of a module stand on a page with others, its numbered equations as an ``align``."""
    if what != "module":
        return
    text = "\n".join(lines)
    text = text.replace("References\n----------\n", ".. rubric:: References\n\n")  # as numpydoc does for functions
    blocks = re.split(r"(?<=\.\. math::\n)((?:    .*\n?)+)", text)
    for k, block in enumerate(blocks):
        if r"\tag" in block:
            blocks[k] = "    :nowrap:\n\n    \\begin{align}\n" + block.rstrip() + "\n    \\end{align}\n\n"
    lines[:] = "".join(blocks).split("\n")


def _strip_code(app, doctree):
    """Take off the blank line that ends a doctest inside of a fence."""
    for block in doctree.findall(nodes.literal_block):
        text = block.astext().rstrip()
        block.rawsource, block[:] = text, [nodes.Text(text)]


def _allow_missing_pictures(app, config):
    """Let pages show what the gallery draws also where it is told to draw nothing."""
    if str(config.sphinx_gallery_conf.get("plot_gallery", True)) in ("0", "False"):
        config.suppress_warnings.append("image.not_readable")


def setup(app):
    """Connect what the extensions leave to do."""
    app.connect("config-inited", _allow_missing_pictures)
    app.connect("autodoc-process-docstring", _fit_module_docstring)
    app.connect("doctree-read", _strip_code)
