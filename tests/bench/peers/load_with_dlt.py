"""Loads the stub's balance transactions with dlt, as its docs say: a REST source, merged by upsert; prints the seconds.

Runs in an environment with dlt alone: ``python load_with_dlt.py STUB POSTGRES_URL DATASET FOLDER``.
"""

import json
import sys
import time

import dlt
from dlt.destinations import postgres
from dlt.sources.rest_api import rest_api_source


def main() -> None:
    address, destination, dataset, folder = sys.argv[1:]
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{address}/v1/",
                "paginator": {
                    "type": "cursor",
                    "cursor_path": "data[-1].id",
                    "cursor_param": "starting_after",
                    "has_more_path": "has_more",
                },
            },
            "resources": [
                {
                    "name": "balance_transactions",
                    "endpoint": {
                        "path": "balance_transactions",
                        "params": {"limit": 100},
                        "data_selector": "data",
                    },
                    "primary_key": "id",
                    "write_disposition": {"disposition": "merge", "strategy": "upsert"},
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        "bench", pipelines_dir=folder, destination=postgres(credentials=destination), dataset_name=dataset
    )
    began = time.perf_counter()
    pipeline.run(source)
    seconds = time.perf_counter() - began
    with pipeline.sql_client() as client:
        rows = client.execute_sql("SELECT count(*) FROM balance_transactions")[0][0]
    print(json.dumps({"seconds": seconds, "rows": rows}))  # noqa: T201  (read by the bench)


if __name__ == "__main__":
    main()
