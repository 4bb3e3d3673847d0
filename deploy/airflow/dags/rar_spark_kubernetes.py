"""Trains a model and scores its samples, each job in pods of its own.

The connection ``spark_kubernetes`` names the API server and the namespace.
"""

from __future__ import annotations

from airflow.sdk import Param, dag
from rar_spark_jobs import PARAMS, pipeline

IMAGE = {
    "image": Param(type="string", minLength=1, description="Container image of driver and executors."),
    "jar": Param(
        "local:///opt/rar-spark/lib/rar-spark.jar", type="string", minLength=1, description="The job jar in the image."
    ),
}


@dag(schedule=None, params={**IMAGE, **PARAMS}, tags=["rar-spark"], doc_md=__doc__)
def rar_spark_kubernetes():
    pipeline(
        conn_id="spark_kubernetes",
        deploy_mode="cluster",
        application="{{ params.jar }}",
        conf={
            "spark.kubernetes.container.image": "{{ params.image }}",
            "spark.kubernetes.driver.pod.name": "rar-spark-{{ ti.task_id }}-{{ ti.id }}-driver",
        },
        track_driver_via_k8s_api=True,
    )


rar_spark_kubernetes()
