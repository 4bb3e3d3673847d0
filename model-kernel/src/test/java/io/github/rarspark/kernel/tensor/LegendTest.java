package io.github.rarspark.kernel.tensor;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class LegendTest {
    private static final Legend LEGEND = Legend.of('B', 2).and('T', 3);

    @Test
    void shapesAreThoseThatNamesState() {
        try (NDManager manager = NDManager.newBaseManager();
                TensorScope s = TensorScope.inference(manager)) {
            assertThatCode(() -> {
                        LEGEND.check("x_B1T", s.zeros(2, 1, 3));
                        LEGEND.check("ids_B", new long[2]);
                        LEGEND.check("labels_T", new int[3]);
                        LEGEND.check("ids_BT", new long[2][3]);
                        LEGEND.check("orders_BT", new int[2][3]);
                        Legend.of('B', 0).and('T', 3).check("orders_BT", new int[0][]);
                    })
                    .doesNotThrowAnyException();
            assertRefused(() -> LEGEND.check("x_B1T", s.zeros(2, 3)), "x_B1T of shape [2, 3]: expected [2, 1, 3]");
        }
        assertRefused(() -> LEGEND.check("ids_B", new long[3]), "ids_B of shape [3]: expected [2]");
        assertRefused(() -> LEGEND.check("labels_T", new int[2]), "labels_T of shape [2]: expected [3]");
        assertRefused(() -> LEGEND.check("ids_BT", new long[3][3]), "ids_BT of shape [3, 3]: expected [2, 3]");
        assertRefused(() -> LEGEND.check("orders_BT", new int[0][]), "orders_BT of shape [0, 3]: expected [2, 3]");
    }

    @Test
    void everyRowIsChecked() {
        assertRefused(
                () -> LEGEND.check("orders_BT", new int[][] {new int[3], new int[4]}),
                "orders_BT of shape [2, 4]: expected [2, 3]");
    }

    @Test
    void aLetterWithoutExtentIsAMistakeOfTheCaller() {
        assertThatThrownBy(() -> LEGEND.check("x_BD", new long[2][3]))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("The legend of x_BD has no D");
    }

    private static void assertRefused(Runnable check, String what) {
        assertThatThrownBy(check::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot use " + what);
    }
}
