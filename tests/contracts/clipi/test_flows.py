"""The examples of Clipi's document, word for word; only base address, key and link are changed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clipstead.media import probe

_BASE, _KEY, _LINK = "https://api.clipi.video/api", "clp_your_key", "https://youtube.com/watch?v=dQw4w9WgXcQ"

# [seed] "examples / curl"
_CURL_INFO = """curl -X POST https://api.clipi.video/api/video/info \\
  -H "Content-Type: application/json" \\
  -H "X-Api-Key: clp_your_key" \\
  -d '{"url": "https://youtube.com/watch?v=dQw4w9WgXcQ"}'"""
_CURL_DOWNLOAD = """curl -X POST https://api.clipi.video/api/video/download \\
  -H "Content-Type: application/json" \\
  -H "X-Api-Key: clp_your_key" \\
  -d '{"url": "https://youtube.com/watch?v=dQw4w9WgXcQ", "format": "mp4"}'"""
_CURL_PROGRESS = "curl -N https://api.clipi.video/api/jobs/JOB_ID"
_CURL_FILE = "curl -O -J https://api.clipi.video/api/download/DOWNLOAD_ID"

# [seed] "example: trim a video"
_CURL_TRIM = """curl -X POST https://api.clipi.video/api/tools/trim-video \\
  -H "X-Api-Key: clp_your_key" \\
  -F "file=@video.mp4" \\
  -F "startTime=10" \\
  -F "endTime=30" """
_CURL_TRIM_PROGRESS = "curl -N https://api.clipi.video/api/tools/jobs/123"
_CURL_TRIM_FILE = "curl -O -J https://api.clipi.video/api/tools/download/abc-uuid"

# [seed] "examples / python"
_PYTHON = """
import requests, sseclient, json

API_KEY = "clp_your_key"
BASE = "https://api.clipi.video/api"
headers = {"Content-Type": "application/json", "X-Api-Key": API_KEY}

# Get video info
info = requests.post(f"{BASE}/video/info",
    json={"url": "https://youtube.com/watch?v=dQw4w9WgXcQ"},
    headers=headers).json()

# Start download
job = requests.post(f"{BASE}/video/download",
    json={"url": "https://youtube.com/watch?v=dQw4w9WgXcQ", "format": "mp4"},
    headers=headers).json()

# Track progress
response = requests.get(f"{BASE}/jobs/{job['jobId']}", stream=True)
for event in sseclient.SSEClient(response).events():
    data = json.loads(event.data)
    print(f"{data.get('percent', 0)}%")
    if data["status"] == "completed":
        r = requests.get(f"{BASE}/download/{job['downloadId']}")
        open("video.mp4", "wb").write(r.content)
        break
"""

# [seed] "examples / javascript / node.js"
_NODE = """
const API_KEY = "clp_your_key";
const BASE = "https://api.clipi.video/api";

// Get video info
const info = await fetch(`${BASE}/video/info`, {
  method: "POST",
  headers: { "Content-Type": "application/json", "X-Api-Key": API_KEY },
  body: JSON.stringify({ url: "https://youtube.com/watch?v=dQw4w9WgXcQ" }),
}).then(r => r.json());

console.log(info.data.title, info.data.formats);

// Start download
const job = await fetch(`${BASE}/video/download`, {
  method: "POST",
  headers: { "Content-Type": "application/json", "X-Api-Key": API_KEY },
  body: JSON.stringify({
    url: "https://youtube.com/watch?v=dQw4w9WgXcQ",
    format: "mp4",
    formatId: info.data.formats[0].id,
  }),
}).then(r => r.json());

// Track progress via SSE
const es = new EventSource(`${BASE}/jobs/${job.jobId}`);
es.onmessage = (e) => {
  const data = JSON.parse(e.data);
  console.log(`${data.percent}% - ${data.speed}`);
  if (data.status === "completed") {
    console.log(`${BASE}/download/${job.downloadId}`);
    es.close();
  }
};
"""


def _ours(text: str, house: Any, link: str, **names: str) -> str:
    changed = text.replace(_BASE, house.base).replace(_KEY, house.key).replace(_LINK, link)
    for name, value in names.items():
        changed = changed.replace(name, value)
    return changed


def _shell(command: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60, check=True, env=_plain()
    )
    return done.stdout


def _plain() -> dict[str, str]:
    """The environment without proxies: everything here is on this machine."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def _events(stream: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line.startswith("data: ")]


@pytest.fixture(scope="module", autouse=True)
def _curl() -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")


def test_curl_gets_a_video(house: Any, tmp_path: Path) -> None:
    """The four curl commands one after the other leave a playable file that is named after its post."""
    post = house.world.post("video", 1)
    info = json.loads(_shell(_ours(_CURL_INFO, house, post.url), tmp_path))
    assert info["data"]["formats"]
    job = json.loads(_shell(_ours(_CURL_DOWNLOAD, house, post.url), tmp_path))
    events = _events(_shell(_ours(_CURL_PROGRESS, house, "", JOB_ID=job["jobId"]), tmp_path))
    assert events[-1]["downloadUrl"] == f"/api/download/{job['downloadId']}"
    _shell(_ours(_CURL_FILE, house, "", DOWNLOAD_ID=job["downloadId"]), tmp_path)
    (saved,) = tmp_path.iterdir()
    assert post.id in saved.name
    assert saved.suffix == ".mp4"
    assert probe(saved).video == "h264"


def test_curl_trims_an_upload(house: Any, tmp_path: Path) -> None:
    """The three commands of the tool example: upload, progress, file."""
    shutil.copy(house.media / "whole.mp4", tmp_path / "video.mp4")
    trim = _CURL_TRIM.replace("=10", "=1").replace("=30", "=3")  # our video is four seconds long
    job = json.loads(_shell(_ours(trim, house, ""), tmp_path))
    assert job.keys() == {"success", "jobId", "toolJobId"}
    progress = _CURL_TRIM_PROGRESS.replace("/123", f"/{job['jobId']}")
    assert _events(_shell(_ours(progress, house, ""), tmp_path))[-1]["percent"] == 100
    _shell(_ours(_CURL_TRIM_FILE, house, "", **{"abc-uuid": job["toolJobId"]}), tmp_path)
    assert house.inspect((tmp_path / "result.mp4").read_bytes(), "trimmed.mp4").picture.frames == 50


def test_python_gets_a_video(house: Any, tmp_path: Path) -> None:
    """requests and sseclient-py, as the document uses them."""
    script = _ours(_PYTHON, house, house.world.post("video", 2).url)
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, timeout=60, check=True, env=_plain())
    assert probe(tmp_path / "video.mp4").video == "h264"


def test_node_gets_a_video(house: Any, tmp_path: Path) -> None:
    """fetch and EventSource; the script ends by itself, so the stream has ended and nothing reconnects."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = _ours(_NODE, house, house.world.post("video", 3).url)
    if _run_node(node, "process.exit(typeof EventSource === 'function' ? 0 : 1)").returncode:
        script = f'import {{ EventSource }} from "{_eventsource(node)}";\n{script}'
    (tmp_path / "example.mjs").write_text(script)
    done = subprocess.run(
        [node, tmp_path / "example.mjs"], capture_output=True, text=True, timeout=60, check=True, env=_plain()
    )
    assert re.search(r"^100% - ", done.stdout, re.MULTILINE)
    assert done.stdout.rstrip().splitlines()[-1].startswith(f"{house.base}/download/")


def _eventsource(node: str) -> str:
    """npm's eventsource, which older versions of node need: outside this tree, where NODE_PATH or npm -g has it."""
    npm = shutil.which("npm")
    told = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False).stdout if npm else ""
    for folder in [*os.environ.get("NODE_PATH", "").split(os.pathsep), told.strip()]:
        found = Path(folder) / "eventsource" / "dist" / "index.js"
        if folder and found.is_file():
            return found.as_uri()
    pytest.skip("this node has no EventSource, and npm's eventsource is not installed (npm install -g eventsource)")


def _run_node(node: str, code: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([node, "-e", code], capture_output=True, check=False)
