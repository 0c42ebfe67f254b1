"""The TikLive shape: flat answers under an X-Api-Key on api.tikliveapi.com."""

import orjson
from aiohttp import web

from clipstead.practice import tikwm_shape as shape
from clipstead.practice.faults import STATES
from clipstead.practice.item import Json
from clipstead.practice.stage import Stage
from clipstead.practice.tikwm import find_post
from clipstead.practice.wire import Reply

_LISTS = {
    "user-posts": "user/posts",
    "userinfo-by-username": "user/info",
    "userinfo-by-id": "user/info",
    "challenge-posts": "challenge/posts",
    "challenge-info-id": "challenge/info",
    "challenge-info-name": "challenge/info",
    "search-challenge": "challenge/search",
    "search-video": "feed/search",
    "music-posts": "music/posts",
    "music-info": "music/info",
}
_ALIASES = {
    "userid": "user_id",
    "username": "unique_id",
    "keyword": "keywords",
    "id": "challenge_id",
    "name": "challenge_name",
}


async def answer(stage: Stage, request: web.BaseRequest) -> web.StreamResponse:
    """An API answer; a missing or wrong key is HTTP 200 with a message, as on the live service."""
    query, name = dict(request.query), request.path.strip("/")
    post = find_post(stage, query.get("url", ""))
    await stage.note("tiklive", post.id if post else "")
    fault = stage.post_fault("tiklive", post) if post else stage.fault("tiklive")
    key = request.headers.get("X-Api-Key", "")
    if key != stage.tiklive_key:
        message = "Api-Key is not available" if key else "Please sign up to tikliveapi.com"
        return await _say(stage, request, 200, message)
    if fault and fault.name in STATES and fault.name != "age":
        return await _say(stage, request, 404, "Video not found or private")
    data = _data(stage, name, query)
    if isinstance(data, str):
        return await _say(stage, request, 404 if "invalid" in data or "failed" in data else 400, data)
    reply = Reply(stage.signer.fill(orjson.dumps(data)), "application/json; charset=utf-8")
    return await stage.wire.send(request, reply, None if fault and fault.name == "age" else fault)


async def _say(stage: Stage, request: web.BaseRequest, status: int, message: str) -> web.StreamResponse:
    return await stage.wire.send(request, Reply(orjson.dumps({"message": message}), "application/json", status))


def _data(stage: Stage, name: str, query: dict[str, str]) -> Json | str:
    if name == "post-detail":
        post = find_post(stage, query.get("url", ""))
        if post is None:
            return "Url parsing is failed! Please check url." if query.get("url") else "url is required"
        return {"aweme_id": post.id, **shape.detail(post, stage.files)}
    if name == "userid":
        user = stage.catalog.user(query.get("username", "").lstrip("@"))
        return {"userid": user.id} if user else "username is invalid"
    if name not in _LISTS:
        return "Unknown endpoint"
    return shape.listed(stage, _LISTS[name], {_ALIASES.get(key, key): value for key, value in query.items()})
