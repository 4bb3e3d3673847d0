package io.github.rarspark.conf;

import static io.github.rarspark.conf.Checks.require;

import java.io.Serializable;
import java.util.List;

/** Where the jobs run. */
@Settings(
        """
        key              | type   | default | range | hashed | meaning
        master           | String |         |       | no     | Spark master; by default spark-submit's, or local[*]
                                                               without spark-submit.
        weights_cache_gb | double | 4       | [0, ) | no     | Gigabytes of idle weights that an executor keeps for
                                                               later tasks; the last used are always kept.
        wait_seconds     | int    | 600     | [1, ) | no     | Seconds that a job waits for executors, and a task for
                                                               weights that another task loads, before it fails.
        """)
public record SparkSettings(String master, double weightsCacheGb, int waitSeconds) implements Serializable {

    /** Checks that the master has one of Spark's forms; the scheme of a URL is left to Spark. */
    public SparkSettings {
        String name = master.replaceFirst("\\[.*", "");
        require(
                master.isEmpty()
                        || master.equals("yarn")
                        || master.contains("://")
                        || master.matches("local(-cluster)?(\\[\\s*([1-9]\\d*|\\*)\\s*(,\\s*\\d+\\s*){0,2}])?"),
                "Cannot use spark.master=%s: give local[N], yarn, k8s://HOST:PORT or spark://HOST:PORT%s",
                master,
                Near.clause(name, List.of("local", "yarn", "k8s", "spark")));
    }
}
