package io.github.rarspark.common.images;

import static io.github.rarspark.common.testing.JobAssert.assertFails;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.conf.BadLimit;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class QuarantineTest {
    private static Quarantine withTwo(String limit, OptionalLong images) {
        Quarantine quarantine = new Quarantine("out", "tokenize in", BadLimit.parse(limit), images);
        quarantine.add("unit 2", new ImageFindings(List.of(new BadImage("b.png", "broken")), 0));
        quarantine.add("unit 1", new ImageFindings(List.of(new BadImage("a.png", "torn")), 0));
        return quarantine;
    }

    @Test
    void aNumberIsALimitAtAnyTime() {
        Quarantine quarantine = withTwo("1", OptionalLong.empty());
        assertFails(ExitCode.DATA, quarantine::requireFew)
                .isEqualTo(
                        "Cannot tokenize in: 2 images cannot be used, more than --max-bad 1; out/quarantine.jsonl lists"
                                + " those found so far, the first is a.png (torn)");
        assertThatCode(withTwo("2", OptionalLong.empty())::requireFew).doesNotThrowAnyException();
    }

    @Test
    void aShareIsOneOfAllImages() {
        assertFails(ExitCode.DATA, withTwo("1%", OptionalLong.of(199))::requireFew)
                .contains("2 images cannot be used, more than --max-bad 1% of 199 images; ");
        assertThatCode(withTwo("1%", OptionalLong.of(200))::requireFew).doesNotThrowAnyException();
    }

    @Test
    void aShareOfAnUnknownNumberCountsInTheEnd() {
        Quarantine quarantine = withTwo("1%", OptionalLong.empty());
        assertThatCode(quarantine::requireFew).doesNotThrowAnyException();
        assertFails(ExitCode.DATA, () -> quarantine.requireFew(199))
                .contains("more than --max-bad 1% of 199 images; out/quarantine.jsonl lists them, the first is a.png");
        assertThatCode(() -> quarantine.requireFew(200)).doesNotThrowAnyException();
    }
}
