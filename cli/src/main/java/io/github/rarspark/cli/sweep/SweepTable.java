package io.github.rarspark.cli.sweep;

import io.github.rarspark.cli.html.Chart;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.fid.FidMetrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * The scores of a sweep's points.
 *
 * @param metrics names of the metrics, those that compare points first
 * @param rows one of each point, in their order
 */
record SweepTable(Sweep sweep, List<String> metrics, List<Row> rows) {
    private static final String IMAGES = "images";

    /** The metrics that compare points. */
    private static final List<String> COMPARING = Stream.of(FidMetrics.LOWER_IS_BETTER, FidMetrics.HIGHER_IS_BETTER)
            .flatMap(Collection::stream)
            .toList();

    /**
     * A point with its scores.
     *
     * @param images how many were scored
     * @param metrics by name
     */
    record Row(Sweep.Point point, long images, SortedMap<String, Double> metrics) {}

    /**
     * The table of results.
     *
     * @param scores of the points, in their order
     */
    static SweepTable of(Sweep sweep, List<JobResult> scores) {
        List<Row> rows = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>();
        for (int i = 0; i < scores.size(); i++) {
            JobResult score = scores.get(i);
            rows.add(new Row(sweep.points().get(i), score.counts().get("samples"), score.metrics()));
            names.addAll(score.metrics().keySet());
        }
        List<String> metrics = new ArrayList<>(names);
        metrics.sort(
                Comparator.comparingInt(name -> COMPARING.contains(name) ? COMPARING.indexOf(name) : COMPARING.size()));
        return new SweepTable(sweep, List.copyOf(metrics), List.copyOf(rows));
    }

    /** The best value of a metric; empty if it does not compare points, or there is one point only. */
    OptionalDouble best(String metric) {
        DoubleStream values = rows.stream()
                .map(row -> row.metrics().get(metric))
                .filter(value -> value != null && Double.isFinite(value))
                .mapToDouble(Double::doubleValue);
        if (rows.size() < 2 || !COMPARING.contains(metric)) {
            return OptionalDouble.empty();
        }
        return FidMetrics.HIGHER_IS_BETTER.contains(metric) ? values.max() : values.min();
    }

    /** Whether a row has the best value of a metric. */
    boolean isBest(Row row, String metric) {
        OptionalDouble best = best(metric);
        return best.isPresent()
                && Double.valueOf(best.getAsDouble()).equals(row.metrics().get(metric));
    }

    /** Names of the columns: the keys without their section, the number of images, the metrics. */
    List<String> columns() {
        return Stream.of(sweep.axes().stream().map(Sweep.Axis::name), Stream.of(IMAGES), metrics.stream())
                .flatMap(names -> names)
                .toList();
    }

    /** Comma-separated values; keys and values of settings and names of metrics contain neither commas nor quotes. */
    String csv() {
        List<List<String>> lines = new ArrayList<>();
        List<String> head = new ArrayList<>(List.of("point"));
        sweep.axes().forEach(axis -> head.add(axis.key().name()));
        head.add(IMAGES);
        head.addAll(metrics);
        lines.add(head);
        for (Row row : rows) {
            List<String> line = new ArrayList<>(List.of(sweep.name(row.point())));
            line.addAll(row.point().values());
            line.add(Long.toString(row.images()));
            metrics.forEach(metric -> line.add(
                    row.metrics().containsKey(metric)
                            ? row.metrics().get(metric).toString()
                            : ""));
            lines.add(line);
        }
        StringBuilder csv = new StringBuilder();
        lines.forEach(line -> csv.append(String.join(",", line)).append('\n'));
        return csv.toString();
    }

    /** Lines for a terminal; the best values have a star. */
    String text() {
        List<List<String>> lines = new ArrayList<>();
        lines.add(columns());
        for (Row row : rows) {
            List<String> line = new ArrayList<>(row.point().values());
            line.add(Long.toString(row.images()));
            metrics.forEach(metric -> line.add(cell(row, metric)));
            lines.add(line);
        }
        StringBuilder text = new StringBuilder();
        for (List<String> line : lines) {
            StringBuilder padded = new StringBuilder();
            for (int column = 0; column < line.size(); column++) {
                int at = column;
                int width = lines.stream()
                        .mapToInt(other -> other.get(at).length())
                        .max()
                        .orElseThrow();
                padded.append(String.format(Locale.ROOT, "  %-" + width + "s", line.get(column)));
            }
            text.append(padded.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    private String cell(Row row, String metric) {
        Double value = row.metrics().get(metric);
        return value == null ? "" : String.format(Locale.ROOT, "%.4g", value) + (isBest(row, metric) ? "*" : "");
    }

    /**
     * A chart of each metric that compares points, over the values of the first key; each combination of the other keys'
     * values is a line.
     */
    List<Chart> charts() {
        Sweep.Axis first = sweep.axes().get(0);
        List<String> values = new ArrayList<>(first.values());
        if (first.isNumber()) {
            values.sort(Comparator.comparingDouble(Double::parseDouble));
        }
        List<Double> xs = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            xs.add(first.isNumber() ? Double.parseDouble(values.get(i)) : i);
        }
        return metrics.stream()
                .filter(COMPARING::contains)
                .map(metric -> new Chart(
                        metric + (FidMetrics.HIGHER_IS_BETTER.contains(metric) ? ", higher" : ", lower") + " is better",
                        first.name(),
                        first.isNumber() ? List.of() : values,
                        xs,
                        lines(metric, values)))
                .toList();
    }

    private List<Chart.Line> lines(String metric, List<String> values) {
        Map<String, Double[]> lines = new LinkedHashMap<>();
        for (Row row : rows) {
            String others = sweep.label(row.point(), 1, ", ");
            lines.computeIfAbsent(others.isEmpty() ? metric : others, name -> new Double[values.size()])[
                            values.indexOf(row.point().values().get(0))] =
                    row.metrics().get(metric);
        }
        return lines.entrySet().stream()
                .map(line -> new Chart.Line(line.getKey(), Arrays.asList(line.getValue())))
                .toList();
    }
}
