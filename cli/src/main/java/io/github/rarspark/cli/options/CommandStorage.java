package io.github.rarspark.cli.options;

import io.github.rarspark.common.storage.Storage;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import scala.Tuple2;

/** The storage of a command without a Spark session, or before it has one. */
public final class CommandStorage {
    private CommandStorage() {}

    /** The storage that spark-submit's configuration describes. */
    public static Storage open() {
        return of(new SparkConf(true));
    }

    /** The storage that a Spark configuration describes. */
    public static Storage of(SparkConf sparkConf) {
        Configuration hadoop = new Configuration();
        for (Tuple2<String, String> entry : sparkConf.getAllWithPrefix("spark.hadoop.")) {
            hadoop.set(entry._1(), entry._2());
        }
        return new Storage(hadoop);
    }
}
