"""A template and its values to one file of HTML that needs nothing else, least of all a network."""

from __future__ import annotations

import os
from typing import Any

from retrograd.data.files import atomic_write
from retrograd.report.figures import cut, figure, percent, shape

__all__ = ["write_page"]


def write_page(path: str | os.PathLike[str], template: str, **values: Any) -> None:
    """Render `template` and write it, whole or not at all; UsageError if it cannot be written.

    Every value is escaped, except the charts, which escape their own texts.
    """
    import jinja2  # 0.1 s that only a page needs

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("retrograd.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(figure=figure, percent=percent, shape=shape, cut=cut)
    text = environment.get_template(template).render(values)
    with atomic_write(path) as part:
        part.write_text(text, "utf-8")
