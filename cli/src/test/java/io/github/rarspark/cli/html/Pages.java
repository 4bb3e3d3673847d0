package io.github.rarspark.cli.html;

import java.io.StringReader;
import java.util.List;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

/** Takes apart the pages that {@link HtmlPage} makes. */
public final class Pages {
    private static final Pattern SCRIPT = Pattern.compile("(?s)<script[^>]*>(.*?)</script>");
    private static final Pattern RAW = Pattern.compile("(?s)<(script|style)[^>]*>.*?</\\1>");

    private Pages() {}

    /**
     * The elements of a page, without scripts and styles.
     *
     * @throws org.xml.sax.SAXException if the page is not well-formed
     */
    public static Document parse(String html) throws Exception {
        String xml = RAW.matcher(html).replaceAll("").replace("<!DOCTYPE html>", "");
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(xml.strip())));
    }

    /** The content of each script, as a browser reads it. */
    public static List<String> scripts(String html) {
        return SCRIPT.matcher(html).results().map(match -> match.group(1)).toList();
    }

    /** The values of an attribute. */
    public static List<String> attributes(String html, String name) {
        return Pattern.compile(" " + name + "=\"([^\"]*)\"")
                .matcher(RAW.matcher(html).replaceAll(""))
                .results()
                .map(match -> match.group(1))
                .toList();
    }
}
