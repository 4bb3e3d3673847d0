package io.github.rarspark.train.tensorboard;

import java.time.Instant;
import java.util.Map;

/**
 * Encodes events: messages of TensorFlow's {@code event.proto} and {@code summary.proto}. Numbers of fields and values are
 * those files'.
 */
public final class Events {
    private static final double NANOS = 1e9;
    private static final int START = 1;
    private static final int RGB = 3;
    private static final int DT_STRING = 7;

    private Events() {}

    /** What a file begins with. */
    public static byte[] fileVersion(Instant time) {
        return new Message()
                .doubleValue(1, seconds(time))
                .string(3, "brain.Event:2")
                .encoded();
    }

    /** A training begins or resumes: what a reader has seen of {@code step} and later ones does not count any more. */
    public static byte[] sessionStart(Instant time, long step) {
        return event(time, step).message(7, new Message().integer(1, START)).encoded();
    }

    /** Numbers by tag. */
    public static byte[] scalars(Instant time, long step, Map<String, Double> values) {
        Message summary = new Message();
        values.forEach(
                (tag, value) -> summary.message(1, new Message().string(1, tag).floatValue(2, value.floatValue())));
        return event(time, step).message(5, summary).encoded();
    }

    /** PNG images of one size by tag. */
    public static byte[] images(Instant time, long step, int width, int height, Map<String, byte[]> pngs) {
        Message summary = new Message();
        pngs.forEach((tag, png) -> summary.message(
                1,
                new Message()
                        .string(1, tag)
                        .message(
                                4,
                                new Message()
                                        .integer(1, height)
                                        .integer(2, width)
                                        .integer(3, RGB)
                                        .bytes(4, png))));
        return event(time, step).message(5, summary).encoded();
    }

    /** A text, in Markdown. */
    public static byte[] text(Instant time, long step, String tag, String text) {
        Message plugin = new Message().string(1, "text");
        Message shape = new Message().message(2, new Message().integer(1, 1));
        Message tensor = new Message().integer(1, DT_STRING).message(2, shape).string(8, text);
        Message value = new Message()
                .string(1, tag)
                .message(9, new Message().message(1, plugin))
                .message(8, tensor);
        return event(time, step).message(5, new Message().message(1, value)).encoded();
    }

    private static Message event(Instant time, long step) {
        return new Message().doubleValue(1, seconds(time)).integer(2, step);
    }

    private static double seconds(Instant time) {
        return time.getEpochSecond() + time.getNano() / NANOS;
    }
}
