package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class Tf32Test {
    @Test
    void itIsOffUnlessOneOfItsOwnersAllowsIt() {
        assertThat(Tf32.isOn()).isFalse();
        try (Tf32 none = Tf32.allowed(false)) {
            assertThat(Tf32.isOn()).isFalse();
            try (Tf32 first = Tf32.allowed(true);
                    Tf32 second = Tf32.allowed(true)) {
                second.close();
                assertThat(Tf32.isOn()).as("closed twice, counted once").isTrue();
            }
            assertThat(Tf32.isOn()).isFalse();
        }
        assertThat(Tf32.isOn()).isFalse();
    }
}
