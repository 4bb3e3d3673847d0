package io.github.rarspark.cli.html;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A line chart.
 *
 * @param title above it
 * @param x name of the horizontal axis
 * @param ticks names of the values 0, 1, … of x; empty if x is a number
 * @param xs ascending
 * @param lines at least one, with a value for each x
 */
public record Chart(String title, String x, List<String> ticks, List<Double> xs, List<Line> lines) {

    /** Copies the lists. */
    public Chart {
        ticks = List.copyOf(ticks);
        xs = List.copyOf(xs);
        lines = List.copyOf(lines);
    }

    /**
     * A line of a chart.
     *
     * @param name in the legend
     * @param values null or not finite where there is none
     */
    public record Line(String name, List<Double> values) {
        /** Copies the list; values that JSON does not have become null. */
        public Line {
            List<Double> finite = new ArrayList<>(values);
            finite.replaceAll(value -> value == null || !Double.isFinite(value) ? null : value);
            values = Collections.unmodifiableList(finite);
        }
    }
}
