"""`clipstead info`: what a link points at, which files there are, and who was asked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clipstead.app import open_app
from clipstead.cli.consoles import open_console, write_out
from clipstead.cli.exits import Exit
from clipstead.cli.words import printable, size_words, when
from clipstead.model import Media, Resolution
from clipstead.model_json import resolution_json
from clipstead.settings import load


def run(link: str, *, as_json: bool) -> Exit:
    """Resolve one link and print what came."""
    resolution = asyncio.run(_resolve(link))
    if as_json:
        write_out(resolution_json(resolution, addresses=True) + b"\n")
    else:
        _print(open_console(), resolution)
    return Exit.DONE


async def _resolve(link: str) -> Resolution:
    async with open_app(load()) as app:
        return await app.resolver.resolve(link)


def _print(console: Console, resolution: Resolution) -> None:
    post = resolution.post
    posted = when(datetime.fromtimestamp(post.created_at, UTC)) if post.created_at else "unknown"
    facts = {
        "post": f"{post.link.platform} {post.id}",
        "title": post.title,
        "author": f"@{post.author.username} ({post.author.nickname})",
        "posted": posted,
        "length": f"{post.duration:g} s" if post.duration else "",
        "views": _count(post.stats.views),
        "likes": _count(post.stats.likes),
        "comments": _count(post.stats.comments),
        "sound": f"{post.music.title} - {post.music.author}" if post.music else "",
        "answered by": ", ".join(f"{a.provider}: {a.outcome} in {a.ms:.0f} ms" for a in resolution.attempts),
    }
    for name, value in facts.items():
        if value:
            console.print(f"[bold]{name:>12}[/]  {escape(printable(value))}")
    console.print(_table(post.media))


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _table(media: tuple[Media, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in ("kind", "variant", "size", "picture", "codec"):
        table.add_column(column)
    for item in media:
        picture = f"{item.width}x{item.height}" if item.width and item.height else ""
        codec = " ".join(filter(None, (item.codec or item.ext, "watermark" if item.watermark else "")))
        table.add_row(item.kind.value, escape(item.variant), size_words(item.size), picture, codec)
    return table
