"""Events on the wire: who comes late, who comes back, who leaves; calling off and doing again."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import sseclient


@pytest.fixture(autouse=True)
def _at_full_speed(house: Any) -> Iterator[None]:
    """Each test begins and ends with a fast network."""
    yield
    house.world.bytes_per_second = 0


def _start(house: Any, number: int, **body: Any) -> dict[str, str]:
    url = house.world.post("video", number).url
    ids: dict[str, str] = house.post("/video/download", json={"url": url} | body).json()
    return ids


def _start_slowly(house: Any, number: int) -> dict[str, str]:
    """A download of about two seconds; its page has been looked at before, for that would take longer still."""
    house.post("/video/info", json={"url": house.world.post("video", number).url})
    house.world.bytes_per_second = 100_000
    return _start(house, number)


def _events(answer: Any) -> Iterator[Any]:
    """As sseclient-py reads an answer of requests, whatever its types say."""
    return iter(sseclient.SSEClient(answer).events())


def _stream(house: Any, job_id: str, **headers: str) -> requests.Response:
    return requests.get(f"{house.base}/jobs/{job_id}", stream=True, timeout=30, headers=headers)


def test_progress_is_real(house: Any) -> None:
    """Percent grows and never goes back; speed and time left are what they are on that line."""
    ids = _start_slowly(house, 12)
    events = house.watch(f"/jobs/{ids['jobId']}")
    working = [event for event in events if event["status"] == "processing"]
    percents = [event["percent"] for event in events]
    assert percents == sorted(percents)
    assert any(0 < percent < 95 for percent in percents)
    told = [event for event in working if "speed" in event]
    assert told
    assert all(10_000 < float(event["speed"].removesuffix("KB/s")) * 1000 < 200_000 for event in told[1:-1])
    assert all(event["eta"] <= 6 for event in told if "eta" in event)


def test_who_comes_back_gets_the_newest_event_again(house: Any) -> None:
    """Whatever Last-Event-ID says, nothing older than it; the stream goes on to the end."""
    ids = _start_slowly(house, 13)
    with _stream(house, ids["jobId"]) as answer:
        events = _events(answer)
        seen = next(event for event in events if json.loads(event.data)["status"] == "processing")
    with _stream(house, ids["jobId"], **{"Last-Event-ID": seen.id}) as answer:
        again = list(_events(answer))
    assert int(again[0].id) >= int(seen.id)
    assert json.loads(again[0].data)["percent"] >= json.loads(seen.data)["percent"]
    assert [int(event.id) for event in again] == sorted(int(event.id) for event in again)
    assert json.loads(again[-1].data)["status"] == "completed"


def test_the_last_event_is_there_for_whoever_comes_late(house: Any) -> None:
    """A finished job's stream is its last event, also for one who has it already; then it ends."""
    ids = _start(house, 14)
    first = house.watch(f"/jobs/{ids['jobId']}")[-1]
    for headers in ({}, {"Last-Event-ID": "1"}, {"Last-Event-ID": "99"}, {"Last-Event-ID": "nonsense"}):
        answer = _stream(house, ids["jobId"], **headers)
        events = list(_events(answer))
        assert [json.loads(event.data) for event in events] == [first]


def test_many_listen_to_one_job(house: Any) -> None:
    """All hear the same end, and nothing is kept for them when they are gone."""
    ids = _start_slowly(house, 15)
    with contextlib.ExitStack() as stack:
        answers = [stack.enter_context(_stream(house, ids["jobId"])) for _ in range(20)]
        for answer in answers[:5]:
            answer.close()
        ends = [list(_events(answer))[-1].data for answer in answers[5:]]
    assert len(set(ends)) == 1
    assert json.loads(ends[0])["status"] == "completed"


def test_the_place_in_the_queue(house: Any) -> None:
    """Tool jobs that wait behind others say so, and move up."""
    clip = house.media / "whole.mp4"
    ids = []
    for speed in (0.3, 0.4, 0.6, 0.7):
        with clip.open("rb") as file:
            ids.append(house.post("/tools/resize-video", files={"file": file}, data=_size(speed)).json())
    events = house.watch(f"/tools/jobs/{ids[-1]['jobId']}")
    waiting = [event for event in events if event["status"] == "pending"]
    assert waiting
    assert all(1 <= event["queuePosition"] <= event["queueTotal"] for event in waiting)
    places = [event["queuePosition"] for event in waiting]
    assert places == sorted(places, reverse=True)
    assert events[-1]["status"] == "completed"


def _size(share: float) -> dict[str, str]:
    return {"width": str(round(1000 * share)), "height": str(round(600 * share))}


def test_a_job_is_called_off_by_its_key_alone(house: Any) -> None:
    """403 for another key, 401 without; then it has failed for whoever listens, and its files are gone."""
    before = house.files()
    ids = _start_slowly(house, 16)
    url = f"{house.base}/jobs/{ids['jobId']}"
    with _stream(house, ids["jobId"]) as answer:
        events = _events(answer)
        next(event for event in events if json.loads(event.data)["percent"] > 0)
        assert requests.delete(url, timeout=10).status_code == 401
        assert requests.delete(url, headers={"X-Api-Key": house.new_key()}, timeout=10).status_code == 403
        done = requests.delete(url, headers=house.headers, timeout=10)
        assert done.json() == {"success": True, "jobId": ids["jobId"], "status": "cancelled"}
        last = json.loads(list(events)[-1].data)
    assert (last["status"], last["error"]) == ("failed", "Job cancelled")
    assert requests.get(f"{house.base}/download/{ids['downloadId']}", timeout=10).status_code == 404
    _wait(lambda: house.files() <= before)
    again = house.post(f"/jobs/{ids['jobId']}/retry")
    assert again.json()["status"] == "pending"
    assert house.watch(f"/jobs/{ids['jobId']}")[-1]["status"] == "completed"


def test_an_admin_may_call_off_anybodys_job(house: Any) -> None:
    """[decision 22]; a job that is over stays as it is."""
    ids = _start(house, 14)
    house.watch(f"/jobs/{ids['jobId']}")
    answer = requests.delete(f"{house.base}/jobs/{ids['jobId']}", headers={"X-Api-Key": house.admin_key}, timeout=10)
    assert answer.json()["status"] == "completed"
    assert requests.get(f"{house.base}/download/{ids['downloadId']}", timeout=10).status_code == 200
    assert house.post(f"/jobs/{ids['jobId']}/retry").status_code == 400


def test_the_same_work_is_not_done_twice(house: Any) -> None:
    """[decision 22] same file, tool and parameters under the same key: the same result; another key's is another."""
    first_last, first = house.tool("compress", "whole.mp4", quality="high")
    again_last, again = house.tool("compress", "whole.mp4", quality="high")
    assert first_last["downloadUrl"] != again_last["downloadUrl"]
    assert first.content == again.content
    assert _file_ids(house, first, again, count=1)
    house.key, mine = house.new_key(), house.key
    try:
        _, others = house.tool("compress", "whole.mp4", quality="high")
    finally:
        house.key = mine
    assert _file_ids(house, first, others, count=2)
    receipt = requests.get(f"{house.base}/tools/receipt/{Path(again.url).name}", timeout=10).json()["data"]
    assert receipt["params"] == {"quality": "high"}


def _file_ids(house: Any, *answers: requests.Response, count: int) -> bool:
    """Whether so many files stand behind these results."""
    tokens = [Path(answer.url).name for answer in answers]

    async def found() -> set[str]:
        return {(await house.jobs.of_token(token)).result.file_id for token in tokens}

    return len(house.run(found)) == count


def test_results_in_part_and_by_their_tag(house: Any) -> None:
    """One range, many ranges, a range beyond the end; 304 for who has it; HEAD."""
    _, whole = house.tool("remove-audio", "whole.mp4")
    url, size, tag = whole.url, len(whole.content), whole.headers["etag"]

    def get(**headers: str) -> requests.Response:
        return requests.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()}, timeout=10)

    part = get(Range="bytes=100-199")
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{size}"
    assert get(Range="bytes=-10").content == whole.content[-10:]
    assert get(Range=f"bytes={size}-").status_code == 416
    assert get(Range="bytes=" + ",".join("0-0" for _ in range(5000))).status_code == 200
    assert get(Range="bytes=0-9", If_Range='"other"').status_code == 200
    assert get(Range="bytes=0-9", If_Range=tag).status_code == 206
    assert get(If_None_Match=tag).status_code == 304
    assert get(If_None_Match=tag, Range=f"bytes={size}-").status_code == 304
    head = requests.head(url, timeout=10)
    assert (head.headers["content-length"], head.content) == (str(size), b"")
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert whole.headers["access-control-allow-origin"] == "*"


def test_an_expired_file_is_404(house: Any) -> None:
    """[decision 26] in the words of the contract."""
    _, whole = house.tool("remove-audio", "v180.mp4")
    house.forget()
    answer = requests.get(whole.url, timeout=10)
    assert (answer.status_code, answer.json()) == (404, {"error": "File not found or expired"})


def test_pages_of_other_sites_may_ask(house: Any) -> None:
    """CORS: the key is shown on purpose or not at all, so any page may show one."""
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    answer = requests.options(f"{house.base}/video/info", headers=asked, timeout=10)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "X-Api-Key" in answer.headers["access-control-allow-headers"]


def _wait(ready: Any) -> None:
    for _ in range(200):
        if ready():
            return
        time.sleep(0.02)
    pytest.fail("it did not come to that in time")
