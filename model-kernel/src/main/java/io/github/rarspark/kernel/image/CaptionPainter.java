package io.github.rarspark.kernel.image;

import java.awt.AWTError;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Draws lines of text into an image, with Java's sans-serif font. */
final class CaptionPainter implements AutoCloseable {
    /** Pixels that a line takes. */
    static final int LINE = 14;

    private static final Logger LOG = LoggerFactory.getLogger(CaptionPainter.class);
    private static final int FONT_SIZE = 11;
    private static final String CUT = "…";

    private final Graphics2D graphics;
    private boolean works = true;

    private CaptionPainter(Graphics2D graphics) {
        this.graphics = graphics;
    }

    /** Draws into the pixels of {@code image}. */
    static CaptionPainter on(RgbImage image) {
        Graphics2D graphics = PngEncoder.view(image).createGraphics();
        graphics.setColor(Color.BLACK);
        graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, FONT_SIZE));
        return new CaptionPainter(graphics);
    }

    /** Draws one line, cut to a width, from its top left corner. */
    void draw(String text, int left, int top, int width) {
        if (!works) {
            return;
        }
        try {
            FontMetrics metrics = graphics.getFontMetrics();
            String shown = text;
            for (int end = text.length() - 1; end >= 0 && metrics.stringWidth(shown) > width; end--) {
                shown = text.substring(0, end) + CUT;
            }
            graphics.drawString(shown, left, top + metrics.getAscent());
        } catch (RuntimeException | LinkageError | InternalError | AWTError e) {
            // What Java throws without fontconfig or without any font; a grid without captions is better than none.
            LOG.warn("Cannot draw captions: this Java installation has no fonts", e);
            works = false;
        }
    }

    @Override
    public void close() {
        graphics.dispose();
    }
}
