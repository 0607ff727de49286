"""A QR code as a drawing in the page.

Not here: what is in it; nothing of it is kept.
"""

from __future__ import annotations

from markupsafe import Markup


def drawn(text: str, title: str) -> Markup:
    """An SVG element; dark on white in either scheme, as cameras need it."""
    import segno

    svg = segno.make(text, error="m").svg_inline(
        scale=4, border=2, svgclass="square", lineclass=None, title=title, omitsize=True
    )
    return Markup(svg)  # noqa: S704  (segno's own drawing, its title escaped)
