package io.github.rarspark.cli.sweep;

import io.github.rarspark.cli.html.HtmlPage;
import io.github.rarspark.cli.html.HtmlPage.Cell;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The page of a sweep: charts, and the table with a picture of each point. */
final class SweepPage {
    private SweepPage() {}

    static String html(SweepTable table, SweepLayout layout, Recipe recipe, List<String> warnings, Storage storage)
            throws IOException {
        String keys =
                table.sweep().axes().stream().map(axis -> axis.key().name()).collect(Collectors.joining(", "));
        List<String> columns = new ArrayList<>(table.columns());
        columns.add("first images");
        List<List<Cell>> rows = new ArrayList<>();
        for (SweepTable.Row row : table.rows()) {
            rows.add(cells(table, row, layout, storage));
        }
        HtmlPage page = new HtmlPage("Sweep of " + keys)
                .paragraph("Images of " + recipe.generate().weights() + ", compared with "
                        + recipe.fid().reference() + " by features of "
                        + recipe.fid().features()
                        + ". The best values are green.")
                .list(warnings);
        table.charts().forEach(page::chart);
        return page.table(columns, rows)
                .heading("Recipe of the first row")
                .preformatted(recipe.toYaml())
                .html();
    }

    private static List<Cell> cells(SweepTable table, SweepTable.Row row, SweepLayout layout, Storage storage)
            throws IOException {
        List<Cell> cells = new ArrayList<>();
        row.point().values().forEach(value -> cells.add(Cell.of(value)));
        cells.add(Cell.of(Long.toString(row.images())));
        for (String metric : table.metrics()) {
            Double value = row.metrics().get(metric);
            cells.add(value == null ? Cell.of("") : table.isBest(row, metric) ? Cell.best(value) : Cell.of(value));
        }
        String grid = layout.grid(row.point());
        cells.add(Cell.picture(
                "images of " + table.sweep().label(row.point(), 0, ", "), storage.readBytes(layout.path(grid)), grid));
        return cells;
    }
}
