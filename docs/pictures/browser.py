"""A headless Chromium, controlled through chromedriver."""

import base64
import json
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

# Maximum time for a page to show what the picture needs.
TIMEOUT = 60
# GitHub shows a README about 840 pixels wide. Pictures have twice that, for screens of high density.
SCALE = 1.4
MARGIN = 16
WEBP_QUALITY = 85


class Browser:
    def __init__(self, width, height):
        self.profile = tempfile.TemporaryDirectory()
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        ports = (re.search(r"successfully on port (\d+)", line) for line in self.driver.stdout)
        self.session = f"http://127.0.0.1:{next(filter(None, ports))[1]}/session"
        arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-proxy-server",
            "--remote-debugging-pipe",
            "--lang=en-US",
            f"--user-data-dir={self.profile.name}",
        ]
        # Do not wait for the load event: the Web UI keeps requests open.
        options = {"pageLoadStrategy": "none", "goog:chromeOptions": {"args": arguments}}
        session = self.post("", {"capabilities": {"alwaysMatch": options}})
        self.session += f"/{session['sessionId']}"
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=SCALE, mobile=False
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.request("", "DELETE")
        self.driver.terminate()
        self.driver.wait()
        self.profile.cleanup()

    def open(self, url):
        self.post("/url", {"url": url})

    def run(self, script):
        """Runs a script in the page, and returns what it returns."""
        return self.post("/execute/sync", {"script": script, "args": []})

    def wait_until(self, expression):
        """Waits until a JavaScript expression is true."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            try:
                if self.run(f"return {expression}"):
                    return
            except urllib.error.HTTPError:
                pass  # The page changes from one document to the next.
            time.sleep(0.1)
        raise SystemExit(f"not true within {TIMEOUT} s: {expression}\n{self.run('return document.body.innerText')}")

    def wait_until_still(self):
        """Waits until the page has not changed for a second."""
        before = None
        while before != (before := self.capture("png")):
            time.sleep(1)

    def screenshot(self, path, selectors):
        """Saves the part of the page that contains these elements, with a margin."""
        boxes = self.run(
            f"return {json.dumps(selectors)}.map(it => document.querySelector(it).getBoundingClientRect().toJSON())"
        )
        x, y = (min(box[side] for box in boxes) - MARGIN for side in ["left", "top"])
        right, bottom = (max(box[side] for box in boxes) + MARGIN for side in ["right", "bottom"])
        clip = {"x": x, "y": y, "width": right - x, "height": bottom - y, "scale": 1}
        options = {"quality": WEBP_QUALITY} if path.suffix == ".webp" else {}
        path.write_bytes(self.capture(path.suffix[1:], clip=clip, **options))

    def capture(self, image_format, **options):
        result = self.devtools("Page.captureScreenshot", format=image_format, **options)
        return base64.b64decode(result["data"])

    def devtools(self, command, **parameters):
        return self.post("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def post(self, command, body):
        return self.request(command, "POST", json.dumps(body).encode())

    def request(self, command, method, body=None):
        request = urllib.request.Request(
            self.session + command, body, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)["value"]
