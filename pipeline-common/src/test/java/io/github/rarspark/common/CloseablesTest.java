package io.github.rarspark.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CloseablesTest {
    private final List<String> closed = new ArrayList<>();

    private Closeable closes(String name) {
        return () -> closed.add(name);
    }

    private <E extends Exception> Closeable fails(String name, E failure) {
        return () -> {
            closed.add(name);
            CloseablesTest.<RuntimeException>sneak(failure);
        };
    }

    @SuppressWarnings("unchecked")
    private static <E extends Exception> void sneak(Exception e) throws E {
        throw (E) e;
    }

    @Test
    void allAreClosedAndTheFirstFailureHasTheOthers() {
        IOException first = new IOException("the first");
        IllegalStateException second = new IllegalStateException("the second");
        assertThatThrownBy(() ->
                        Closeables.closeAll(List.of(closes("a"), fails("b", first), fails("c", second), closes("d"))))
                .isSameAs(first)
                .hasSuppressedException(second);
        assertThat(closed).containsExactly("a", "b", "c", "d");
        assertThatThrownBy(() -> Closeables.closeAll(List.of(fails("e", second), closes("f"))))
                .isSameAs(second);
        assertThat(closed).endsWith("e", "f");
    }

    @Test
    void withoutAFailureNothingIsThrown() throws IOException {
        Closeables.closeAll(List.of());
        Closeables.closeAll(List.of(closes("a"), closes("b")));
        assertThat(closed).containsExactly("a", "b");
    }
}
