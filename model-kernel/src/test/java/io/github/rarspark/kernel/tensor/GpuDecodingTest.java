package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("gpu")
class GpuDecodingTest {
    /** In bfloat16 the queries and the weights of attention are rounded as well, unlike in the kernels of CPUs. */
    @Test
    void withoutKernelsOfTheirOwnTheOperationsAreTheSame() {
        Map<String, Double> errors = KernelErrors.all();
        assertThat(errors).hasSize(2 * 6 * KernelErrors.WIDTHS.length + KernelErrors.CHANNELS.length);
        errors.forEach((name, error) -> assertThat(error).as(name).isLessThan(name.contains("bfloat16") ? 2e-2 : 2e-6));
    }
}
