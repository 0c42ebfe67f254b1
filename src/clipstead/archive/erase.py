"""Erasure: bytes and personal data go, a tombstone stays in database and store, and nothing of it comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from clipstead.archive import layout
from clipstead.archive.gravestones import put_stone
from clipstead.archive.store import Store
from clipstead.archive.tombstones import Buried, Tombstone, Tombstones


@dataclass(frozen=True, slots=True)
class Erased:
    """How many posts and objects are gone, and how many bytes."""

    posts: int = 0
    objects: int = 0
    bytes: int = 0

    def __add__(self, other: Erased) -> Erased:
        return Erased(self.posts + other.posts, self.objects + other.objects, self.bytes + other.bytes)


class Eraser:
    """Erases, in steps that bear being repeated: an erasure that was cut short is finished by `resume`.

    Every call may raise DatabaseUnavailable, StorageError.
    """

    def __init__(self, tombstones: Tombstones, store: Store) -> None:
        self._tombstones = tombstones
        self._store = store

    async def posts(self, ids: Sequence[str], *, reason: str = "", actor: str = "") -> Erased:
        """Erase posts by their ids, whether or not they were ever captured."""
        buried = await self._tombstones.bury(ids, reason)
        return await self._finish(buried, reason, actor)

    async def author(self, name: str, *, reason: str = "", actor: str = "") -> Erased:
        """Erase everything of an author, by id or @handle; no post of theirs is captured from now on."""
        buried = await self._tombstones.bury_author(name, reason)
        await self._set_up_authors()
        return await self._finish(buried, reason, actor)

    async def resume(self) -> Erased:
        """Finish what was begun and cut short."""
        return await self._finish(
            await self._tombstones.buried(await self._tombstones.unfinished()), "cut short", "sweep"
        )

    async def settle(self, actor: str) -> Erased:
        """Delete what attempts, under way when their post was erased, had put after it and did not take back."""
        gone = Erased()
        while batch := await self._tombstones.unsettled():
            for post in batch:
                objects, size = await delete_objects(self._store, post)
                await self._tombstones.settle(post.aweme_id, objects, size, actor)
                gone += Erased(0, objects, size)
        return gone

    async def _finish(self, buried: Sequence[Buried], reason: str, actor: str) -> Erased:
        gone = Erased()
        for post in buried:
            await put_stone(self._store, Tombstone("post", post.aweme_id, reason, datetime.now(UTC)))
            objects, size = await delete_objects(self._store, post)
            await self._tombstones.forget([post.aweme_id], reason, actor)
            gone += Erased(1, objects, size)
        return gone

    async def _set_up_authors(self) -> None:
        after = "author:"
        while stones := [each for each in await self._tombstones.page(after=after) if each.kind == "author"]:
            for stone in stones:
                await put_stone(self._store, stone)
            after = f"author:{stones[-1].id}"


async def delete_objects(store: Store, post: Buried) -> tuple[int, int]:
    """Delete what the store holds of a post, the sidecar first; how many objects, and their bytes.

    What no catalog names goes with it: files of an attempt that was cut short, what is in quarantine.
    """
    keys = set(post.keys)
    if post.storage_key:
        for prefix in _prefixes(post.storage_key):
            keys.update(await _own(store, prefix, post.aweme_id))
        sidecar = layout.sidecar_key(post.storage_key)
        ordered = [sidecar, *sorted(keys - {sidecar})]
    else:
        ordered = sorted(keys)
    objects = size = 0
    for key in ordered:
        head = await store.head(key)
        if head is not None and await store.delete(key):
            objects, size = objects + 1, size + head.size
    return objects, size


def _prefixes(base: str) -> list[str]:
    day, post_id = base.split("/")[1], base.rpartition("/")[2]
    places = [base, f"{layout.COVERS}{day}/{post_id}"]
    return [*places, *(layout.QUARANTINE + place for place in places)]


async def _own(store: Store, prefix: str, post_id: str) -> list[str]:
    found = []
    async for listed in store.keys(prefix):
        place = layout.place_of(listed.key.removeprefix(layout.QUARANTINE))
        if place is not None and place.post_id == post_id:
            found.append(listed.key)
    return found
