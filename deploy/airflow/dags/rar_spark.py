"""Trains a model and scores its samples, on the cluster of the connection ``spark_default``."""

from __future__ import annotations

from airflow.sdk import dag
from rar_spark_jobs import PARAMS, pipeline


@dag(schedule=None, params=PARAMS, tags=["rar-spark"], doc_md=__doc__)
def rar_spark():
    # Airflow can find a YARN application again after the loss of a worker only where the connection names the
    # resource manager's address; without, a next try meets the driver, alive, in the output's claim.
    pipeline(durable=False)


rar_spark()
