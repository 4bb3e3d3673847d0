package io.github.rarspark.kernel.vqgan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CodebookLearnerTest {
    /** Three clusters on a line, around 0, 10 and 20. */
    private static final float[] LATENTS = {-1, 0, 1, 9, 10, 11, 19, 20, 21};

    @Test
    void startsAtTheCentresOfClusters() {
        CodebookLearner learner = started();
        float[] centres = learner.book().clone();
        Arrays.sort(centres);
        assertThat(centres).containsExactly(new float[] {0, 10, 20}, within(1e-5f));
    }

    @Test
    void codesMoveToTheAverageOfWhatChoseThem() {
        CodebookLearner learner = started();
        int code = indexOf(learner, 10);
        float[] latents = {14, 14, 14};
        long[] tokens = {code, code, code};
        for (int step = 1; step <= 1000; step++) {
            learner.update(latents, tokens, step);
        }
        assertThat(learner.book()[code]).isCloseTo(14, within(1e-3f));
    }

    @Test
    void onlyUnusedCodesRestartAndAtBadlyRepresentedLatents() {
        CodebookLearner learner = started();
        int used = indexOf(learner, 0);
        float[] latents = {0, 0, 50, 60};
        long[] tokens = {used, used, used, used};
        learner.update(latents, tokens, 10);
        float kept = learner.book()[used];
        assertThat(learner.restart(latents, tokens, 10, 7, 10)).isEqualTo(2);
        assertThat(learner.book()[used]).isEqualTo(kept);
        assertThat(learner.book()).contains(50, 60);
        assertThat(learner.restart(latents, tokens, 10, 7, 11)).isZero();
    }

    private static CodebookLearner started() {
        CodebookLearner learner = new CodebookLearner(3, 1);
        learner.start(LATENTS, 5, 0);
        return learner;
    }

    private static int indexOf(CodebookLearner learner, float value) {
        for (int code = 0; code < 3; code++) {
            if (Math.abs(learner.book()[code] - value) < 0.5) {
                return code;
            }
        }
        throw new AssertionError("No code near " + value + " in " + Arrays.toString(learner.book()));
    }
}
