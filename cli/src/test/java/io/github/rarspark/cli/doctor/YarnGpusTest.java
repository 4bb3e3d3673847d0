package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.doctor.Finding.Status;
import java.util.List;
import org.junit.jupiter.api.Test;

class YarnGpusTest {
    @Test
    void containersWithoutGpusAreCounted() {
        assertThat(YarnGpus.judge(List.of(1L, 1L), 1).status()).isEqualTo(Status.OK);
        Finding lacking = YarnGpus.judge(List.of(1L, 0L, 0L), 1);
        assertThat(lacking.status()).isEqualTo(Status.FAIL);
        assertThat(lacking.value()).isEqualTo("2 of 3 containers have less than 1 yarn.io/gpu");
        assertThat(lacking.fix()).contains("resource-types.xml");
    }

    @Test
    void aMasterThatDoesNotKnowGpusAsksForNone() {
        assertThat(YarnGpus.unknown(true).status()).isEqualTo(Status.FAIL);
        assertThat(YarnGpus.unknown(false).status()).isEqualTo(Status.WARN);
    }
}
