"""A COMMIT that stands here, and perhaps on no standby."""

from __future__ import annotations

import threading
from contextlib import closing

import numpy as np
from postgres_server import own_server
from storage.databases import pool_of, query
from storage.waiting import wait_until

from shsim.storage.open import open_store

CANCEL = (
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
    " WHERE wait_event = 'SyncRep' AND application_name LIKE 'shsim%'"
)


def test_a_cancelled_wait_for_a_standby_is_said() -> None:
    with own_server(durable=True) as server:
        dsn = server.create_database()
        with closing(open_store(dsn)) as store:
            store.create_tables()
            store.import_pool(pool_of("E"))
            pool = store.load_pool("E")
            k = np.full(len(pool), 0.5)
            assert store.save_k(pool, k).warning is None
            server.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            server.execute("SELECT pg_reload_conf()")
            cancel = threading.Thread(target=lambda: wait_until(lambda: bool(query(dsn, CANCEL))))
            cancel.start()
            outcome = store.save_k(store.load_pool("E"), k / 2)
            cancel.join()
        assert outcome.changed == len(pool)
        assert outcome.warning is not None
        assert "might not have been replicated to the standby" in outcome.warning
        assert query(dsn, "SELECT DISTINCT sh_p FROM item_exposure_control") == [(0.25,)]
