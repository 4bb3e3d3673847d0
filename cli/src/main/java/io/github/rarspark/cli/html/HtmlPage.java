package io.github.rarspark.cli.html;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.storage.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * Builds a page of results, from top to bottom. The page is one file: pictures, data and the library that draws the
 * charts (<a href="https://github.com/leeoniya/uPlot">uPlot</a>) are in it, and a browser loads nothing else.
 */
public final class HtmlPage {
    private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/";

    private final String title;
    private final StringBuilder body = new StringBuilder();
    private boolean hasCharts;

    /** An empty page with a title. */
    public HtmlPage(String title) {
        this.title = title;
        element("h1", title);
    }

    /** Adds a heading. */
    public HtmlPage heading(String text) {
        return element("h2", text);
    }

    /** Adds a paragraph. */
    public HtmlPage paragraph(String text) {
        return element("p", text);
    }

    /** Adds text whose lines stay as they are. */
    public HtmlPage preformatted(String text) {
        return element("pre", text);
    }

    /** Adds a list; nothing if it is empty. */
    public HtmlPage list(List<String> items) {
        if (!items.isEmpty()) {
            body.append("<ul>\n");
            items.forEach(item -> element("li", item));
            body.append("</ul>\n");
        }
        return this;
    }

    /**
     * Adds a picture as wide as the page.
     *
     * @param alternative what it shows
     * @param png a PNG file; of a large one the page shows a smaller copy
     */
    public HtmlPage picture(String alternative, byte[] png) throws IOException {
        body.append(image(alternative, png)).append('\n');
        return this;
    }

    /** A cell of a table. */
    public static final class Cell {
        private final String html;

        private Cell(String html) {
            this.html = html;
        }

        /** A text. */
        public static Cell of(String text) {
            return new Cell("<td>" + escape(text) + "</td>");
        }

        /** A number with four digits. */
        public static Cell of(double number) {
            return of(digits(number));
        }

        /** A number with four digits that stands out from its column. */
        public static Cell best(double number) {
            return new Cell("<td class=\"best\">" + digits(number) + "</td>");
        }

        /**
         * A picture, as {@link HtmlPage#picture} takes it.
         *
         * @param link where the file is, relative to the page
         */
        public static Cell picture(String alternative, byte[] png, String link) throws IOException {
            return new Cell("<td><a href=\"" + escape(link) + "\">" + image(alternative, png) + "</a></td>");
        }

        private static String digits(double number) {
            return String.format(Locale.ROOT, "%.4g", number);
        }
    }

    /**
     * Adds a table.
     *
     * @param columns names of the columns; none if the table needs no head
     */
    public HtmlPage table(List<String> columns, List<List<Cell>> rows) {
        body.append("<table>\n");
        if (!columns.isEmpty()) {
            body.append("<tr>");
            columns.forEach(column -> body.append("<th>").append(escape(column)).append("</th>"));
            body.append("</tr>\n");
        }
        rows.forEach(row -> {
            body.append("<tr>");
            row.forEach(cell -> body.append(cell.html));
            body.append("</tr>\n");
        });
        body.append("</table>\n");
        return this;
    }

    /** Adds a chart. */
    public HtmlPage chart(Chart chart) {
        hasCharts = true;
        body.append("<figure class=\"chart\"><script type=\"application/json\">")
                // Nothing in a script may look like its end.
                .append(Json.line(chart).replace("<", "\\u003c"))
                .append("</script></figure>\n");
        return this;
    }

    /** The page as text. */
    public String html() {
        StringBuilder page = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"/>")
                .append("<title>")
                .append(escape(title))
                .append("</title>\n<style>\n")
                .append(resource("page.css"))
                .append("</style>\n");
        if (hasCharts) {
            page.append("<style>\n")
                    .append(resource(UPLOT + "dist/uPlot.min.css"))
                    .append("\n</style>\n<script>\n/*! uPlot\n")
                    .append(resource(UPLOT + "LICENSE"))
                    .append("\n*/\n")
                    .append(resource(UPLOT + "dist/uPlot.iife.min.js"))
                    .append("\n</script>\n");
        }
        page.append("</head>\n<body>\n").append(body);
        if (hasCharts) {
            page.append("<script>\n").append(resource("charts.js")).append("</script>\n");
        }
        return page.append("</body>\n</html>\n").toString();
    }

    private HtmlPage element(String name, String text) {
        body.append('<').append(name).append('>').append(escape(text));
        body.append("</").append(name).append(">\n");
        return this;
    }

    private static String image(String alternative, byte[] png) throws IOException {
        return "<img alt=\"" + escape(alternative) + "\" src=\"" + Picture.uri(png) + "\"/>";
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private static String resource(String name) {
        try (InputStream in = HtmlPage.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new JobException(
                        ExitCode.INTERNAL, "Cannot find " + name + " in the jar: build it from a complete clone");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new JobException(ExitCode.INTERNAL, "Cannot read " + name + " in the jar", e);
        }
    }
}
