package io.github.rarspark.cli.demo;

import io.github.rarspark.common.shard.StreamOutputFile;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.PngEncoder;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.example.GroupWriteSupport;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/**
 * Turns the Fashion-MNIST data set from gzipped IDX files into one Parquet file of PNG images and labels, in the layout
 * of the Hugging Face hub: {@code image: {bytes, path}, label}, with the class names in the footer's key {@code
 * huggingface}. The same input gives the same bytes.
 */
public final class FashionMnist {
    /** The classes, in the order of their labels. */
    public static final List<String> CLASS_NAMES = List.of(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot");

    private static final MessageType SCHEMA = MessageTypeParser.parseMessageType(
            """
            message images {
              optional group image {
                optional binary bytes;
                optional binary path (STRING);
              }
              optional int64 label;
            }
            """);
    private static final String FEATURES = CLASS_NAMES.stream()
            .map(name -> "\"" + name + "\"")
            .collect(Collectors.joining(
                    ", ",
                    "{\"info\": {\"features\": {\"image\": {\"_type\": \"Image\"}, \"label\": {\"names\": [",
                    "], \"_type\": \"ClassLabel\"}}}}"));
    private static final int IMAGES = 0x803;
    private static final int LABELS = 0x801;
    /** About 500 images: small enough for a few cores to share one file. */
    private static final long ROW_GROUP_BYTES = 256L << 10;

    private FashionMnist() {}

    /** Converts one split: {@code FashionMnist IMAGES.gz LABELS.gz OUTPUT.parquet}, each a file or Hadoop URI. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 3) {
            throw new IllegalArgumentException("Usage: FashionMnist IMAGES.gz LABELS.gz OUTPUT.parquet");
        }
        int count = convert(new Storage(new Configuration()), arguments[0], arguments[1], arguments[2]);
        System.out.println("Wrote " + count + " images to " + arguments[2]);
    }

    /**
     * Converts one split and returns its number of images.
     *
     * @throws DataException if the files are not IDX files with as many images as labels
     */
    public static int convert(Storage storage, String images, String labels, String output) throws IOException {
        try (DataInputStream pixels = open(storage, images);
                DataInputStream classes = open(storage, labels)) {
            int count = count(pixels, IMAGES, images);
            int height = pixels.readInt();
            int width = pixels.readInt();
            if (height <= 0 || width <= 0 || height > 1024 || width > 1024) {
                throw new DataException("Cannot read " + images + ": it claims images of " + width + " x " + height);
            }
            int labelCount = count(classes, LABELS, labels);
            if (labelCount != count) {
                throw new DataException("Cannot read " + labels + ": it has " + labelCount + " labels, but " + images
                        + " has " + count + " images");
            }
            storage.put(output, out -> {
                try (ParquetWriter<Group> writer = new Builder(new StreamOutputFile(out))
                        .withRowGroupSize(ROW_GROUP_BYTES)
                        .withDictionaryEncoding(false)
                        .build()) {
                    for (int i = 0; i < count; i++) {
                        byte[] image = new byte[width * height];
                        pixels.readFully(image);
                        writer.write(row(i, PngEncoder.encodeGray(width, height, image), label(classes, labels)));
                    }
                }
            });
            return count;
        } catch (EOFException e) {
            throw new DataException("Cannot read " + images + " and " + labels + ": one of them is truncated", e);
        }
    }

    private static DataInputStream open(Storage storage, String path) throws IOException {
        InputStream file = storage.open(path);
        try {
            return new DataInputStream(new GZIPInputStream(file, 1 << 16));
        } catch (IOException e) {
            file.close();
            throw new DataException("Cannot read " + path + ": it is not gzipped", e);
        }
    }

    private static int count(DataInputStream in, int kind, String path) throws IOException {
        int magic = in.readInt();
        if (magic != kind) {
            throw new DataException(String.format(
                    Locale.ROOT,
                    "Cannot read %s: it starts with %08x instead of %08x; give the gzipped IDX file",
                    path,
                    magic,
                    kind));
        }
        return in.readInt();
    }

    private static int label(DataInputStream classes, String path) throws IOException {
        int label = classes.readUnsignedByte();
        if (label >= CLASS_NAMES.size()) {
            throw new DataException("Cannot read " + path + ": label " + label + " is out of range, there are "
                    + CLASS_NAMES.size() + " classes");
        }
        return label;
    }

    private static Group row(int index, byte[] png, int label) {
        Group row = new SimpleGroupFactory(SCHEMA).newGroup();
        row.addGroup("image")
                .append("bytes", Binary.fromConstantByteArray(png))
                .append("path", String.format(Locale.ROOT, "%05d.png", index));
        return row.append("label", (long) label);
    }

    private static final class Builder extends ParquetWriter.Builder<Group, Builder> {
        private final StreamOutputFile file;

        Builder(StreamOutputFile file) {
            super(file);
            this.file = file;
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        protected WriteSupport<Group> getWriteSupport(Configuration configuration) {
            GroupWriteSupport.setSchema(SCHEMA, configuration);
            return new GroupWriteSupport() {
                @Override
                public FinalizedWriteContext finalizeWrite() {
                    file.completeData();
                    return new FinalizedWriteContext(Map.of("huggingface", FEATURES));
                }
            };
        }
    }
}
