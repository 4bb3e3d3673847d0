package io.github.rarspark.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.launcher.LauncherConstants;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

class TagTimesTest {

    @TempDir
    Path folder;

    @Tag("slow")
    static class Tagged {
        @BeforeAll
        static void setUp() {
            atLeast(40);
        }

        @Test
        void slow() {
            atLeast(20);
        }

        @Test
        @Tag("odd")
        void slowAndOdd() {
            atLeast(20);
        }
    }

    static class Plain {
        @Test
        void plain() {
            atLeast(20);
        }
    }

    private static void atLeast(int milliseconds) {
        long end = System.nanoTime() + milliseconds * 1_000_000L;
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }

    @Test
    void eachTagGetsItsTestsAndTheSetUpOfItsClasses() throws IOException {
        Path file = folder.resolve("target/times.csv");
        LauncherFactory.create(LauncherConfig.builder()
                        .enableTestExecutionListenerAutoRegistration(false)
                        .build())
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(Tagged.class), selectClass(Plain.class))
                                .configurationParameter(LauncherConstants.CAPTURE_STDOUT_PROPERTY_NAME, "false")
                                .build(),
                        new TagTimes(file));
        Map<String, Double> seconds = Files.readAllLines(file).stream()
                .map(line -> line.split(","))
                .collect(Collectors.toMap(part -> part[0], part -> Double.valueOf(part[1])));
        assertThat(seconds).containsOnlyKeys("odd", "slow", "untagged");
        assertThat(seconds.get("odd")).isGreaterThanOrEqualTo(0.02);
        assertThat(seconds.get("slow")).isGreaterThanOrEqualTo(0.08).isGreaterThan(seconds.get("odd"));
        assertThat(seconds.get("untagged")).isGreaterThanOrEqualTo(0.02);
    }
}
