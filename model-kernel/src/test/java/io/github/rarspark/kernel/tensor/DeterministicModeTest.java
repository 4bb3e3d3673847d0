package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class DeterministicModeTest {
    @Test
    void theModeLastsUntilTheLastOfItsOwnersCloses() {
        assertThat(DeterministicMode.isOn()).isFalse();
        try (DeterministicMode first = DeterministicMode.open()) {
            try (DeterministicMode second = DeterministicMode.open()) {
                assertThat(DeterministicMode.isOn()).isTrue();
                second.close();
                assertThat(DeterministicMode.isOn())
                        .as("closed twice, counted once")
                        .isTrue();
            }
            assertThat(DeterministicMode.isOn()).isTrue();
        }
        assertThat(DeterministicMode.isOn()).isFalse();
    }
}
