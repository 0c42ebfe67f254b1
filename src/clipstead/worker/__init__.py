"""Workers: the loop that does jobs, how many at a time, and processes that are kept running."""

from clipstead.worker.lanes import default_lanes
from clipstead.worker.loop import Task, Worker
from clipstead.worker.process import until_told
from clipstead.worker.supervisor import Supervisor

__all__ = ["Supervisor", "Task", "Worker", "default_lanes", "until_told"]
