"""Render a template to one self-contained HTML file that needs no network."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import TYPE_CHECKING, Any

from retrograd.data.files import atomic_write
from retrograd.report.words.figures import cut, figure, percent, shape
from retrograd.wording import count

if TYPE_CHECKING:
    import jinja2

__all__ = ["content_policy", "environment", "render", "write_page", "write_text"]


def render(template: str, *, script: str = "", **values: Any) -> str:
    """Render `template` with the values.

    Every value is escaped, except the charts, which escape their own text. The page may load and
    run nothing, except a given `script`, which may send requests to the page's server.
    """
    return (
        environment()
        .get_template(template)
        .render(values, policy=content_policy(script), script=script)
    )


def environment() -> jinja2.Environment:
    """Where templates are found, and the filters that they use."""
    import jinja2  # takes 0.1 s, only needed for pages

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("retrograd.report.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(figure=figure, percent=percent, shape=shape, cut=cut, count=count)
    return made


def content_policy(script: str = "") -> str:
    """The content security policy: show the page, and run only the given `script`."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    if not script:
        return policy
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{policy}; script-src 'sha256-{known}'; connect-src 'self'"


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a page atomically; UsageError if it cannot be written."""
    with atomic_write(path) as part:
        part.write_text(text, "utf-8")


def write_page(path: str | os.PathLike[str], template: str, **values: Any) -> None:
    """Render `template` and write the page; see `render` and `write_text`."""
    write_text(path, render(template, **values))
