"""Renders a recording of a terminal as an animated SVG. Without animation, the SVG shows the last frame."""

import re
from xml.sax.saxutils import escape

CHARACTER_WIDTH = 8.4
LINE_HEIGHT = 20
PADDING = 18
# Seconds for which the last frame stays.
HOLD = 12
# A part of a line that is placed on its own, so that columns align in every font.
CHUNK = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*|[^\x00-\x7f]+")
STYLE = """
text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d7dae0 }}
g {{ animation: {seconds:.1f}s step-end infinite }}
@media (prefers-reduced-motion: reduce) {{ g {{ animation: none }} }}
"""


def render(frames, title):
    """Returns the SVG of frames, as `terminal.record` returns them."""
    lines = max(index for _, screen in frames for index, line in enumerate(screen) if line.strip()) + 1
    width = round(len(frames[0][1][0]) * CHARACTER_WIDTH) + 2 * PADDING
    height = lines * LINE_HEIGHT + 2 * PADDING
    seconds = frames[-1][0] + HOLD
    rows = [row(index, changes(index, frames), width, seconds) for index in range(lines)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE.format(seconds=seconds)}{''.join(style for style, _ in rows)}</style>",
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="10" fill="#14161b" stroke="#3a3f4a"/>',
        *(texts for _, texts in rows if texts),
        "</svg>\n",
    ])


def changes(index, frames):
    """Returns the texts that a line of the screen shows in sequence: (seconds since the start, text)."""
    changes = []
    for seconds, screen in frames:
        line = screen[index].rstrip()
        if not changes or changes[-1][1] != line:
            changes.append((seconds, line))
    return changes


def row(index, changes, width, seconds):
    """Returns the style and the elements of a line. Its texts are side by side; the animation moves the current one
    into view."""
    texts = "".join(text(line, step * width, index) for step, (_, line) in enumerate(changes))
    if len(changes) == 1:
        return "", texts
    steps = "".join(
        f"{100 * start / seconds:.2f}%{{translate:{-step * width}px}}" for step, (start, _) in enumerate(changes)
    )
    last = -(len(changes) - 1) * width
    style = f"#r{index}{{animation-name:r{index};translate:{last}px}}\n@keyframes r{index}{{{steps}}}\n"
    return style, f'<g id="r{index}">{texts}</g>'


def text(line, x, index):
    """Returns the elements of a text. Their lengths are fixed, because readers have fonts of other widths."""
    y = PADDING + index * LINE_HEIGHT + 15
    elements = []
    for chunk in CHUNK.finditer(line):
        left = x + PADDING + chunk.start() * CHARACTER_WIDTH
        length = len(chunk[0]) * CHARACTER_WIDTH
        elements.append(f'<text x="{left:.1f}" y="{y}" textLength="{length:.1f}">{escape(chunk[0])}</text>')
    return "".join(elements)
