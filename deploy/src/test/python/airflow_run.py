"""Prints a DAG run as JSON: its id, state, tries and result of each task, and the extras of the events of assets.

Usage: airflow_run.py DAG_ID LOGICAL_DATE
"""

import json
import sys
from datetime import datetime, timezone

from airflow.models.asset import AssetEvent
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

dag_id, date = sys.argv[1:]
with create_session() as session:
    logical_date = datetime.fromisoformat(date).replace(tzinfo=timezone.utc)
    run_id = session.scalars(select(DagRun.run_id).filter_by(dag_id=dag_id, logical_date=logical_date)).one()
    tasks = {
        task.task_id: {"state": task.state, "tries": task.try_number, "result": None}
        for task in session.scalars(select(TaskInstance).filter_by(dag_id=dag_id, run_id=run_id))
    }
    for xcom in session.scalars(select(XComModel).filter_by(dag_id=dag_id, run_id=run_id, key="return_value")):
        tasks[xcom.task_id]["result"] = XComModel.deserialize_value(xcom)
    events = [event.extra for event in session.scalars(select(AssetEvent).filter_by(source_run_id=run_id))]
print(json.dumps({"id": run_id, "tasks": tasks, "events": events}))
