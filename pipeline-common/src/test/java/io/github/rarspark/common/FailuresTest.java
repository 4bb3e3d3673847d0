package io.github.rarspark.common;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.EngineException;
import io.github.rarspark.conf.RecipeException;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.error.GpuContextException;
import io.github.rarspark.kernel.error.NativeException;
import io.github.rarspark.kernel.error.NativeLoadException;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.error.NumericException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;
import org.apache.spark.SparkException;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class FailuresTest {
    @Test
    void numbersAreThoseThatSchedulersKnow() {
        assertThat(Arrays.stream(ExitCode.values()).map(ExitCode::number))
                .containsExactlyElementsOf(List.of(0, 64, 65, 66, 69, 70, 73, 75, 130));
        assertThat(Arrays.stream(ExitCode.values()).filter(ExitCode::retryable))
                .containsExactly(ExitCode.TEMPORARY, ExitCode.INTERRUPTED);
    }

    static Stream<Arguments> failures() throws Exception {
        Throwable noScheme =
                Assertions.catchThrowable(() -> new Path("nowhere://host/x").getFileSystem(new Configuration()));
        return Stream.of(
                Arguments.of(new JobException(ExitCode.OUTPUT_EXISTS, "taken"), 73, "taken"),
                Arguments.of(new RecipeException("no key"), 64, "no key"),
                Arguments.of(new DataException("bad\nmore"), 65, "bad"),
                Arguments.of(new NumericException("NaN"), 65, "NaN"),
                Arguments.of(new NativeException("c10"), 70, "c10"),
                Arguments.of(new GpuContextException("broken", new NativeException("CUDA error")), 75, "broken"),
                Arguments.of(
                        new EngineException("CUDA error: an illegal memory access was encountered\nmore"),
                        75,
                        "The GPU's context in this process is broken (CUDA error: an illegal memory access was"
                                + " encountered), by what failed here or by the GPU itself; run again, in a new process"),
                Arguments.of(new NativeException("CUDA error: invalid argument"), 70, "CUDA error: invalid argument"),
                Arguments.of(new NativeLoadException("no libtorch", new IOException("no file")), 69, "no libtorch"),
                Arguments.of(
                        new NativeMemoryException("8 bytes").lowering("train.micro_batch"),
                        69,
                        "Out of memory for tensors: lower train.micro_batch (8 bytes)"),
                Arguments.of(new FileNotFoundException("x"), 66, "Missing file: x"),
                Arguments.of(
                        new FileNotFoundException("/x y (Permission denied)"),
                        69,
                        "Cannot open /x y: permission denied; change its permissions"),
                Arguments.of(
                        new java.nio.file.AccessDeniedException("/x", null, "Permission denied"),
                        69,
                        "Cannot open /x: permission denied; change its permissions"),
                Arguments.of(
                        new java.nio.file.AccessDeniedException(
                                "s3a://b/x",
                                null,
                                "getFileStatus on s3a://b/x: AmazonS3Exception: Forbidden (Service: Amazon S3; Status"
                                        + " Code: 403; Error Code: 403 Forbidden; Request ID: 1; Proxy: null)"),
                        69,
                        "Cannot access s3a://b/x: permission denied (403 Forbidden); check the credentials and what they"
                                + " are allowed"),
                Arguments.of(new FileNotFoundException("Cannot read x: gone"), 66, "Cannot read x: gone"),
                Arguments.of(new AccessControlException("x"), 69, "AccessControlException: x"),
                Arguments.of(new IOException("reset"), 75, "IOException: reset"),
                Arguments.of(new UncheckedIOException(new IOException("reset")), 75, "IOException: reset"),
                Arguments.of(new InterruptedException(), 130, "InterruptedException"),
                Arguments.of(new NullPointerException(), 70, "NullPointerException"),
                Arguments.of(noScheme, 64, "UnsupportedFileSystemException: No FileSystem for scheme \"nowhere\""));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void eachFailureHasItsCodeAndLine(Throwable failure, int code, String line) {
        assertThat(Failures.exitCode(failure).number()).isEqualTo(code);
        assertThat(Failures.message(failure)).isEqualTo(line);
    }

    @Test
    void sparkAndInputOutputOnlyWrapWhatDecides() {
        Throwable wrapped = new SparkException(
                "Job aborted: executor 1 lost task 3", new IOException("in the task", new DataException("bad image")));
        assertThat(Failures.exitCode(wrapped)).isEqualTo(ExitCode.DATA);
        assertThat(Failures.message(wrapped)).isEqualTo("bad image");
    }

    @Test
    void theOutermostDecisionCounts() {
        Throwable failure =
                new RuntimeException(new JobException(ExitCode.TEMPORARY, "again", new DataException("bad")));
        assertThat(Failures.exitCode(failure)).isEqualTo(ExitCode.TEMPORARY);
        assertThat(Failures.message(failure)).isEqualTo("again");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Job aborted: ExecutorLostFailure (executor 1 exited caused by one of the running tasks) | TEMPORARY",
                "Job aborted due to stage failure: Executor 3 on host-1 was lost | TEMPORARY",
                "Job aborted: Lost task 0.0 (TID 0) (executor driver): java.lang.AssertionError | INTERNAL",
                "[SPARK-24819]: Barrier execution mode does not allow more slots than there are | UNAVAILABLE",
                "[SPARK-24942]: Barrier execution mode does not support dynamic resource allocation | UNAVAILABLE",
                "Job 0 cancelled because SparkContext was shut down | INTERRUPTED",
                "Job aborted due to stage failure: Master removed our application: KILLED | INTERRUPTED",
                "Job aborted due to stage failure: Master removed our application: FAILED | TEMPORARY"
            })
    void sparkIsKnownByItsWords(String message, ExitCode code) {
        assertThat(Failures.exitCode(new SparkException(message, null))).isEqualTo(code);
    }

    @Test
    void sparksWordsForATaskDoNotHideItsFailure() {
        assertThat(Failures.exitCode(new SparkException("executor 1 exited", new NullPointerException())))
                .isEqualTo(ExitCode.INTERNAL);
    }
}
