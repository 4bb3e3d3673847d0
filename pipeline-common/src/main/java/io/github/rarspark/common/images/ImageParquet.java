package io.github.rarspark.common.images;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rarspark.common.shard.ParquetFooter;
import io.github.rarspark.common.shard.ParquetFooter.RowGroup;
import io.github.rarspark.common.shard.ParquetShard;
import io.github.rarspark.common.shard.RowCodec;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.StoredFile;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.avro.generic.GenericRecord;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import shaded.parquet.org.apache.thrift.protocol.TProtocolException;

/**
 * Parquet files in the layout of image data sets on the Hugging Face hub: a column {@code image} of {@code bytes} and
 * {@code path}, and an integer column {@code label}, whose names stand in the footer under {@value #FEATURES_KEY}.
 *
 * @param classNames the class names in the first file; empty if it has none
 * @param files the files, sorted by name
 * @param warnings what the listing leaves out
 */
record ImageParquet(List<String> classNames, List<File> files, List<String> warnings) implements ImageSource {
    private static final String FEATURES_KEY = "huggingface";
    private static final String IMAGE = "image";
    private static final String BYTES = "bytes";
    private static final String LABEL = "label";

    static ImageParquet of(Storage storage, List<StoredFile> stored, List<String> warnings) throws IOException {
        List<File> files = new ArrayList<>();
        for (StoredFile file : stored) {
            ParquetFooter footer = ParquetFooter.read(storage, file.path());
            requireLayout(footer.schema(), file.path());
            files.add(new File(file, footer));
        }
        ParquetFooter first = files.get(0).footer();
        return new ImageParquet(classNames(first, stored.get(0).path()), List.copyOf(files), warnings);
    }

    /** Whether a file of this name is read as Parquet. */
    static boolean isParquet(String name) {
        return name.endsWith(".parquet");
    }

    @Override
    public String sha256() {
        StringBuilder listing = new StringBuilder("parquet\n");
        for (File file : files) {
            listing.append(file.stored().name())
                    .append('\0')
                    .append(file.stored().bytes());
            listing.append('\0').append(file.footer().rows());
            listing.append('\0')
                    .append(new TreeMap<>(file.footer().keyValues()))
                    .append('\n');
        }
        return Sha256.of(listing.toString().getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public long images() {
        return files.stream().mapToLong(file -> file.footer().rows()).sum();
    }

    @Override
    public List<ImageUnit> units(int imagesPerUnit) {
        List<ImageUnit> units = new ArrayList<>();
        for (File file : files) {
            long rows = file.footer().rows();
            for (long first = 0; first < rows; first += imagesPerUnit) {
                units.add(file.rows(first, Math.min(imagesPerUnit, rows - first)));
            }
        }
        return units;
    }

    private static void requireLayout(MessageType schema, String path) {
        if (!isBytes(schema) || !isLabel(schema)) {
            throw new DataException("Cannot read images from " + path
                    + ": expected a column image with a field bytes, and an integer column label; its columns are "
                    + schema.getFields().stream().map(Type::getName).toList());
        }
    }

    private static boolean isBytes(MessageType schema) {
        if (!schema.containsField(IMAGE) || schema.getType(IMAGE).isPrimitive()) {
            return false;
        }
        var image = schema.getType(IMAGE).asGroupType();
        return image.containsField(BYTES) && hasType(image.getType(BYTES), PrimitiveTypeName.BINARY);
    }

    private static boolean isLabel(MessageType schema) {
        return schema.containsField(LABEL)
                && (hasType(schema.getType(LABEL), PrimitiveTypeName.INT64)
                        || hasType(schema.getType(LABEL), PrimitiveTypeName.INT32));
    }

    private static boolean hasType(Type type, PrimitiveTypeName name) {
        return type instanceof PrimitiveType primitive
                && primitive.getPrimitiveTypeName() == name
                && !primitive.isRepetition(Type.Repetition.REPEATED);
    }

    private static List<String> classNames(ParquetFooter footer, String path) {
        String features = footer.keyValues().get(FEATURES_KEY);
        List<String> names = new ArrayList<>();
        if (features != null) {
            JsonNode root = Json.read(
                    features.getBytes(StandardCharsets.UTF_8),
                    JsonNode.class,
                    "the key " + FEATURES_KEY + " of " + path);
            root.at("/info/features/label/names").forEach(name -> names.add(name.asText()));
        }
        return List.copyOf(names);
    }

    /** A file and what its footer says. */
    record File(StoredFile stored, ParquetFooter footer) {
        /** The rows [first, first + count), with the row groups that hold them. */
        Rows rows(long first, long count) {
            List<RowGroup> groups = footer.rowGroups().stream()
                    .filter(group -> group.firstRow() < first + count && first < group.firstRow() + group.rows())
                    .toList();
            RowGroup start = groups.get(0);
            RowGroup end = groups.get(groups.size() - 1);
            return new Rows(
                    stored.path(),
                    stored.name(),
                    first,
                    count,
                    first - start.firstRow(),
                    start.startByte(),
                    end.startByte() + end.bytes());
        }
    }

    /** Rows of a file: {@code images} rows from row {@code first}, behind {@code skip} other rows of the byte range. */
    private record Rows(String path, String name, long first, long images, long skip, long startByte, long endByte)
            implements ImageUnit {
        @Override
        public void read(Storage storage, Sink sink) throws IOException {
            MessageType schema = ParquetFooter.read(storage, path).schema();
            MessageType wanted = new MessageType(schema.getName(), schema.getType(IMAGE), schema.getType(LABEL));
            try (ParquetReader<GenericRecord> rows = ParquetShard.read(storage, path, wanted, startByte, endByte)) {
                for (long i = first - skip; i < first; i++) {
                    next(rows, i);
                }
                for (long i = first; i < first + images; i++) {
                    GenericRecord row = next(rows, i);
                    sink.accept(image(name + "#" + i, row));
                }
            }
        }

        private GenericRecord next(ParquetReader<GenericRecord> rows, long index) throws IOException {
            GenericRecord row;
            try {
                row = rows.read();
            } catch (RuntimeException e) {
                // Parquet's decoders do not validate, so corrupt pages cause exceptions of any type.
                throw damaged(index, e);
            } catch (IOException e) {
                if (e.getCause() instanceof TProtocolException) {
                    throw damaged(index, e);
                }
                throw e;
            }
            if (row == null) {
                throw new DataException("Cannot read " + path + ": it has fewer rows than when it was listed");
            }
            return row;
        }

        private DataException damaged(long index, Exception cause) {
            return new DataException("Cannot read row " + index + " of " + path + ": the file is corrupt", cause);
        }

        private static StoredImage image(String id, GenericRecord row) {
            Object label = row.get(LABEL);
            long value = label == null ? -1 : ((Number) label).longValue();
            return value == (int) value
                    ? StoredImage.of(id, (int) value, bytes(row))
                    : new StoredImage.Unreadable(id, -1, "its label " + value + " is not a class");
        }

        private static byte[] bytes(GenericRecord row) {
            Object image = row.get(IMAGE);
            return image == null ? new byte[0] : RowCodec.bytes((GenericRecord) image, BYTES);
        }
    }
}
