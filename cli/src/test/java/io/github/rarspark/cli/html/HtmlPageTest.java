package io.github.rarspark.cli.html;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.html.HtmlPage.Cell;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class HtmlPageTest {
    private static final String HOSTILE = "a < b && \"c\" </script><script>alert(1)</script>";

    private static final Chart CHART = new Chart(
            HOSTILE,
            "order",
            List.of("row-major", "spiral-in"),
            List.of(0.0, 1.0),
            List.of(
                    new Chart.Line("temperature=1", Arrays.asList(2.5, null)),
                    new Chart.Line("2", List.of(1.0, 1 / 0.0))));

    private static HtmlPage page() {
        return new HtmlPage(HOSTILE).heading(HOSTILE).paragraph(HOSTILE).preformatted(HOSTILE);
    }

    @Test
    void textIsTextAndThePageIsWellFormed() throws Exception {
        String html = page().list(List.of(HOSTILE))
                .picture(HOSTILE, png(1, 2))
                .table(List.of(HOSTILE), List.of(List.of(Cell.of(HOSTILE), Cell.picture(HOSTILE, png(1, 2), "a&b"))))
                .chart(CHART)
                .html();
        Document document = Pages.parse(html);
        for (String element : List.of("title", "h1", "h2", "p", "pre", "li", "th")) {
            assertThat(document.getElementsByTagName(element).item(0).getTextContent())
                    .as(element)
                    .isEqualTo(HOSTILE);
        }
        assertThat(((Element) document.getElementsByTagName("img").item(0)).getAttribute("alt"))
                .isEqualTo(HOSTILE);
        assertThat(((Element) document.getElementsByTagName("a").item(0)).getAttribute("href"))
                .isEqualTo("a&b");
        assertThat(Pages.scripts(html)).as("uPlot, the data, and what draws it").hasSize(3);
    }

    @Test
    void aBrowserLoadsNothing() throws Exception {
        String html = page().picture("red", png(1, 2)).chart(CHART).html();
        assertThat(Pages.attributes(html, "src")).singleElement().asString().startsWith("data:image/png;base64,");
        assertThat(html).doesNotContain("<link", "@import", "url(");
        assertThat(Pages.scripts(html).get(0))
                .contains("Copyright (c) 2022 Leon Sorokin", "var uPlot=function()")
                .doesNotContain("fetch(", "XMLHttpRequest", "import(");
    }

    @Test
    void onlyAPageWithChartsHasTheLibrary() {
        assertThat(page().html()).doesNotContain("<script", "uplot");
    }

    @Test
    void dataOfAChartIsJson() {
        Chart read = Json.read(
                Pages.scripts(page().chart(CHART).html()).get(1).getBytes(StandardCharsets.UTF_8),
                Chart.class,
                "the page");
        assertThat(read).isEqualTo(CHART);
        assertThat(read.lines().get(1).values()).containsExactly(1.0, null);
    }

    @Test
    void numbersHaveFourDigits() {
        assertThat(page().table(List.of(), List.of(List.of(Cell.of(12.345678), Cell.best(0.00012345678))))
                        .html())
                .contains("<tr><td>12.35</td><td class=\"best\">0.0001235</td></tr>");
    }

    @Test
    void aLargePictureIsShownSmaller() throws Exception {
        byte[] pixels = new byte[3 * 1500 * 600];
        new Random(1).nextBytes(pixels);
        for (int i = 0; i < pixels.length; i += 3) {
            pixels[i] = (byte) 230;
            pixels[i + 2] &= 15;
        }
        byte[] png = PngEncoder.encode(new RgbImage(1500, 600, pixels));
        String uri =
                Pages.attributes(page().picture("noise", png).html(), "src").get(0);
        assertThat(uri).startsWith("data:image/jpeg;base64,").hasSizeLessThan(png.length / 2);
        RgbImage shown =
                new ImageDecoder().decode(Base64.getDecoder().decode(uri.substring(uri.indexOf(',') + 1)), "shown");
        assertThat(shown.width()).isEqualTo(1000);
        assertThat(shown.height()).isEqualTo(400);
        int[] sums = new int[3];
        for (int i = 0; i < shown.pixels().length; i++) {
            sums[i % 3] += shown.pixels()[i] & 0xff;
        }
        assertThat(sums[0] / 400_000).as("mean red").isBetween(205, 245);
        assertThat(sums[1] / 400_000).as("mean green").isBetween(115, 140);
        assertThat(sums[2] / 400_000).as("mean blue").isLessThan(40);
    }

    private static byte[] png(int width, int height) {
        return PngEncoder.encode(new RgbImage(width, height, new byte[3 * width * height]));
    }
}
