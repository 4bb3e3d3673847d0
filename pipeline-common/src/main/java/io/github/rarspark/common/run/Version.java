package io.github.rarspark.common.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of rar-spark, as the build wrote it. */
public final class Version {
    /** Such as {@code 0.1.0}. */
    public static final String CURRENT = of("version");

    private Version() {}

    /**
     * The version of what the build was made for.
     *
     * @param component {@code spark}, {@code scala} (major and minor) or {@code hadoop}
     */
    public static String of(String component) {
        Properties properties = new Properties();
        try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty(component);
    }
}
