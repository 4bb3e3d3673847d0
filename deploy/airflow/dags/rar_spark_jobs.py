"""The commands of rar-spark as Airflow tasks, and the pipeline that the DAGs beside this module share."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import Asset, Connection, Param, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

MAIN_CLASS = "io.github.rarspark.cli.Main"

# A slot for each job that may compute at the same time.
POOL = "rar_spark_gpu"

# Updated by every model whose score is good enough; DAGs may be scheduled on it.
MODEL = Asset("rar_spark_model")

PARAMS = {
    "root": Param(
        type="string",
        minLength=1,
        description="URI of the folder for all runs. Outputs are ROOT/RUN/COMMAND.",
    ),
    "run": Param(
        None,
        type=["null", "string"],
        description="RUN of these paths, to continue or repeat that of another DAG run; by default this one's id.",
    ),
    "tokens": Param(
        None,
        type=["null", "string"],
        description="URI of the tokens, where several runs share them; by default the run has its own.",
    ),
    "recipe": Param("rar-b", type="string", minLength=1, description="Name or URI of a recipe."),
    "images": Param(type="string", minLength=1, description="URI of the training images."),
    "tokenizer": Param(type="string", minLength=1, description="URI of the tokenizer's weights."),
    "reference": Param(type="string", minLength=1, description="URI of the images or statistics to compare with."),
    "features": Param(
        type="string",
        minLength=1,
        description="Network of the score: inception:URI or classifier:URI.",
    ),
    "device": Param(
        None,
        type=["null", "string"],
        enum=[None, "cpu", "gpu"],
        description="Where jobs compute; by default where Spark's settings say.",
    ),
    "ranks": Param(1, type="integer", minimum=1, description="Ranks of the training."),
    "max_distance": Param(
        None,
        type=["null", "number"],
        description="Highest FID (with a classifier: fd) of a model that is accepted; by default any is.",
    ),
    "settings": Param(
        {},
        type="object",
        description='More recipe keys of all jobs, such as {"generate.count": 10000}.',
    ),
    "spark": Param(
        {},
        type="object",
        description='More Spark settings of all jobs, such as {"spark.executor.instances": 8}.',
    ),
}


class LocalSparkSubmitHook(SparkSubmitHook):
    """spark-submit with the Kerberos credentials of a connection, but without its cluster."""

    @classmethod
    def get_connection(cls, conn_id: str) -> Connection:
        extra = super().get_connection(conn_id).extra_dejson
        kept = {key: extra[key] for key in ("keytab", "principal", "spark-binary") if key in extra}
        return Connection(conn_id=conn_id, conn_type="spark", host="local[1]", extra=json.dumps(kept))


class RarSparkOperator(SparkSubmitOperator):
    """Runs a command of rar-spark and returns its result.

    The driver leaves the result in a file, however it ends; in cluster mode spark-submit does not tell. A try that
    failed is the last one unless the result says that the same command may succeed. Where there is no result, the
    driver did not start; that is tried again.

    :param command: ``tokenize``, ``train``, ``generate`` or ``fid``
    :param recipe: name or URI of the recipe (templated)
    :param output_uri: URI of the output (templated)
    :param settings: recipe keys (templated); keys without a value are left out
    :param more_settings: more of them, as JSON (templated)
    :param conf: Spark settings (templated)
    :param more_conf: more of them, as JSON (templated)
    :param application: job jar, by default that of the installation on the worker (templated)
    """

    template_fields: Sequence[str] = (
        *SparkSubmitOperator.template_fields,
        "recipe",
        "output_uri",
        "settings",
        "more_settings",
        "more_conf",
    )

    def __init__(
        self,
        *,
        command: str,
        recipe: str,
        output_uri: str,
        settings: dict[str, str],
        more_settings: str = "{}",
        conf: dict[str, str] | None = None,
        more_conf: str = "{}",
        conn_id: str = "spark_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(conn_id=conn_id, conf=conf, java_class=MAIN_CLASS, name=f"rar-spark-{command}", **kwargs)
        self.command = command
        self.recipe = recipe
        self.output_uri = output_uri
        self.settings = settings
        self.more_settings = more_settings
        self.more_conf = more_conf
        self.conn_id = conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        # One for all tries, because a later one may find the driver of an earlier one again.
        run = f"{context['dag'].dag_id}-{context['run_id']}".replace(":", ".")
        result_uri = f"{self.output_uri.rstrip('/')}/.result-{run}.json"
        self.application = self.application or str(worker_jar())
        self.application_args = self._arguments()
        self.conf = {
            **self._deployment(),
            **(self.conf or {}),
            **texts(self.more_conf),
            "spark.rarspark.result": result_uri,
        }
        submitted = None
        try:
            super().execute(context)
        except Exception as e:  # of a type that depends on the cluster manager and the deploy mode
            submitted = e
        result = self._result(result_uri)
        if result is None:
            raise submitted or AirflowException(f"The driver did not start, or cannot write {result_uri}")
        if result["status"] != "done":
            message = f"{self.command} failed: {' '.join(result['warnings'])}"
            raise (AirflowException if result["retryable"] else AirflowFailException)(message) from submitted
        for warning in result["warnings"]:
            self.log.warning("%s", warning)
        return result

    def _get_hook(self) -> SparkSubmitHook:
        hook = super()._get_hook()
        # The provider finds the name in the output of spark-submit, but only in a namespace that is called spark.
        hook._kubernetes_driver_pod = self.conf.get("spark.kubernetes.driver.pod.name")
        return hook

    def _deployment(self) -> dict[str, str]:
        """Return the settings that deploy/MANAGER/submit chooses for the manager, the command and the model."""
        master = SparkSubmitHook(conn_id=self.conn_id)._connection["master"]
        manager = {"yarn": "yarn", "spark": "standalone", "k8s": "kubernetes"}.get(master.split(":")[0])
        if manager is None:  # local
            return {}
        submit = [home() / "deploy" / manager / "submit", "--print", "--master", master, *self.application_args]
        printed = subprocess.run(submit, capture_output=True, text=True, check=False)
        if printed.returncode != 0:
            raise AirflowFailException(printed.stderr)
        self.log.info("%s", printed.stderr)
        settings = dict(line.split("=", 1) for line in printed.stdout.splitlines())
        # Whether spark-submit waits, or the operator, is the operator's to say.
        return {key: value for key, value in settings.items() if not key.endswith(".waitAppCompletion")}

    def _arguments(self) -> list[str]:
        settings = {
            f"{self.command}.output": self.output_uri,
            **self.settings,
            **texts(self.more_settings),
        }
        arguments = [self.command, "--recipe", self.recipe, "--quiet"]
        for key, value in settings.items():
            if value:
                arguments += ["--set", f"{key}={value}"]
        return arguments

    def _result(self, uri: str) -> dict[str, Any] | None:
        """Read what the driver left, and delete it."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "result.json")
            hook = LocalSparkSubmitHook(
                conn_id=self.conn_id,
                conf={key: value for key, value in self.conf.items() if key != "spark.rarspark.result"},
                jars=self.jars,
                packages=self.packages,
                repositories=self._repositories,
                driver_class_path=self.driver_class_path,
                properties_file=self.properties_file,
                keytab=self.keytab,
                principal=self.principal,
                env_vars=self.env_vars,
                spark_binary=self._spark_binary,
                driver_memory="512m",
                java_class=MAIN_CLASS,
                name="rar-spark-result",
                application_args=["result", uri, "--submitted", "--quiet", "--json", str(file)],
            )
            try:
                hook.submit(str(worker_jar()))
            except AirflowException as e:  # it ends with the exit code of the job
                if not file.exists():
                    self.log.warning("Cannot read %s: %s", uri, e)
            return json.loads(file.read_text()) if file.exists() else None


def texts(values: str) -> dict[str, str]:
    """Return the values of a JSON object as recipes and Spark write them: true, not True."""
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in json.loads(values).items()
        if value is not None
    }


def home() -> Path:
    """Return the folder of the installation on a worker, which RAR_SPARK_HOME names."""
    folder = Path(os.environ.get("RAR_SPARK_HOME", "/opt/rar-spark"))
    if not (folder / "deploy").is_dir():
        raise AirflowFailException(f"Cannot find rar-spark in {folder}: set RAR_SPARK_HOME on the workers")
    return folder


def worker_jar() -> Path:
    """Return the job jar of the installation on a worker."""
    installed = home() / "lib" / "rar-spark.jar"
    return installed if installed.exists() else home() / "cli" / "target" / "rar-spark.jar"


def pipeline(**submit: Any) -> None:
    """Adds the tasks to a DAG: the four jobs, and what becomes of the model.

    :param submit: arguments of all :class:`RarSparkOperator`
    """
    run = "params.root.rstrip('/') ~ '/' ~ (params.run or run_id.replace(':', '.'))"
    outputs = {command: f"{{{{ {run} }}}}/{command}" for command in ("train", "generate", "fid")}
    outputs["tokenize"] = f"{{{{ params.tokens or {run} ~ '/tokenize' }}}}"
    weights = f"{outputs['train']}/model.safetensors"
    keys = {
        "tokenize": {"tokenize.input": "{{ params.images }}", "tokenize.tokenizer": "{{ params.tokenizer }}"},
        "train": {
            "train.tokens": outputs["tokenize"],
            "train.tokenizer": "{{ params.tokenizer }}",
            "train.ranks": "{{ params.ranks }}",
        },
        "generate": {"generate.weights": weights, "generate.tokenizer": "{{ params.tokenizer }}"},
        "fid": {
            "fid.samples": outputs["generate"],
            "fid.reference": "{{ params.reference }}",
            "fid.features": "{{ params.features }}",
        },
    }
    jobs = {
        command: RarSparkOperator(
            task_id=command,
            command=command,
            recipe="{{ params.recipe }}",
            output_uri=outputs[command],
            settings={"compute.device": "{{ params.device or '' }}", **settings},
            more_settings="{{ params.settings | tojson }}",
            more_conf="{{ params.spark | tojson }}",
            pool=POOL,
            retries=3,
            **submit,
        )
        for command, settings in keys.items()
    }

    @task.branch
    def judge(result: dict[str, Any], params: dict[str, Any] | None = None) -> str:
        """Compares the distance of the samples from the reference with the highest that is accepted."""
        limit = params["max_distance"]
        return "accept" if limit is None or distance(result) <= limit else "reject"

    @task(outlets=[MODEL])
    def accept(model: str, result: dict[str, Any], outlet_events: dict[Asset, Any] | None = None) -> None:
        """Tells those who wait for a model where it is and what it scored."""
        outlet_events[MODEL].extra = {"weights": model, "distance": distance(result)}

    score = jobs["fid"].output
    verdict = judge(score)
    jobs["tokenize"] >> jobs["train"] >> jobs["generate"] >> jobs["fid"]
    verdict >> [accept(weights, score), EmptyOperator(task_id="reject")]


def distance(result: dict[str, Any]) -> float:
    """The Fréchet distance of a result of ``fid``, on whatever features."""
    metrics = result["metrics"]
    return metrics["fid"] if "fid" in metrics else metrics["fd"]
