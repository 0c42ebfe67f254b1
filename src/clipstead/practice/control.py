"""The world's own switchboard over HTTP: posts to try, faults, counters; on a host of its own and plain loopback."""

import orjson
from aiohttp import web

from clipstead.practice.catalog import PracticePost
from clipstead.practice.faults import EVERY
from clipstead.practice.item import Json
from clipstead.practice.stage import Stage

HELP = """The practice world. Nothing here is real and nothing leaves this machine.

/_/posts?count=20            links to try, newest last
/_/users  /_/tags  /_/sounds
/_/fault?post=ID|*&name=captcha[&times=1]     plan a fault (names: clipstead.practice.faults)
/_/rate?name=page:503&rate=0.1                plan a fault for a share of all requests
/_/clear[?post=ID]           forget faults
/_/requests                  what was asked so far
/_/publish?count=1           somebody posts something new
"""


async def answer(stage: Stage, request: web.BaseRequest) -> web.StreamResponse:
    """One command."""
    query = request.query
    try:
        body = _run(stage, request.path.removeprefix("/_/").strip("/"), dict(query))
    except (KeyError, ValueError) as error:
        return web.json_response({"error": str(error)}, status=400)
    return (
        web.Response(text=HELP)
        if body is None
        else web.Response(body=orjson.dumps(body), content_type="application/json")
    )


def _run(stage: Stage, command: str, query: dict[str, str]) -> Json | list[Json] | None:
    catalog, faults = stage.catalog, stage.faults
    match command:
        case "posts":
            return [describe(post) for post in catalog[-int(query.get("count", "20")) :]]
        case "users":
            return [{"username": user.username, "url": user.url, "secUid": user.sec_uid} for user in catalog.users]
        case "tags":
            return [{"id": tag.id, "name": tag.name, "url": tag.url} for tag in (*catalog.tags, catalog.everything)]
        case "sounds":
            return [{"id": sound.id, "title": sound.title, "url": sound.url} for sound in catalog.sounds]
        case "fault":
            faults.add(query.get("post", EVERY), query["name"], int(query["times"]) if "times" in query else None)
        case "rate":
            faults.add_rate(query["name"], float(query["rate"]))
        case "clear":
            faults.clear(query.get("post"))
        case "requests":
            return {"total": dict(stage.requests), "by_post": {f"{a} {b}": n for (a, b), n in stage.asked.items()}}
        case "publish":
            return [describe(post) for post in catalog.publish(int(query.get("count", "1")))]
        case _:
            return None
    return {"ok": True}


def describe(post: PracticePost) -> Json:
    """A post in a few words."""
    return {
        "id": post.id,
        "kind": post.kind,
        "url": post.url,
        "short": post.short_url,
        "author": post.author.username,
        "title": post.title,
        "seconds": post.seconds,
        "images": post.images,
    }
