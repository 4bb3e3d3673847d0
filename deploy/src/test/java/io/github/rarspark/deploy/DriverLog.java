package io.github.rarspark.deploy;

import java.nio.file.Path;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.FileAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.layout.PatternLayout;

/** What Spark, Hadoop and the jobs log at the level INFO in this process, in a file instead of the console. */
final class DriverLog implements AutoCloseable {
    private static final String[] LOGGERS = {
        "org.apache.spark", "org.apache.hadoop", "com.amazonaws", "io.github.rarspark"
    };

    private final FileAppender appender;

    private DriverLog(FileAppender appender) {
        this.appender = appender;
    }

    static DriverLog to(Path file) {
        FileAppender appender = FileAppender.newBuilder()
                .setName("driver log")
                .withFileName(file.toString())
                .setLayout(PatternLayout.newBuilder()
                        .withPattern("%p %c: %m%n%throwable")
                        .build())
                .build();
        appender.start();
        LoggerContext context = (LoggerContext) LogManager.getContext(false);
        for (String name : LOGGERS) {
            LoggerConfig logger = new LoggerConfig(name, Level.INFO, false);
            logger.addAppender(appender, null, null);
            context.getConfiguration().addLogger(name, logger);
        }
        context.updateLoggers();
        return new DriverLog(appender);
    }

    @Override
    public void close() {
        LoggerContext context = (LoggerContext) LogManager.getContext(false);
        context.reconfigure();
        appender.stop();
    }
}
