package io.github.rarspark.deploy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What Spark's processes read from their connections, from logs in which Spark's NettyLogger traces: a dump of each read,
 * whose last column has the bytes as ASCII.
 */
final class WireTrace {
    /** A configuration of log4j2 with such a trace, on stderr. */
    static final String LOG4J2 =
            """
            rootLogger.level = info
            rootLogger.appenderRef.stderr.ref = stderr
            appender.stderr.type = Console
            appender.stderr.name = stderr
            appender.stderr.target = SYSTEM_ERR
            appender.stderr.layout.type = PatternLayout
            appender.stderr.layout.pattern = %p %c{1}: %m%n
            logger.netty.name = org.apache.spark.network.util.NettyLogger
            logger.netty.level = trace
            """;

    private static final Pattern EVENT = Pattern.compile(".* NettyLogger: \\[id: (0x\\w+).*\\] (\\w+).*");
    private static final Pattern BYTES = Pattern.compile("\\|[0-9a-f]{8}\\|(?: [0-9a-f]{2}| {3}){16} \\|(.{16})\\|");

    private WireTrace() {}

    /** What was read, one string for each connection. */
    static List<String> read(Path log) throws IOException {
        Map<String, StringBuilder> connections = new HashMap<>();
        StringBuilder current = new StringBuilder();
        for (String line : Files.readAllLines(log)) {
            Matcher event = EVENT.matcher(line);
            Matcher bytes = BYTES.matcher(line);
            if (event.matches()) {
                current = event.group(2).equals("READ")
                        ? connections.computeIfAbsent(event.group(1), id -> new StringBuilder())
                        : new StringBuilder();
            } else if (bytes.matches()) {
                current.append(bytes.group(1));
            }
        }
        return connections.values().stream().map(StringBuilder::toString).toList();
    }
}
