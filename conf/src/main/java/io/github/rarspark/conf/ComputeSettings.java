package io.github.rarspark.conf;

import java.io.Serializable;

/** What the tasks compute with. The device is not a setting that alters results: the plan of a run has the one in use. */
@Settings(
        """
        key    | type          | default | range | hashed | meaning
        device | ComputeDevice | auto    |       | no     | Where tasks compute: cpu, or gpu, for which every task
                                                          gets a GPU of Spark; auto is gpu if
                                                          spark.task.resource.gpu.amount is set, else cpu.
        tf32   | boolean       | false   |       | yes    | Let GPUs round the factors of fp32 products to TF32, which
                                                          is faster and less exact.
        """)
public record ComputeSettings(ComputeDevice device, boolean tf32) implements Serializable {}
