package io.github.rarspark.cli.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.html.Chart;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.Plan;
import io.github.rarspark.conf.Recipes;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SweepTableTest {

    private static Sweep sweep(String... options) {
        return Sweep.of(
                List.of(options),
                Recipes.load("demo").with(Map.of("fid.reference", "reference", "fid.features", "classifier:file")));
    }

    private static JobResult score(Map<String, Double> metrics) {
        Plan plan = Plan.of("fid", "", Map.of(), Map.of());
        return JobResult.done(plan, Instant.EPOCH, 1, Map.of("samples", 200L), metrics, List.of());
    }

    private static SweepTable guidance() {
        return SweepTable.of(
                sweep("generate.guidance_scale=16,4"),
                List.of(
                        score(Map.of("fid", 12.345678, "inception_score", 90.0, "kid_deviation", 0.1)),
                        score(Map.of("fid", 9.25, "inception_score", 70.0, "kid_deviation", 0.2))));
    }

    @Test
    void theBestValueOfEachMetricHasAStar() {
        assertThat(guidance().text())
                .isEqualTo(
                        """
                          guidance_scale  images  fid     inception_score  kid_deviation
                          16              200     12.35   90.00*           0.1000
                          4               200     9.250*  70.00            0.2000
                        """);
    }

    @Test
    void theFileHasWholeKeysAndExactNumbers() {
        assertThat(guidance().csv())
                .isEqualTo(
                        """
                        point,generate.guidance_scale,images,fid,inception_score,kid_deviation
                        guidance_scale=16,16,200,12.345678,90.0,0.1
                        guidance_scale=4,4,200,9.25,70.0,0.2
                        """);
    }

    @Test
    void numbersAreInTheirOrderOnTheAxis() {
        assertThat(guidance().charts())
                .containsExactly(
                        new Chart(
                                "fid, lower is better",
                                "guidance_scale",
                                List.of(),
                                List.of(4.0, 16.0),
                                List.of(new Chart.Line("fid", List.of(9.25, 12.345678)))),
                        new Chart(
                                "inception_score, higher is better",
                                "guidance_scale",
                                List.of(),
                                List.of(4.0, 16.0),
                                List.of(new Chart.Line("inception_score", List.of(70.0, 90.0)))));
    }

    @Test
    void choicesKeepTheirOrderAndOtherKeysMakeLines() {
        SweepTable table = SweepTable.of(
                sweep("generate.order=spiral-in,row-major", "generate.seed=2,1"),
                List.of(score(Map.of("fd", 1.0)), score(Map.of("fd", 2.0)), score(Map.of("fd", 3.0)), score(Map.of())));
        assertThat(table.charts())
                .containsExactly(new Chart(
                        "fd, lower is better",
                        "order",
                        List.of("spiral-in", "row-major"),
                        List.of(0.0, 1.0),
                        List.of(
                                new Chart.Line("seed=2", List.of(1.0, 3.0)),
                                new Chart.Line("seed=1", Arrays.asList(2.0, null)))));
        assertThat(table.csv()).endsWith("order=row-major_seed=1,row-major,1,200,\n");
    }

    @Test
    void oneOfOneIsNotTheBest() {
        assertThat(SweepTable.of(sweep("generate.seed=1"), List.of(score(Map.of("fd", 1.0))))
                        .text())
                .doesNotContain("*");
    }

    @Test
    void equalValuesAreAllBestAndNoNumberIsNot() {
        SweepTable table = SweepTable.of(
                sweep("generate.seed=1,2,3"),
                List.of(score(Map.of("fd", Double.NaN)), score(Map.of("fd", 1.0)), score(Map.of("fd", 1.0))));
        assertThat(table.rows().stream().map(row -> table.isBest(row, "fd"))).containsExactly(false, true, true);
    }
}
