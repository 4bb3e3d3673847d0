package io.github.rarspark.conf;

/** Where the tasks of a job compute. */
public enum ComputeDevice {
    /** On GPUs if the Spark configuration gives every task one, else on CPUs. */
    AUTO,
    /** On CPUs, whatever Spark gives the tasks. */
    CPU,
    /** On GPUs, one for each task, which Spark is asked for. */
    GPU
}
