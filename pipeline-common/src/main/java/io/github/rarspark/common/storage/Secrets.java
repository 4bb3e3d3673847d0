package io.github.rarspark.common.storage;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.ConfigRedactor;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.deploy.SparkHadoopUtil;

/**
 * The secrets among Hadoop's settings: credentials and encryption keys. No task carries them. An executor takes them from
 * Spark's configuration, which the driver sends to each executor once, or has them itself.
 */
public final class Secrets {
    /** Matches the names of Spark's settings whose values Spark hides: its default, and all kinds of keys. */
    public static final String SPARK_REDACTION =
            "(?i)secret|password|token|(access|account|encryption|private|session)[.]?key|[.]sas[.]|credential$";

    private static final String FILE_SYSTEMS = "fs.";
    private static final String SPARK_HADOOP = "spark.hadoop.";
    private static final String DEFAULTS = "core-default.xml";

    /** What {@code hadoop.security.sensitive-config-keys} does not list, such as the keys of a single bucket. */
    private static final Pattern MORE = Pattern.compile(
            "(?i)^fs\\..*(secret|password|token$|(access|account|encryption|private)\\.?key|\\.sas\\.)");

    private Secrets() {}

    /**
     * Puts the secrets of file systems that only the driver has, from its environment or its {@code core-site.xml}, in
     * Spark's configuration, for its executors. What is there already stays.
     */
    public static void share(SparkConf conf) {
        share(SparkHadoopUtil.get().newConfiguration(conf), conf);
    }

    static void share(Configuration driver, SparkConf conf) {
        of(driver).forEach((name, value) -> {
            if (name.startsWith(FILE_SYSTEMS) && !isDefault(driver, name)) {
                conf.setIfMissing(SPARK_HADOOP + name, value);
            }
        });
    }

    /** A copy of {@code configuration} without secrets. */
    static Configuration without(Configuration configuration) {
        Configuration copy = new Configuration(configuration);
        of(configuration).keySet().forEach(copy::unset);
        return copy;
    }

    /** Adds to {@code configuration} the secrets of this process that it lacks. */
    static void addOwn(Configuration configuration) {
        SparkEnv env = SparkEnv.get();
        SparkConf conf = env == null ? new SparkConf(true) : env.conf();
        of(SparkHadoopUtil.get().newConfiguration(conf)).forEach(configuration::setIfUnset);
    }

    /** The secrets in {@code configuration} by name; variables in their values stay as they are. */
    private static Map<String, String> of(Configuration configuration) {
        ConfigRedactor hadoops = new ConfigRedactor(configuration);
        Map<String, String> secrets = new TreeMap<>();
        for (Map.Entry<String, String> setting : configuration) {
            String name = setting.getKey();
            boolean isHadoops = hadoops.redact(name, null) != null;
            if (isHadoops || MORE.matcher(name).find()) {
                secrets.put(name, setting.getValue());
            }
        }
        return secrets;
    }

    private static boolean isDefault(Configuration configuration, String name) {
        String[] sources = configuration.getPropertySources(name);
        return sources != null && sources.length > 0 && sources[0].equals(DEFAULTS);
    }
}
