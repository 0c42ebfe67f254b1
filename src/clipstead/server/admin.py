"""/api/admin: keys, their limits and their owners, for those who show an admin key. Nothing here counts as a use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from clipstead.errors import NotFound
from clipstead.server.admission import recognise
from clipstead.server.dialect import Dialect
from clipstead.server.json_body import json_body
from clipstead.server.key_answers import error_answer, key_json, new_key_json, owner_json, success, usage_json
from clipstead.server.key_desk import CreditsWish, KeyDesk
from clipstead.server.key_text import id_in
from clipstead.server.keys import Keys
from clipstead.server.responses import otherwise

PREFIX = "/api/admin"


class NewKeyWish(BaseModel):
    """Limits: null or absent is the default, 0 is none."""

    model_config = ConfigDict(strict=True)

    owner: str
    admin: bool = False
    hourly: int | None = None
    daily: int | None = None


class KeyChange(BaseModel):
    """Only what is there changes; a limit of null goes back to the default."""

    model_config = ConfigDict(strict=True)

    hourly: int | None = None
    daily: int | None = None
    disabled: bool = False
    credits: CreditsWish = 0


class OwnerChange(BaseModel):
    """Whether their keys are kept out."""

    model_config = ConfigDict(strict=True)

    banned: bool


@dataclass(frozen=True, slots=True)
class Admin:
    """The handlers; `keys` is asked at each request, since the database may come up after the server."""

    keys: Callable[[], Keys]

    async def list_keys(self, request: Request) -> Response:
        """Every key, masked, or those of `?owner=`."""
        desk = await self._desk(request)
        return success([key_json(key) for key in await desk.keys(request.query_params.get("owner"))])

    async def create_key(self, request: Request) -> Response:
        """A new key; this answer is the only one that shows it."""
        desk = await self._desk(request)
        wish = await json_body(request, NewKeyWish)
        new = await desk.create(wish.owner, admin=wish.admin, hourly=wish.hourly, daily=wish.daily)
        return success(new_key_json(new))

    async def show_key(self, request: Request) -> Response:
        """One key, masked, with its limits and use."""
        desk = await self._desk(request)
        return success(key_json(await desk.key(_key_id(request))))

    async def change_key(self, request: Request) -> Response:
        """Set its limits and what it has left of credits, disable it, enable it: all that is given, or nothing."""
        desk = await self._desk(request)
        key_id = _key_id(request)
        change = (await json_body(request, KeyChange)).model_dump(exclude_unset=True)
        limits: dict[str, int | None] = {name: change[name] for name in ("hourly", "daily") if name in change}
        standing = await desk.change(
            key_id, limits=limits, disabled=change.get("disabled"), credits=change.get("credits")
        )
        return success(key_json(standing))

    async def revoke_key(self, request: Request) -> Response:
        """End it for good."""
        desk = await self._desk(request)
        return success(key_json(await desk.revoke(_key_id(request))))

    async def list_owners(self, request: Request) -> Response:
        """Everybody who has or had a key."""
        desk = await self._desk(request)
        return success([owner_json(owner) for owner in await desk.owners()])

    async def change_owner(self, request: Request) -> Response:
        """Ban, unban."""
        desk = await self._desk(request)
        owner = request.path_params["owner"]
        change = await json_body(request, OwnerChange)
        await (desk.ban if change.banned else desk.unban)(owner)
        return success({"owner": owner, "banned": change.banned})

    async def usage(self, request: Request) -> Response:
        """Uses in the last hour, in the last 24 hours, and ever."""
        desk = await self._desk(request)
        return success(usage_json(await desk.keys()))

    async def _desk(self, request: Request) -> KeyDesk:
        """Before anything of the request is read."""
        keys = self.keys()
        await recognise(request, keys, admin=True)
        return keys.desk


def _key_id(request: Request) -> str:
    if not (key_id := id_in(request.path_params["key"])):
        raise NotFound("No such key")
    return key_id


def dialect(keys: Callable[[], Keys]) -> Dialect:
    """The routes and their words; `keys` may raise what is to be answered while there are none yet."""
    admin = Admin(keys)
    router = APIRouter(prefix=PREFIX, tags=["admin"], responses=otherwise("error"))
    key, owner = _path("key"), _path("owner")
    for path, handler, method, described in (
        ("/keys", admin.list_keys, "GET", _query("owner")),
        ("/keys", admin.create_key, "POST", _body(NewKeyWish)),
        ("/keys/{key}", admin.show_key, "GET", key),
        ("/keys/{key}", admin.change_key, "PATCH", key | _body(KeyChange)),
        ("/keys/{key}", admin.revoke_key, "DELETE", key),
        ("/owners", admin.list_owners, "GET", {}),
        ("/owners/{owner}", admin.change_owner, "PATCH", owner | _body(OwnerChange)),
        ("/usage", admin.usage, "GET", {}),
    ):
        router.add_api_route(path, handler, methods=[method], response_class=Response, openapi_extra=described)
    return Dialect("admin", PREFIX, router, error_answer)


def _body(shape: type[BaseModel]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": shape.model_json_schema()}}}}


def _path(name: str) -> dict[str, Any]:
    return {"parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}}]}


def _query(name: str) -> dict[str, Any]:
    return {"parameters": [{"name": name, "in": "query", "schema": {"type": "string"}}]}
