package io.github.rarspark.cli.demo;

import io.github.rarspark.cli.html.Chart;
import io.github.rarspark.cli.html.HtmlPage;
import io.github.rarspark.cli.html.HtmlPage.Cell;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

/** The demo's report: one self-contained HTML page. */
final class DemoReport {

    private DemoReport() {}

    /**
     * A line of the training's metrics.
     *
     * @param step updates made
     * @param loss mean cross-entropy per token
     */
    record Loss(long step, double loss) {}

    static String html(Outcome outcome, double seconds, Recipe recipe, byte[] gridPng, List<Loss> losses)
            throws IOException {
        List<List<Cell>> figures = new TreeMap<>(outcome.metrics())
                .entrySet().stream()
                        .map(entry -> List.of(Cell.of(entry.getKey()), Cell.of(entry.getValue())))
                        .toList();
        long ranks = outcome.counts().get("ranks");
        return new HtmlPage("rar-spark demo")
                .paragraph(String.format(
                        Locale.ROOT,
                        "%d images were made by a model that was trained here, %d steps on %s; the whole demo"
                                + " took %.0f s.",
                        outcome.counts().get("generated"),
                        outcome.counts().get("steps"),
                        ranks == 1 ? "one rank" : ranks + " ranks",
                        seconds))
                .picture("generated images, one class per column", gridPng)
                .heading("Figures")
                .table(List.of(), figures)
                .paragraph("loss is the mean cross-entropy of a token at the end of training, fd the Frechet distance"
                        + " on features of the small classifier (not comparable with FID), fd_floor that between two"
                        + " halves of the real images.")
                .list(outcome.warnings())
                .chart(new Chart(
                        "Loss by step",
                        "step",
                        List.of(),
                        losses.stream().map(loss -> (double) loss.step()).toList(),
                        List.of(new Chart.Line(
                                "loss", losses.stream().map(Loss::loss).toList()))))
                .heading("Recipe")
                .preformatted(recipe.toYaml())
                .html();
    }
}
