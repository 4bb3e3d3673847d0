"""Imports the DAGs of a folder and prints as JSON what is wrong with them and what tasks they have.

Usage: airflow_dags.py FOLDER
"""

import json
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import BundleDagBag

folder = Path(sys.argv[1])
bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
warnings = [warning for of_file in bag.captured_warnings.values() for warning in of_file]
dags = {
    dag_id: {
        task.task_id: {"pool": task.pool, "retries": task.retries, "after": sorted(task.upstream_task_ids)}
        for task in dag.tasks
    }
    for dag_id, dag in bag.dags.items()
}
print(json.dumps({"errors": bag.import_errors, "warnings": warnings, "dags": dags}))
