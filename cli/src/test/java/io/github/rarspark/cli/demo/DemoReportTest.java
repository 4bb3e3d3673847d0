package io.github.rarspark.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.Recipes;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DemoReportTest {

    @Test
    void pageHoldsPictureFiguresCurveAndRecipe() throws Exception {
        Outcome outcome = Outcome.of(
                Map.of("generated", 1000L, "steps", 300L, "ranks", 2L),
                Map.of("fd", 12.345678, "loss", 2.5),
                List.of("a < b & c"));
        List<DemoReport.Loss> losses = List.of(new DemoReport.Loss(10, 6.0), new DemoReport.Loss(40, 3.0));
        String html = DemoReport.html(outcome, 201.4, Recipes.load("demo"), new byte[] {1, 2, 3}, losses);
        assertThat(html)
                .contains("1000 images were made by a model that was trained here, 300 steps on 2 ranks")
                .contains("took 201 s")
                .contains("src=\"data:image/png;base64,AQID\"")
                .contains("<tr><td>fd</td><td>12.35</td></tr>")
                .contains("<li>a &lt; b &amp; c</li>")
                .contains("\"xs\":[10.0,40.0],\"lines\":[{\"name\":\"loss\",\"values\":[6.0,3.0]}]")
                .contains("hidden: 128");
    }

    @Test
    void partsWriteBesideEachOtherInTheOutput() {
        DemoLayout layout = new DemoLayout("s3a://bucket/demo");
        Recipe trained = layout.trained(Recipes.load("demo"));
        Recipe untrained = layout.untrained(Recipes.load("demo"));
        assertThat(trained.train().tokens())
                .isEqualTo(trained.tokenize().output())
                .isEqualTo("s3a://bucket/demo/tokens");
        assertThat(trained.generate().weights()).isEqualTo("s3a://bucket/demo/run/model.safetensors");
        assertThat(trained.fid().samples()).isEqualTo(trained.generate().output());
        assertThat(trained.fid().floor()).isTrue();
        assertThat(untrained.generate().weights()).isEqualTo(layout.untrainedWeights());
        assertThat(untrained.generate().output())
                .isNotEqualTo(trained.generate().output());
        assertThat(untrained.fid().output()).isNotEqualTo(trained.fid().output());
        assertThat(untrained.resultSettings("model", "generate"))
                .as("pictures differ by their weights only")
                .isEqualTo(trained.resultSettings("model", "generate"));
    }
}
