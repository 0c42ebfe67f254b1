"""Short links: vm. and vt.tiktok.com and /t/, one or two redirects to the post, by GET and HEAD."""

from aiohttp import web

from clipstead.practice.stage import Stage
from clipstead.practice.wire import redirect

_HOME = "https://www.tiktok.com/?_r=1"


async def answer(stage: Stage, request: web.BaseRequest, host: str, code: str) -> web.StreamResponse:
    """Where the code leads: vt goes by way of m.tiktok.com, the others straight; an unknown code to the home page."""
    post = stage.catalog.by_code(code)
    await stage.note("short", post.id if post else code)
    fault = stage.fault("short", code, *([post.id] if post else []))
    if post is None:
        return await stage.wire.send(request, redirect(_HOME, 301), fault)
    share = f"_r=1&_t=ZP-{code}&share_item_id={post.id}"
    if host.startswith("vt."):
        reply = redirect(f"https://m.tiktok.com/v/{post.id}.html?{share}", 302)
    else:
        reply = redirect(f"{post.url}?{share}", 301)
    return await stage.wire.send(request, reply, fault)
