"""One frozen Settings, read from `CLIPSTEAD_*` in the environment by `app` and `cli` alone."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from clipstead.errors import ClipsteadError

SHORTEST_SECRET = 16

DialectName = Literal["clipx", "tiktokdl", "ttsave", "tiklive", "clipi"]

_PREFIX = "CLIPSTEAD_"
_HOST_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?")
_WEB_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:_~%/@\[\]!$&'()*+,;=-]+", re.IGNORECASE)


class SettingsError(ClipsteadError):
    """A wrong value; its text is one line that names the variable."""

    code = "settings"


def _words(value: object) -> object:
    """Lists are written with commas or blanks between the words: "a,b c"."""
    return (
        tuple(re.split(r"[,\s]+", value.strip(", \t\r\n")))
        if isinstance(value, str) and value.strip(", \n")
        else value or ()
    )


def _network(text: str) -> str:
    return str(ipaddress.ip_network(text, strict=False))


def _web_address(text: str) -> str:
    if not text:
        return text
    parts = urlsplit(text)
    _ = parts.port  # ValueError for what is none
    if not _WEB_ADDRESS.fullmatch(text) or "@" in parts.netloc or not parts.hostname:
        raise ValueError("must be an http(s) address like https://host")
    return text.rstrip("/")


def _postgres(url: str) -> str:
    if url and urlsplit(url).scheme not in ("postgresql", "postgres"):
        raise ValueError("must look like postgresql://user:password@host/database")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _existing_file(text: str) -> str:
    if text and not Path(text).is_file():
        raise ValueError("must name a file that exists")
    return text


def _auth_status(status: int) -> int:
    if status not in (200, 401):
        raise ValueError("must be 401 or 200")
    return status


def default_data_dir() -> Path:
    """Where everything is kept unless told otherwise: /var/lib for root, the user's data folder for the rest."""
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/clipstead")
    try:
        return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "clipstead"
    except RuntimeError:
        raise SettingsError(f"{_PREFIX}DATA_DIR: must be set, for a user without a home folder") from None


def _dialect_host(text: str) -> str:
    """`name=host` or `name=host:port`, in lower case."""
    name, _, host = text.lower().partition("=")
    if name not in get_args(DialectName) or not _HOST_NAME.fullmatch(host):
        raise ValueError(f"must be like ttsave=tt.example, with one of {', '.join(get_args(DialectName))}")
    return f"{name}={host}"


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_words)]
DialectHosts = Annotated[tuple[Annotated[str, AfterValidator(_dialect_host)], ...], NoDecode, BeforeValidator(_words)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
ExistingFile = Annotated[str, AfterValidator(_existing_file)]


class Settings(BaseSettings):
    """Every setting, with its default; the description of each is what docs/configuration.md says."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    # Where we are
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    data_dir: Path = Field(default_factory=default_data_dir, description="folder for everything that is kept")
    public_url: WebAddress = Field("", description="address that clients see, used in every link we hand out")
    allowed_hosts: Words = Field(
        (), description="Host names believed besides loopback names and PUBLIC_URL's; * believes all"
    )
    trusted_proxies: Networks = Field((), description="networks whose X-Forwarded-For is believed")
    secret: Annotated[Words, Field(repr=False)] = Field(
        (), description="signs media addresses; newest first; made and kept in DATA_DIR if unset"
    )
    contact_email: str = Field("", description="whom users may write to; shown where a contract names a contact")
    stop_seconds: float = Field(
        10.0, ge=0, le=3600, description="how long answers under way may go on once the server is told to stop"
    )
    log_format: Literal["console", "json"] = Field("console", description="how log lines are written")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is written")

    # The way out
    ca_file: ExistingFile = Field("", description="extra CA bundle (PEM) for outgoing TLS")
    proxy: str = Field("", repr=False, description="outgoing proxy, http:// or socks5://")
    proxy_hosts: Words = Field((), description="hosts asked for through PROXY besides the platforms' own; by suffix")
    connect_to: Words = Field(
        (), description="curl's --connect-to, host:port:address:port, several; *.host for subdomains"
    )
    allow_addresses: Networks = Field((), description="networks that may be dialled besides public ones")
    webhook_targets: Words = Field(
        (), description="host or host:port, several: receivers of webhooks that may be told besides public ones"
    )
    cookies_file: ExistingFile = Field("", description="Netscape cookie file of an account of the operator's own")
    page_seconds: float = Field(15.0, gt=0, le=120, description="longest wait for one page")
    stall_seconds: float = Field(20.0, gt=0, le=600, description="longest silence in a download")
    max_file_bytes: int = Field(4 * 1024**3, ge=1, description="largest single file that is downloaded")

    # Who is asked
    providers: Words = Field((), description="who is asked, in this order; empty is tiktok_web,tikwm,tiklive,ytdlp")
    tikwm_url: WebAddress = Field("https://www.tikwm.com", description="address of a tikwm-shaped API")
    tiklive_url: WebAddress = Field("https://api.tikliveapi.com", description="address of a TikLive-shaped API")
    tiklive_key: str = Field("", repr=False, description="its key; without one it is not asked")
    tiktok_concurrent: int = Field(8, ge=1, le=1000, description="TikTok pages asked for at a time")
    tikwm_per_second: float = Field(1.0, ge=0, le=10000, description="requests a second to tikwm; 0 sets no limit")
    tiklive_per_minute: float = Field(
        200.0, ge=0, le=100000, description="requests a minute to TikLive; 0 sets no limit"
    )
    ytdlp_generic: bool = Field(False, description="let yt-dlp's generic extractor read any page")

    # What is kept for a while
    cache_seconds: float = Field(300.0, ge=0, le=86400, description="how long an answer is kept in memory")
    cache_bytes: int = Field(64 * 1024**2, ge=0, description="memory for kept answers")
    direct_links: bool = Field(False, description="hand out CDN addresses instead of our own")

    # Contracts
    dialects: Annotated[tuple[DialectName, ...], NoDecode, BeforeValidator(_words)] = Field(
        (), description="contracts that are served; empty is clipx,tiktokdl,ttsave,tiklive,clipi"
    )
    dialect_hosts: DialectHosts = Field(
        (), description="name=host, several: a contract that is served under that host name alone, by itself"
    )

    # ClipX
    clipx_per_minute: int = Field(10, ge=0, description="requests a minute and address; 0 sets no limit")
    clipx_per_day: int = Field(100, ge=0, description="requests a day and address; 0 sets no limit")
    clipx_unlimited_tokens: Words = Field((), repr=False, description="values of X-ClipX-Unlimited that lift both")

    # TikLive, as we speak it
    tiklive_auth_status: Annotated[int, AfterValidator(_auth_status)] = Field(
        401, description="HTTP status for no key or a wrong one: 401, or 200 as the published service answers"
    )
    tiklive_per_minute_per_key: int = Field(
        200, ge=0, le=100000, description="requests a minute and key; 0 sets no limit"
    )
    tiklive_free_credits: int = Field(
        100, ge=0, le=1000000000, description="credits that a key has until it is given some; a call costs one"
    )

    # TikTok-DL
    tiktokdl_per_minute: int = Field(60, ge=0, description="downloads a minute and address; 0 sets no limit")
    tiktokdl_stored_links: bool = Field(False, description="let anybody list the links that were asked for of late")

    # TTSave
    ttsave_per_minute: int = Field(10, ge=0, description="downloads a minute and address; 0 sets no limit")
    ttsave_hd: bool = Field(False, description="send the best quality instead of the standard one")
    ttsave_max_bytes: int = Field(512 * 1024**2, ge=1, description="largest answer, all of its files together")

    # The database
    database_url: Annotated[str, AfterValidator(_postgres)] = Field(
        "", repr=False, description="postgresql://user:password@host/database; empty runs one of our own in DATA_DIR"
    )

    # Jobs
    workers: int = Field(1, ge=0, le=64, description="worker processes that serve keeps running; 0 for none")
    result_seconds: float = Field(86400.0, ge=60, le=31536000, description="how long uploads and results are kept")
    max_upload_bytes: int = Field(2 * 1024**3, ge=1, description="largest file that may be uploaded")
    disk_quota_bytes: int = Field(20 * 1024**3, ge=1, description="room for all uploads and results together")
    disk_floor_bytes: int = Field(256 * 1024**2, ge=0, description="free space that is always left on the disk")

    # The archive
    archive_store: str = Field(
        "", description="where captured files are kept: a folder, s3://bucket/prefix, or empty for DATA_DIR/archive"
    )
    archive_api_concurrent: int = Field(
        8, ge=1, le=1000, description="posts and lists asked for at a time, by all workers together"
    )
    archive_api_per_minute: float = Field(
        200.0, ge=0, le=1000000, description="requests a minute to each provider, by all workers together; 0: no limit"
    )
    archive_downloads: int = Field(20, ge=1, le=1000, description="posts captured at a time by each worker")
    archive_attempts: int = Field(8, ge=1, le=100, description="tries of a post before it is a dead letter")
    archive_retention: Words = Field(
        (), description="what is deleted after a while: days=N, @author=N, #tag=N (days since the capture)"
    )
    archive_serves: bool = Field(False, description="answer the TikLive API from the archive where it holds the post")

    # Media
    ffmpeg: str = Field(
        "", description="ffmpeg to use; empty takes the system's if it is recent and complete, else the wheel's"
    )

    # Keys
    open: bool = Field(False, description="ask nobody for a key; only where HOST and PUBLIC_URL are loopback names")
    key_hourly: int = Field(50, ge=0, description="uses of a key in any hour; 0 sets no limit")
    key_daily: int = Field(500, ge=0, description="uses of a key in any 24 hours; 0 sets no limit")
    admin_key_hourly: int = Field(100, ge=0, description="uses of an admin key in any hour; 0 sets no limit")
    admin_key_daily: int = Field(1000, ge=0, description="uses of an admin key in any 24 hours; 0 sets no limit")

    @field_validator("open")
    @classmethod
    def _open_at_home_alone(cls, wanted: bool, info: ValidationInfo) -> bool:
        """A wrong HOST or PUBLIC_URL is missing here, and is told of itself."""
        reached_by = (info.data.get("host", ""), urlsplit(info.data.get("public_url", "")).hostname)
        if wanted and not all(_is_loopback(host) for host in reached_by if host):
            raise ValueError("is for an instance that only this machine reaches: HOST and PUBLIC_URL must be loopback")
        return wanted

    @field_validator("secret")
    @classmethod
    def _long_secret(cls, secrets: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(secret) < SHORTEST_SECRET for secret in secrets):
            raise ValueError(f"must be at least {SHORTEST_SECRET} characters each")
        return secrets


def load(**overrides: object) -> Settings:
    """The settings of this process; SettingsError in one line names the first wrong variable."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks what mypy cannot see
    except ValidationError as error:
        raise SettingsError(_one_line(error)) from None


def unknown_variables() -> list[str]:
    """Variables with our prefix that mean nothing: most likely misspelt, and so a setting that is not set."""
    known = {_PREFIX + name.upper() for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith(_PREFIX) and name.upper() not in known)


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    name = _PREFIX + str(first["loc"][0]).upper()
    return f"{name}: {first['msg'].removeprefix('Value error, ')} (see docs/configuration.md)"
