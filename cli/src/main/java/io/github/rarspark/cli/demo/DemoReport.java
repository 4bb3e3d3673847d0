package io.github.rarspark.cli.demo;

import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.conf.Recipe;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The demo's report: one self-contained HTML page. */
final class DemoReport {

    private static final int WIDTH = 640;
    private static final int HEIGHT = 200;

    private DemoReport() {}

    /**
     * A line of the training's metrics.
     *
     * @param step updates made
     * @param loss mean cross-entropy per token
     */
    record Loss(long step, double loss) {}

    static String html(Outcome outcome, double seconds, Recipe recipe, byte[] gridPng, List<Loss> losses) {
        String figures = new TreeMap<>(outcome.metrics())
                .entrySet().stream()
                        .map(entry -> String.format(
                                Locale.ROOT,
                                "<tr><td>%s</td><td>%.4g</td></tr>%n",
                                escape(entry.getKey()),
                                entry.getValue()))
                        .collect(Collectors.joining());
        String warnings = outcome.warnings().stream()
                .map(warning -> "<li>" + escape(warning) + "</li>\n")
                .collect(Collectors.joining());
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head><meta charset="utf-8"><title>rar-spark demo</title>
                <style>
                body { font-family: sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
                img { width: 100%%; image-rendering: pixelated }
                td { padding: 0.1rem 1rem 0.1rem 0 }
                svg { width: 100%% }
                </style></head>
                <body>
                <h1>rar-spark demo</h1>
                <p>%s images were made by a model that was trained here, %d steps on %d ranks; the whole demo took %.0f s.</p>
                <img alt="generated images, one class per column" src="data:image/png;base64,%s">
                <h2>Figures</h2>
                <table>
                %s</table>
                <p>loss is the mean cross-entropy of a token at the end of training, fd the Frechet distance on features of
                the small classifier (not comparable with FID), fd_floor that between two halves of the real images.</p>
                <ul>
                %s</ul>
                <h2>Loss by step</h2>
                %s
                <h2>Recipe</h2>
                <pre>%s</pre>
                </body>
                </html>
                """
                .formatted(
                        outcome.counts().get("generated"),
                        outcome.counts().get("steps"),
                        outcome.counts().get("ranks"),
                        seconds,
                        Base64.getEncoder().encodeToString(gridPng),
                        figures,
                        warnings,
                        curve(losses),
                        escape(recipe.toYaml()));
    }

    private static String curve(List<Loss> losses) {
        double steps = losses.stream().mapToDouble(Loss::step).max().orElse(1);
        double highest = losses.stream().mapToDouble(Loss::loss).max().orElse(1);
        String points = losses.stream()
                .map(point -> String.format(
                        Locale.ROOT, "%.1f,%.1f", WIDTH * point.step() / steps, HEIGHT * (1 - point.loss() / highest)))
                .collect(Collectors.joining(" "));
        return String.format(
                Locale.ROOT,
                "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"loss from 0 to %.2f over %.0f steps\">"
                        + "<rect width=\"100%%\" height=\"100%%\" fill=\"#f4f4f4\"/>"
                        + "<polyline fill=\"none\" stroke=\"#2060a0\" stroke-width=\"2\" points=\"%s\"/></svg>"
                        + "<p>0 to %.2f over %.0f steps</p>",
                WIDTH,
                HEIGHT,
                highest,
                steps,
                points,
                highest,
                steps);
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
