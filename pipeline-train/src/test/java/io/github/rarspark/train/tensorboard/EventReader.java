package io.github.rarspark.train.tensorboard;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Reads event files by the published formats, with none of the code that writes them. */
public final class EventReader {
    private static final int POLYNOMIAL = 0x82F63B78;

    private EventReader() {}

    /**
     * A value of a summary.
     *
     * @param scalar if it is one, else NaN
     * @param content PNG of an image, UTF-8 of a text, else empty
     */
    public record Value(long step, String tag, double scalar, byte[] content) {
        /** The content as text. */
        public String text() {
            return new String(content, StandardCharsets.UTF_8);
        }
    }

    /**
     * An event.
     *
     * @param version of a file's first event, else empty
     * @param start whether a session starts
     */
    public record Event(double time, long step, String version, boolean start, List<Value> values) {}

    /** The events of all files in a folder, in the order of their names. */
    public static List<Event> folder(Path folder) throws IOException {
        List<Event> events = new ArrayList<>();
        for (String name : names(folder)) {
            events.addAll(file(folder.resolve(name)));
        }
        return events;
    }

    /** The names of the event files in a folder, in their order. */
    public static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.contains("tfevents") && !name.endsWith(".crc"))
                    .sorted()
                    .toList();
        }
    }

    /** The values of a tag, in the order of reading. */
    public static List<Value> values(List<Event> events, String tag) {
        return events.stream()
                .flatMap(event -> event.values().stream())
                .filter(value -> value.tag().equals(tag))
                .toList();
    }

    /** The events of a file. */
    public static List<Event> file(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<Event> events = new ArrayList<>();
        while (bytes.hasRemaining()) {
            byte[] length = take(bytes, Long.BYTES);
            requireChecksum(length, bytes.getInt());
            byte[] data = take(bytes, Math.toIntExact(little(length).getLong()));
            requireChecksum(data, bytes.getInt());
            events.add(event(data));
        }
        return events;
    }

    private static void requireChecksum(byte[] data, int masked) {
        int unmasked = Integer.rotateLeft(masked - 0xa282ead8, 15);
        if (unmasked != crc32c(data)) {
            throw new IllegalStateException("A checksum does not match");
        }
    }

    /** CRC-32C, bit by bit. */
    static int crc32c(byte[] data) {
        int crc = ~0;
        for (byte value : data) {
            crc ^= value & 0xff;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 1) == 0 ? crc >>> 1 : crc >>> 1 ^ POLYNOMIAL;
            }
        }
        return ~crc;
    }

    private static Event event(byte[] data) {
        Fields event = Fields.parse(data);
        long step = event.integer(2);
        List<Value> values = event.messages(5).stream()
                .flatMap(summary -> summary.messages(1).stream())
                .map(value -> value(step, value))
                .toList();
        boolean start = event.messages(7).stream().anyMatch(session -> session.integer(1) == 1);
        return new Event(Double.longBitsToDouble(event.integer(1)), step, new String(event.bytes(3)), start, values);
    }

    private static Value value(long step, Fields value) {
        String tag = new String(value.bytes(1), StandardCharsets.UTF_8);
        if (value.has(2)) {
            return new Value(step, tag, Float.intBitsToFloat((int) value.integer(2)), new byte[0]);
        }
        Fields content = value.messages(value.has(4) ? 4 : 8).get(0);
        return new Value(step, tag, Double.NaN, content.bytes(value.has(4) ? 4 : 8));
    }

    /** The fields of a message by number: numbers as bits in a Long, everything else as bytes. */
    private record Fields(Map<Integer, List<Object>> all) {
        static Fields parse(byte[] data) {
            ByteBuffer in = little(data);
            Map<Integer, List<Object>> all = new TreeMap<>();
            while (in.hasRemaining()) {
                int key = (int) varint(in);
                Object value =
                        switch (key & 7) {
                            case 0 -> varint(in);
                            case 1 -> in.getLong();
                            case 2 -> take(in, (int) varint(in));
                            case 5 -> (long) in.getInt();
                            default -> throw new IllegalStateException("No wire type: " + (key & 7));
                        };
                all.computeIfAbsent(key >>> 3, number -> new ArrayList<>()).add(value);
            }
            return new Fields(all);
        }

        boolean has(int number) {
            return all.containsKey(number);
        }

        long integer(int number) {
            return (Long) all.getOrDefault(number, List.of(0L)).get(0);
        }

        byte[] bytes(int number) {
            return (byte[]) all.getOrDefault(number, List.of(new byte[0])).get(0);
        }

        List<Fields> messages(int number) {
            return all.getOrDefault(number, List.of()).stream()
                    .map(value -> parse((byte[]) value))
                    .toList();
        }
    }

    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = in.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }

    private static byte[] take(ByteBuffer in, int length) {
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
