"""The wing that turns a link into a post: links, providers and their rotation, the cache; `Resolver` is its door."""

from clipstead.resolve.cache import CacheStats, PostCache
from clipstead.resolve.health import ProviderHealth
from clipstead.resolve.resolver import Resolver
from clipstead.resolve.rotation import Rotation

__all__ = ["CacheStats", "PostCache", "ProviderHealth", "Resolver", "Rotation"]
