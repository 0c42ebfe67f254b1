"""What looking up gives besides posts: accounts, tags, sounds and comments, and a page of any of them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Profile:
    """An account: `username` is the handle without @, `likes` what it got, `liked` what it gave.

    Avatars are upstream addresses that expire, in three sizes (about 100, 300 to 720, and 1080 pixels); "" for none.
    Counters are None where nobody told; `created_at` unix seconds; `raw` the provider's own JSON of the account.
    """

    id: str
    username: str = ""
    nickname: str = ""
    sec_uid: str = ""
    signature: str = ""
    avatar_small: str = ""
    avatar_medium: str = ""
    avatar: str = ""
    bio_link: str = ""
    verified: bool = False
    private: bool = False
    region: str = ""
    followers: int | None = None
    following: int | None = None
    likes: int | None = None
    videos: int | None = None
    liked: int | None = None
    friends: int | None = None
    created_at: int | None = None
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Tag:
    """A hashtag, `name` without #. Counters are None where nobody told; `raw` the provider's own JSON."""

    id: str
    name: str
    description: str = ""
    cover: str = ""
    users: int | None = None
    views: int | None = None
    videos: int | None = None
    commercial: bool = False
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound by itself: `play` and `cover` are upstream addresses that expire, `duration` in seconds."""

    id: str
    title: str = ""
    author: str = ""
    album: str = ""
    play: str = ""
    cover: str = ""
    duration: float | None = None
    original: bool = False
    videos: int | None = None
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a post, or a reply to one; `replies` is None where nobody told (replies have none)."""

    id: str
    post_id: str
    text: str
    author: Profile
    created_at: int | None = None
    likes: int | None = None
    replies: int | None = None
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A page of what was found: `cursor` (a whole number in digits, "" where it was not told) asks for the next one
    if there is `more`.

    `total` is how many there are in all, None where nobody told; `answerer` the name of who gave it.
    """

    items: tuple[T, ...]
    cursor: str = "0"
    more: bool = False
    total: int | None = None
    answerer: str = ""

    def by(self, answerer: str) -> "Found[T]":
        """The same, as given by `answerer`."""
        return replace(self, answerer=answerer)

    def map(self, change: Callable[[T], U]) -> "Found[U]":
        """The same page with every item changed."""
        return Found(tuple(change(item) for item in self.items), self.cursor, self.more, self.total, self.answerer)
