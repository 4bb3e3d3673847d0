package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.spark.BarrierStage;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.testing.LocalSpark;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two ranks as threads of this process. */
@Timeout(120)
class RankProbeTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final String HOST = "127.0.0.1";

    @RegisterExtension
    static final LocalSpark SPARK = new LocalSpark(2);

    private static List<RankFacts> probe(int driverPort) throws InterruptedException {
        return BarrierStage.run(
                SPARK.session(),
                JobDevice.CPU,
                2,
                RankFacts.class,
                new RankProbe(JobDevice.CPU, HOST, driverPort, LIMIT),
                () -> {});
    }

    @Test
    void ranksThatReachTheDriverAndEachOtherAddUp() throws Exception {
        try (Echo driver = Echo.listen(HOST, LIMIT)) {
            assertThat(probe(driver.port())).hasSize(2).allSatisfy(rank -> {
                assertThat(rank.unreached()).isEmpty();
                assertThat(rank.collective().error()).isNull();
                assertThat(rank.collective().value().backend()).isEqualTo("gloo");
                assertThat(rank.collective().value().bytesPerSecond()).isPositive();
            });
        }
    }

    @Test
    void aDriverThatIsNotReachedIsNamedByEachRank() throws Exception {
        try (Socket bound = new Socket()) {
            bound.bind(new InetSocketAddress(HOST, 0));
            int port = bound.getLocalPort();
            assertThat(probe(port)).hasSize(2).allSatisfy(rank -> {
                assertThat(rank.unreached())
                        .singleElement()
                        .asString()
                        .startsWith("cannot reach the driver at 127.0.0.1:" + port + ": ");
                assertThat(rank.collective()).isNull();
            });
        }
    }
}
