package io.github.rarspark.common.spark;

import java.io.File;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;

/**
 * Where DJL unpacks the native libraries of the job jar. It would take the home folder, which a process on a cluster may
 * not have, not be allowed to write, or share with the whole cluster, and else a folder in {@code /tmp} that others of the
 * machine can have made before. So each process there unpacks them, in about 4 s, into the directory that Spark has
 * made for it alone and deletes with it. The user's machine keeps them in the home folder for the next run.
 */
final class NativeCache {
    /** DJL's settings, each an environment variable or a system property. */
    private static final String ALL = "DJL_CACHE_DIR";

    private static final String ENGINES = "ENGINE_CACHE_DIR";

    private NativeCache() {}

    /** Chooses the folder of this process; must come before its first tensor. */
    static void choose(SparkEnv env) {
        if (isOnCluster(env.executorId(), env.conf()) && !isGiven(ALL) && !isGiven(ENGINES)) {
            File own = env.blockManager().diskBlockManager().localDirs()[0];
            System.setProperty(ALL, new File(own, "djl").getAbsolutePath());
        }
    }

    /** Whether a process with this id is an executor, or a driver in cluster mode. */
    static boolean isOnCluster(String executorId, SparkConf conf) {
        return !executorId.equals(TaskDevice.DRIVER) || SparkSessions.isDriverOnCluster(conf);
    }

    private static boolean isGiven(String name) {
        return System.getenv(name) != null || System.getProperty(name) != null;
    }
}
