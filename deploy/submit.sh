#!/usr/bin/env bash
# Submits a job with the Spark settings of a cluster manager and the sizes for a model; deploy/MANAGER/submit calls it.
#
#   submit [--print] [--deploy-mode client|cluster] [--executors N] [--master URL] COMMAND options…
#
#   --print         prints the settings, KEY=VALUE, but for RAR_SPARK_SUBMIT_ARGS; submits nothing
#   --executors N   how many; by default one for each rank of `train`; for the other commands all that a Standalone
#                   cluster gives, and 2 on YARN and Kubernetes
#
# The settings come from these, each of which wins over the ones before:
#   deploy/MANAGER/spark.conf, gpu.conf (with --device gpu) and COMMAND.conf, as far as they exist; `doctor` gets those of
#   the job that it examines
#   deploy/sizes.tsv, the row for the model of --recipe, the command and the device, with what its sizes presume
#   the files in RAR_SPARK_CONF
#   the options in RAR_SPARK_SUBMIT_ARGS
set -euo pipefail

fail() { # message
  echo "submit: $1" >&2
  exit 64
}

deploy=$(cd -P "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
manager=$1
shift

mode='' executors='' master='' print=''
while [[ ${1:-} == --* ]]; do
  if [[ $1 == --print ]]; then
    print=yes
    shift
    continue
  fi
  [[ $1 == *=* ]] || set -- "$1=${2:-}" "${@:3}"
  case $1 in
    --deploy-mode=client | --deploy-mode=cluster) mode=${1#*=} ;;
    --executors=*) executors=${1#*=} ;;
    --master=?*) master=${1#*=} ;;
    *) fail "cannot use $1: give [--deploy-mode client|cluster] [--executors N] [--master URL] COMMAND options" ;;
  esac
  shift
done
command=${1:-}
[[ -n $command ]] || fail "the command is missing: give tokenize, train, generate or fid, and its options"

# `doctor` gets the executors of the job that it examines.
job=$command
[[ $command != doctor ]] || job=train
recipe='' device=cpu ranks=''
arguments=("$@")
for ((i = 0; i < ${#arguments[@]}; i++)); do
  argument=${arguments[i]}
  case $argument in
    --master | --recipe | --device | --ranks | --command | --set) argument+="=${arguments[i + 1]:-}" ;;
  esac
  case $argument in
    --master=*) master=${argument#*=} ;;
    --recipe=*) recipe=${argument#*=} ;;
    --device=* | --set=compute.device=*) device=${argument##*=} ;;
    --ranks=* | --set=train.ranks=*) ranks=${argument##*=} ;;
    --command=*) [[ $command != doctor ]] || job=${argument#*=} ;;
  esac
done
case $manager in
  standalone) [[ $master == spark://* ]] || fail "the master is missing: give --master spark://HOST:7077" ;;
  kubernetes) [[ $master == k8s://* ]] || fail "the master is missing: give --master k8s://https://HOST:6443" ;;
  yarn) master=yarn ;;
esac

# The model of a recipe that is a file is the one that it extends.
model=$recipe file=${recipe#file:}
file=${file#//}
[[ ! -f $file ]] || model=$(sed -n 's/^extends:[[:space:]]*\([[:alnum:]-]*\).*/\1/p' "$file")
cores='' heap='' overhead='' driver='' driver_overhead='' settings=''
while IFS=$'\t' read -r of_model of_command of_device sizes; do
  if [[ $of_model/$of_command/$of_device == "$model/$job/$device" ]]; then
    IFS=$'\t' read -r cores heap overhead driver driver_overhead settings <<<"$sizes"
  fi
done <"$deploy/sizes.tsv"

chosen=() presumed=''
if [[ -n $cores ]]; then
  chosen+=("spark.executor.cores $cores" "spark.executor.memory $heap" "spark.executor.memoryOverhead $overhead"
    "spark.driver.memory $driver" "spark.driver.memoryOverhead $driver_overhead")
  for setting in $settings; do # those that the sizes presume, unless the recipe is a file that says otherwise
    name=${setting%%=*}
    if [[ $name == spark.rar.* && -f $file ]] && grep -Eq "(^|[{, ])${name##*.}[[:space:]]*:" "$file"; then continue; fi
    chosen+=("${setting/=/ }")
    presumed+=" $setting"
  done
fi
if [[ $device == gpu ]]; then
  folder=${RAR_SPARK_LIBTORCH:-/opt/libtorch}
  [[ $manager != kubernetes ]] || folder=/opt/libtorch # of the image
  chosen+=("spark.executor.resource.gpu.amount 1" "spark.executor.resource.gpu.discoveryScript $folder/discover-gpus")
  [[ $manager != yarn ]] || chosen+=("spark.yarn.dist.files $deploy/yarn/resource-types.xml")
fi
[[ $job != train ]] || executors=${executors:-$ranks}
[[ $manager == standalone ]] || executors=${executors:-2}
[[ ${executors:-1} =~ ^[1-9][0-9]*$ ]] || fail "cannot use $executors executors: give a whole number"
if [[ -n $executors && $manager != standalone ]]; then
  chosen+=("spark.executor.instances $executors")
elif [[ -n $executors && -n $cores ]]; then
  # Standalone counts cores.
  chosen+=("spark.cores.max $((executors * cores))")
fi

if [[ -n $cores ]]; then
  echo "submit: $command of $model on ${device^^}s, ${executors:-all} executors, each with $cores cores, $heap of heap and" \
    "$overhead beside it; $driver of heap for the driver${presumed:+;$presumed}" >&2
else
  echo "submit: no sizes for $command of ${recipe:-no recipe} on ${device^^}s; Spark's defaults hold, unless RAR_SPARK_CONF" \
    "or RAR_SPARK_SUBMIT_ARGS say otherwise" >&2
fi

files=()
for file in "$deploy/$manager/"{spark,"$device","$job"}.conf; do
  [[ ! -f $file ]] || files+=("$file")
done
# A file that has no name any more, and so need not be removed at the end.
file=$(mktemp)
printf '%s\n' "${chosen[@]}" >"$file"
exec 8<"$file"
rm "$file"
files+=(/proc/self/fd/8)
[[ -z ${RAR_SPARK_CONF:-} ]] || files+=("$RAR_SPARK_CONF")
RAR_SPARK_CONF=$(IFS=: && echo "${files[*]}")
export RAR_SPARK_CONF RAR_SPARK_PRINT=${print:-${RAR_SPARK_PRINT:-}}
exec "$deploy/../bin/rar-spark" "$@" --master "$master" ${mode:+--deploy-mode "$mode"}
