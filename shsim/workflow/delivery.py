"""Which way of giving tests a delivery takes."""

from __future__ import annotations

from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.workflow.adaptive import AdaptiveTests
from shsim.workflow.executor import Executor
from shsim.workflow.one_pass import OnePassTests
from shsim.workflow.totals import Tests


def tests_of(executor: Executor, pool: ItemPool, delivery: DeliverySettings) -> Tests:
    """One walk a test where the ranking is fixed within it, else position by position."""
    if delivery.one_pass:
        return OnePassTests(executor, delivery)
    return AdaptiveTests(executor, pool, delivery)
