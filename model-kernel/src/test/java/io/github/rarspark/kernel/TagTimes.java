package io.github.rarspark.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestTag;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Appends to target/tag-times.csv how many seconds the tests of each tag took, {@code untagged} among them; .ci/run adds
 * the modules up. Set-up for a whole class counts for the class's tags. Registered for all modules that have the test
 * fixtures of model-kernel.
 */
public final class TagTimes implements TestExecutionListener {

    private final Path file;
    private final Map<String, Long> started = new ConcurrentHashMap<>();
    private final Map<String, Long> insideNanos = new ConcurrentHashMap<>();
    private final Map<String, Long> nanosByTag = new ConcurrentHashMap<>();
    private volatile TestPlan plan;

    /** For the service loader: writes into the module that runs its tests. */
    public TagTimes() {
        this(Path.of("target", "tag-times.csv"));
    }

    TagTimes(Path file) {
        this.file = file;
    }

    @Override
    public void testPlanExecutionStarted(TestPlan testPlan) {
        plan = testPlan;
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        started.put(test.getUniqueId(), System.nanoTime());
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        long nanos = System.nanoTime() - started.remove(test.getUniqueId());
        plan.getParent(test).ifPresent(parent -> insideNanos.merge(parent.getUniqueId(), nanos, Long::sum));
        Long inside = insideNanos.remove(test.getUniqueId());
        long own = nanos - (inside == null ? 0 : inside);
        List<String> tags = test.getTags().stream().map(TestTag::getName).toList();
        for (String tag : tags.isEmpty() ? List.of("untagged") : tags) {
            nanosByTag.merge(tag, own, Long::sum);
        }
    }

    @Override
    public void testPlanExecutionFinished(TestPlan testPlan) {
        List<String> lines = new TreeMap<>(nanosByTag)
                .entrySet().stream()
                        .map(entry -> entry.getKey() + "," + entry.getValue() / 1e9)
                        .toList();
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.write(file, lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot write " + file, e);
        }
    }
}
