"""A template and its values to one file of HTML that needs nothing else, least of all a network."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Any

from retrograd.data.files import atomic_write
from retrograd.report.words.figures import cut, figure, percent, shape
from retrograd.wording import count

__all__ = ["content_policy", "render", "write_page", "write_text"]


def render(template: str, *, script: str = "", **values: Any) -> str:
    """The page that `template` and the values make.

    Every value is escaped, except the charts, which escape their own texts. The page may load
    nothing and run nothing; but with a `script` it runs that, and that may ask the page's server.
    """
    import jinja2  # 0.1 s that only a page needs

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("retrograd.report.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(figure=figure, percent=percent, shape=shape, cut=cut, count=count)
    return environment.get_template(template).render(
        values, policy=content_policy(script), script=script
    )


def content_policy(script: str = "") -> str:
    """What a browser lets the page do: show itself, and with a `script` run that one."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    if not script:
        return policy
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{policy}; script-src 'sha256-{known}'; connect-src 'self'"


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a page, whole or not at all; UsageError if it cannot be written."""
    with atomic_write(path) as part:
        part.write_text(text, "utf-8")


def write_page(path: str | os.PathLike[str], template: str, **values: Any) -> None:
    """Render `template` and write it, as the two above do."""
    write_text(path, render(template, **values))
