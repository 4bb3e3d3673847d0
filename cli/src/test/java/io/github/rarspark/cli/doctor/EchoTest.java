package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.awaitility.Awaitility;
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
    void aPortThatNobodyListensAtFailsAtOnce() throws IOException {
        try (Socket bound = new Socket()) {
            bound.bind(new InetSocketAddress(HOST, 0));
            assertThatThrownBy(() -> Echo.call(HOST, bound.getLocalPort(), LIMIT))
                    .isInstanceOf(ConnectException.class);
        }
    }

    /** A connection that arrives while it closes may still be answered. */
    @Test
    void stopsListeningWhenClosed() throws IOException {
        Echo echo = Echo.listen(HOST, LIMIT);
        echo.close();
        Awaitility.await()
                .atMost(LIMIT)
                .until(() -> catchThrowable(() -> Echo.call(HOST, echo.port(), LIMIT)) instanceof ConnectException);
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
