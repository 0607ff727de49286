"""`python -m tests.journeys.pictures HOME`: make the pictures of the portal in docs/images anew.

Not here: judging the pages; the tests beside this hold them to what can be measured.

HOME is a home that `passerelle demo` filled; it is copied, never changed. Each picture is 1366
pixels wide, in English and in French, and at most 150 KB.
"""

from __future__ import annotations

import argparse
import base64
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.journeys import walks
from tests.journeys.browsing import LAPTOP, Town, Visitor, chromium, sign_in, town, visitor

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LARGEST = 150_000
SHORTEST, TALLEST = 620, 1700
# The page of a walk that a picture shows, and down to which element (else the whole page).
SHOWN = {
    "sign-in": ("portal-sign-in", ""),
    "tables": ("portal-tables", ""),
    "choose": ("portal-choose", ""),
    "preview": ("portal-preview", "main .drawings"),
    "result": ("portal-result", ""),
    "delivery-demo": ("portal-delivery", "main tbody tr:nth-child(4)"),
    "feeds": ("portal-feeds", "main tbody tr:nth-child(9)"),
    "dictionary-found": ("portal-dictionary", ""),
    "sql-answer": ("portal-sql", "#answer tbody tr:nth-child(10)"),
    "ledger-checked": ("portal-ledger", "main tbody tr:nth-child(9)"),
}
NAMES = {
    "mission": "desk.bangui",
    "provider": "greffe.bangui",
    "operator": "operator.desk",
    "analyst": "analysis.desk",
    "oversight": "oversight.desk",
}


def picture(one: Visitor, name: str) -> None:
    """Take the picture of a page, where it is one of those that the docs show."""
    if name not in SHOWN or (name == "sign-in" and not one.name.startswith(NAMES["mission"])):
        return
    file, last = SHOWN[name]
    one.page.evaluate("scrollTo(0, 0)")
    one.page.mouse.move(0, 0)
    height = one.page.evaluate("document.documentElement.scrollHeight")
    if last:
        box = one.page.locator(last).first.bounding_box()
        height = box["y"] + box["height"] + 24
    height = int(min(max(height, SHORTEST), TALLEST))
    place = IMAGES / f"{file}.{one.language}.png"
    clip = {"x": 0, "y": 0, "width": LAPTOP["width"], "height": height}
    taken = one.page.screenshot(full_page=True, clip=clip)
    place.write_bytes(_fewer_colours(one.page.context.browser, taken))
    assert place.stat().st_size <= LARGEST, f"{place} is too large: {place.stat().st_size}"
    print(place, place.stat().st_size)


# A page has few colours. The browser names each pixel by one of the 255 that occur most;
# a palette makes the picture a third as large, and it looks the same.
PALETTE = """async (source) => {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height), pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  const bytes = pen.getImageData(0, 0, image.width, image.height).data;
  const seen = new Map(), keys = new Uint32Array(bytes.length / 4);
  for (let at = 0; at < keys.length; at++) {
    keys[at] = (bytes[at * 4] << 16) | (bytes[at * 4 + 1] << 8) | bytes[at * 4 + 2];
    seen.set(keys[at], (seen.get(keys[at]) || 0) + 1);
  }
  const kept = [...seen].sort((a, b) => b[1] - a[1]).slice(0, 255).map(one => one[0]);
  const parts = kept.map(key => [key >> 16, (key >> 8) & 255, key & 255]), place = new Map();
  const nearest = key => {
    if (!place.has(key)) {
      const [r, g, b] = [key >> 16, (key >> 8) & 255, key & 255];
      let best = 0, least = Infinity;
      parts.forEach(([x, y, z], at) => {
        const far = (x - r) ** 2 + (y - g) ** 2 + (z - b) ** 2;
        if (far < least) { least = far; best = at; }
      });
      place.set(key, best);
    }
    return place.get(key);
  };
  const named = Array.from(keys, nearest), pieces = [];
  for (let at = 0; at < named.length; at += 8192)
    pieces.push(String.fromCharCode(...named.slice(at, at + 8192)));
  return [image.width, image.height, parts.flat(), btoa(pieces.join(''))];
}"""


def _fewer_colours(browser: Any, taken: bytes) -> bytes:
    """The same picture with a palette."""
    context = browser.new_context()  # of its own: a page of the portal runs no script
    source = "data:image/png;base64," + base64.b64encode(taken).decode()
    width, height, palette, named = context.new_page().evaluate(PALETTE, source)
    context.close()
    pixels = base64.b64decode(named)
    lines = (b"\0" + pixels[at : at + width] for at in range(0, width * height, width))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(palette)),
        (b"IDAT", zlib.compress(b"".join(lines), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def provider(one: Visitor) -> None:
    """The provider sees a file of the demo, with all that can be wrong in one."""
    sign_in(one, "/deliveries")
    one.page.locator("main tbody a").last.click()
    one.at("delivery-demo")


def operator(one: Visitor) -> None:
    """The operator alone sees how every feed does."""
    sign_in(one, "/feeds")
    one.at("feeds")


WALKS: dict[str, Callable[[Visitor], Any]] = {
    **{name: walks.WALKS[name] for name in ("mission", "analyst", "oversight")},
    "provider": provider,
    "operator": operator,
}


def main() -> None:
    """Make them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    demo = parser.parse_args().home
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, town(Path(folder) / "home", demo) as place:
        for language in ("en", "fr"):
            # The fields for dates speak the language of the browser, not of the page.
            with chromium(language) as browser:
                for who in WALKS:
                    _walked(place, browser, who, language, Path(folder))


def _walked(place: Town, browser: Any, who: str, language: str, folder: Path) -> None:
    name = place.person(who, language, name=f"{NAMES[who]}{'' if language == 'en' else '2'}")
    with visitor(place, browser, name, picture, language=language, folder=folder) as one:
        WALKS[who](one)


if __name__ == "__main__":
    main()
