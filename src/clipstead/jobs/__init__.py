"""Jobs: what a user waits for, queued, done once, watched, and the files they leave for a while."""

from clipstead.jobs.job import Job, Lease, Result
from clipstead.jobs.queue import Jobs

__all__ = ["Job", "Jobs", "Lease", "Result"]
