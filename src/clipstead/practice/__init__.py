"""The practice world: an offline TikTok on loopback, for people and for tests; it imports nothing of ours."""

from clipstead.practice.background import running
from clipstead.practice.catalog import PracticePost, PracticeSound, PracticeTag, PracticeUser
from clipstead.practice.world import World

__all__ = ["PracticePost", "PracticeSound", "PracticeTag", "PracticeUser", "World", "running"]
