"""Makes the README's pictures. `make` prepares what it needs and runs it."""

import json
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

import svg
import terminal
from browser import Browser

PICTURES = Path(__file__).parent
# The recording shows this path.
DIRECTORY = Path("/tmp/videos")


def main():
    # In this order, so that the recording does not show how Temporal's dev server is downloaded.
    with empty_directory():
        take_screenshots()
    with empty_directory():
        frames = terminal.record(["seedance-archiver", "demo"], DIRECTORY)
    (PICTURES / "demo.svg").write_text(svg.render(frames, "seedance-archiver demo"))


@contextmanager
def empty_directory():
    DIRECTORY.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(DIRECTORY)


def take_screenshots():
    command = ["seedance-archiver", "demo", "--stay", "--output", "json"]
    with subprocess.Popen(command, cwd=DIRECTORY, stdout=subprocess.PIPE, text=True) as demo:
        try:
            report = read_document(demo.stdout)
            # The third task is polled many times, and its transfer takes long.
            take_timeline(report["ui_url"], report["videos"][2]["task_id"])
            take_gallery(report["archive_url"])
        finally:
            demo.send_signal(signal.SIGINT)


def read_document(lines):
    """Reads a JSON document from a stream that stays open after it."""
    text = ""
    for line in lines:
        text += line
        if line == "}\n":
            return json.loads(text)
    raise SystemExit(f"the demo printed no report: {text}")


def take_timeline(ui_url, task_id):
    workflow = f"{ui_url}/namespaces/default/workflows/video-task%2Fdefault%2F{task_id}"
    with Browser(1280, 1000) as browser:
        browser.open(workflow)
        browser.wait_until("document.querySelector('#event-history-timeline-graph')?.textContent.includes('archive ')")
        browser.wait_until("document.fonts.status === 'loaded'")
        # Input and result are between the heading and the timeline, and larger than both.
        browser.run("document.querySelector('[data-testid=input-and-result]').style.display = 'none'")
        browser.wait_until_still()
        browser.screenshot(
            PICTURES / "timeline.png",
            ["[data-testid=workflow-id-heading]", "[data-testid=history-tab]", "#event-history-timeline-graph"],
        )


def take_gallery(archive_url):
    command = ["seedance-archiver", "gallery", "--out", "gallery"]
    subprocess.run(command, cwd=DIRECTORY, env={**os.environ, "SEEDANCE_ARCHIVE_URL": archive_url}, check=True)
    with Browser(1180, 640) as browser:
        browser.open(f"file://{DIRECTORY}/gallery/index.html")
        browser.wait_until("document.querySelectorAll('.card').length === 5")
        browser.run("document.querySelectorAll('.card')[1].click()")
        browser.wait_until("document.querySelector('#stage video')?.readyState >= HTMLMediaElement.HAVE_METADATA")
        # The middle of the video, and the files and checks in its receipt.
        browser.run("document.querySelector('#stage video').currentTime = 2.5")
        browser.run("document.querySelector('#details h3').scrollIntoView()")
        browser.wait_until("!document.querySelector('#stage video').seeking")
        browser.wait_until_still()
        browser.screenshot(PICTURES / "gallery.webp", ["dialog"])


main()
