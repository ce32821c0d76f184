"""Every scenario, one module a kind of trouble. Importing this names them all, in this order."""

from memora.tests.faults.scenario import SCENARIOS
from memora.tests.faults.scenarios import workers, redis, mariadb, storage, editing  # noqa: I001 - the table's order

__all__ = ["SCENARIOS", "editing", "mariadb", "redis", "storage", "workers"]
