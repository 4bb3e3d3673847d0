#!/usr/bin/env bash
# For the machines of a Standalone cluster: a copy of it is conf/spark-env.sh of their Spark. docs/standalone.md says how
# to find the numbers.
# shellcheck disable=SC2034 # Spark exports what is set here.

# What executors may use of a machine. The memory is for their heaps only: Standalone does not count what they take beside.
#SPARK_WORKER_CORES=32
#SPARK_WORKER_MEMORY=48g

# Fast disks with room for shuffles and for the tokens of a training.
#SPARK_LOCAL_DIRS=/data/spark

# Limits restarts after executors that fail in a row; a training has a limit of its own, train.max_restarts.
SPARK_MASTER_OPTS="-Dspark.deploy.maxExecutorRetries=-1 ${SPARK_MASTER_OPTS:-}"

# Each executor keeps a copy of the job jar until a day after its application; its log is at most 8 files of 128 MiB.
SPARK_WORKER_OPTS="-Dspark.worker.cleanup.enabled=true -Dspark.worker.cleanup.appDataTtl=86400 \
  -Dspark.executor.logs.rolling.strategy=size -Dspark.executor.logs.rolling.maxSize=134217728 \
  -Dspark.executor.logs.rolling.maxRetainedFiles=8 ${SPARK_WORKER_OPTS:-}"

# Workers with GPUs offer all of them.
discovery=${RAR_SPARK_LIBTORCH:-/opt/libtorch}/discover-gpus
if [[ -x $discovery ]] && gpus=$("$discovery"); then
  gpus=${gpus//[!,]/} # one comma after the name, and one between two addresses
  SPARK_WORKER_OPTS+=" -Dspark.worker.resource.gpu.amount=${#gpus} -Dspark.worker.resource.gpu.discoveryScript=$discovery"
fi
