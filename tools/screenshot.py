"""A picture of a run's report for the README, taken in headless Chromium:

python tools/screenshot.py runs/houses-1 docs/images/report.png
"""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

# What is shown of the page: its head, and these sections, with the first findings.
_SECTIONS = ("findings", "flow")
_FINDINGS = 2
_WIDTH, _LONGEST = 1120, 1765


def main() -> None:
    """Read the arguments, take the picture, write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    shown = ", ".join(f"#{section}" for section in _SECTIONS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": _WIDTH, "height": 900})
        page.goto((arguments.run / "report.html").resolve().as_uri())
        hidden = f"section:not({shown}), footer, details, article:nth-of-type(n + {_FINDINGS + 1})"
        page.add_style_tag(content=f"{hidden} {{ display: none }}")
        picture = page.screenshot(full_page=True)
        browser.close()
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image = image.crop((0, 0, image.width, min(image.height, _LONGEST)))
    # A palette of the colours that are most used keeps the file small.
    image.quantize(256, kmeans=3, dither=Image.Dither.NONE).save(arguments.picture, optimize=True)
    print(f"{arguments.picture}: {image.size}, {arguments.picture.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
