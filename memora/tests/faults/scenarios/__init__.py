"""Every scenario, one module a kind of trouble. Importing this names them all."""

from memora.tests.faults.scenario import SCENARIOS
from memora.tests.faults.scenarios import editing, mariadb, redis, storage, workers

__all__ = ["SCENARIOS", "editing", "mariadb", "redis", "storage", "workers"]
