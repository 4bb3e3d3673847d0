package io.github.rarspark.common.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import org.assertj.core.api.AbstractStringAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Assertions on how a job ends. */
public final class JobAssert {
    private JobAssert() {}

    /**
     * Checks that {@code call} fails as a process that ends with {@code code} and one line.
     *
     * @return an assertion on that line
     */
    public static AbstractStringAssert<?> assertFails(ExitCode code, ThrowingCallable call) {
        Throwable failure = catchThrowable(call);
        assertThat(failure).as("what is thrown").isNotNull();
        String line = Failures.message(failure);
        assertThat(Failures.exitCode(failure)).as(failure.toString()).isEqualTo(code);
        return assertThat(line).doesNotContain("\n");
    }
}
