package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EchoTest {
    private static final String HOST = "127.0.0.1";
    private static final Duration LIMIT = Duration.ofSeconds(10);

    @Test
    void whoConnectsIsAnswered() throws IOException {
        try (Echo echo = Echo.listen(HOST, LIMIT)) {
            for (int i = 0; i < 3; i++) {
                assertThatCode(() -> Echo.call(HOST, echo.port(), LIMIT)).doesNotThrowAnyException();
            }
        }
    }

    @Test
    void aClosedPortFailsAtOnce() throws IOException {
        int port;
        try (Echo echo = Echo.listen(HOST, LIMIT)) {
            port = echo.port();
        }
        assertThatThrownBy(() -> Echo.call(HOST, port, LIMIT)).isInstanceOf(ConnectException.class);
    }

    /** As with a proxy that accepts what it does not let pass, or a firewall that drops. */
    @Test
    void silenceIsNoAnswer() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getByName(HOST))) {
            assertThatThrownBy(() -> Echo.call(HOST, silent.getLocalPort(), Duration.ofMillis(300)))
                    .isInstanceOf(SocketTimeoutException.class);
        }
    }
}
