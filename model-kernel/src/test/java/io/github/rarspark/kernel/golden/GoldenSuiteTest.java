package io.github.rarspark.kernel.golden;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class GoldenSuiteTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");

    @TestFactory
    Stream<DynamicTest> everyNumberIsWithinItsTolerance() throws IOException {
        try (NDManager manager = NDManager.newBaseManager()) {
            List<CaseResult> results = GoldenSuite.run(GOLDEN, manager);
            assertThat(manager.getManagedArrays()).isEmpty();
            return results.stream().flatMap(result -> result.checks().stream()
                    .map(check -> DynamicTest.dynamicTest(
                            result.name() + ": " + check.name(),
                            () -> assertThat(check.maxError()).isLessThanOrEqualTo(check.tolerance()))));
        }
    }

    @Test
    void aCaseWithoutChecksHasNotPassed() {
        assertThat(new CaseResult("x", "rar", List.of()).passed()).isFalse();
        assertThat(Check.within("nan", Double.NaN, 1).passed()).isFalse();
    }
}
