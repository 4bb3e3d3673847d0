package io.github.rarspark.common.shard;

import io.github.rarspark.common.storage.ExistingObject;
import io.github.rarspark.common.storage.HashingStream;
import io.github.rarspark.common.storage.Sha256;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.storage.Stored;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.avro.AvroReadSupport;
import org.apache.parquet.avro.AvroSchemaConverter;
import org.apache.parquet.avro.AvroWriteSupport;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.schema.MessageType;

/**
 * One Parquet file of a job's output. Equal records give equal bytes. The footer's key-value metadata carries {@value
 * #PLAN_KEY}, the hash of the plan, and {@value #DATA_BYTES_KEY} and {@value #DATA_SHA256_KEY}, length and hash of
 * everything up to the last data page.
 */
public final class ParquetShard {
    /** Footer key of the plan's hash. */
    public static final String PLAN_KEY = "rarspark.plan_sha256";

    /** Footer key of the length of the data part. */
    public static final String DATA_BYTES_KEY = "rarspark.data_bytes";

    /** Footer key of the data part's hash. */
    public static final String DATA_SHA256_KEY = "rarspark.data_sha256";

    private static final CompressionCodecName CODEC = CompressionCodecName.ZSTD;
    private static final long ROW_GROUP_BYTES = 64L << 20;

    private ParquetShard() {}

    /** Receives the records of a shard, in order. */
    @FunctionalInterface
    public interface Sink {
        /** Adds one record. */
        void add(GenericRecord row) throws IOException;
    }

    /** Produces the records of a shard. */
    @FunctionalInterface
    public interface Rows {
        /** Passes every record to {@code sink}. */
        void writeTo(Sink sink) throws IOException;
    }

    /** The Avro schema of the records that {@code type} stores; lists have three levels. */
    public static Schema avroSchema(MessageType type) {
        return new AvroSchemaConverter(listConfiguration()).convert(type);
    }

    /** {@linkplain #write(Storage, String, MessageType, String, Rows, Supplier) Writes} a shard without more keys. */
    public static ShardReceipt write(Storage storage, String path, MessageType type, String planSha256, Rows rows)
            throws IOException {
        return write(storage, path, type, planSha256, rows, Map::of);
    }

    /**
     * Writes a shard whole, or not at all if {@code rows} throws. A finished and undamaged shard of the same plan is
     * never replaced: a task that comes late, of this attempt or an earlier one, takes the receipt of the one that is
     * there, which may be listed in a manifest already. (On an object store it may be replaced at the very moment of its
     * completion.)
     *
     * @param keyValues more for the footer; asked for after the last record
     */
    public static ShardReceipt write(
            Storage storage,
            String path,
            MessageType type,
            String planSha256,
            Rows rows,
            Supplier<Map<String, String>> keyValues)
            throws IOException {
        long[] count = new long[1];
        AtomicReference<ShardReceipt> earlier = new AtomicReference<>();
        ExistingObject finished = there -> {
            Optional<ShardReceipt> receipt = inspect(storage, there, planSha256);
            receipt.ifPresent(earlier::set);
            return receipt.isPresent();
        };
        Optional<Stored> stored = storage.putUnless(path, finished, out -> {
            StreamOutputFile file = new StreamOutputFile(out);
            try (ParquetWriter<GenericRecord> writer = new Builder(
                            file, () -> new SealingWriteSupport(type, file, out, planSha256, keyValues))
                    .withConf(listConfiguration())
                    .withCompressionCodec(CODEC)
                    .withRowGroupSize(ROW_GROUP_BYTES)
                    .build()) {
                rows.writeTo(row -> {
                    writer.write(row);
                    count[0]++;
                });
            }
        });
        return stored.map(file -> new ShardReceipt(Storage.name(path), count[0], file.bytes(), file.sha256()))
                .orElseGet(earlier::get);
    }

    /** A reader of the records of a Parquet file, ours or another's; the caller closes it. */
    public static ParquetReader<GenericRecord> read(Storage storage, String path) throws IOException {
        return read(new StorageInputFile(storage, path));
    }

    /** A reader of the records of a Parquet file with this content. */
    static ParquetReader<GenericRecord> read(byte[] content) throws IOException {
        return read(new ContentInputFile(content));
    }

    private static ParquetReader<GenericRecord> read(InputFile file) throws IOException {
        return new ReaderBuilder(file).withConf(listConfiguration()).build();
    }

    /** The schema of a Parquet file. */
    public static MessageType schema(Storage storage, String path) throws IOException {
        return ParquetFooter.read(storage, path).schema();
    }

    /**
     * The number of records of a Parquet file, from its footer.
     *
     * @throws DataException if it is not a Parquet file
     */
    public static long rows(Storage storage, String path) throws IOException {
        return ParquetFooter.read(storage, path).rows();
    }

    /**
     * A reader of some columns and row groups of a Parquet file; the caller closes it.
     *
     * @param columns the columns, as the file's schema has them
     * @param startByte where the first wanted row group begins
     * @param endByte where the last wanted row group ends
     */
    public static ParquetReader<GenericRecord> read(
            Storage storage, String path, MessageType columns, long startByte, long endByte) throws IOException {
        Configuration configuration = listConfiguration();
        Schema schema = avroSchema(columns);
        AvroReadSupport.setRequestedProjection(configuration, schema);
        AvroReadSupport.setAvroReadSchema(configuration, schema);
        return new ReaderBuilder(new StorageInputFile(storage, path))
                .withConf(configuration)
                .withFileRange(startByte, endByte)
                .build();
    }

    /**
     * The receipt of the shard at {@code path} if it was finished under this plan and is intact; reads the whole file.
     * Empty if the file is corrupt or belongs to another plan.
     */
    public static Optional<ShardReceipt> inspect(Storage storage, String path, String planSha256) throws IOException {
        ParquetFooter footer;
        try {
            footer = ParquetFooter.read(storage, path);
        } catch (DataException e) {
            return Optional.empty();
        }
        Map<String, String> keys = footer.keyValues();
        if (!planSha256.equals(keys.get(PLAN_KEY)) || !keys.containsKey(DATA_BYTES_KEY)) {
            return Optional.empty();
        }
        MessageDigest digest = Sha256.digest();
        long bytes;
        String data;
        try (InputStream in = storage.open(path)) {
            bytes = Sha256.update(digest, in, Long.parseLong(keys.get(DATA_BYTES_KEY)));
            data = peek(digest);
            bytes += Sha256.update(digest, in, Long.MAX_VALUE);
        }
        if (!data.equals(keys.get(DATA_SHA256_KEY))) {
            return Optional.empty();
        }
        return Optional.of(new ShardReceipt(
                Storage.name(path), footer.rows(), bytes, HexFormat.of().formatHex(digest.digest())));
    }

    private static String peek(MessageDigest digest) {
        try {
            return HexFormat.of().formatHex(((MessageDigest) digest.clone()).digest());
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("The SHA-256 of the JDK can be cloned", e);
        }
    }

    private static Configuration listConfiguration() {
        Configuration configuration = new Configuration(false);
        configuration.setBoolean(AvroWriteSupport.WRITE_OLD_LIST_STRUCTURE, false);
        configuration.setBoolean(AvroSchemaConverter.ADD_LIST_ELEMENT_RECORDS, false);
        return configuration;
    }

    private static final class Builder extends ParquetWriter.Builder<GenericRecord, Builder> {
        private final Supplier<SealingWriteSupport> support;

        Builder(StreamOutputFile file, Supplier<SealingWriteSupport> support) {
            super(file);
            this.support = support;
        }

        @Override
        protected Builder self() {
            return this;
        }

        @Override
        protected WriteSupport<GenericRecord> getWriteSupport(Configuration configuration) {
            return support.get();
        }
    }

    /** Adds plan and checksum to the footer; Parquet asks for them when all data pages are written. */
    private static final class SealingWriteSupport extends AvroWriteSupport<GenericRecord> {
        private final StreamOutputFile file;
        private final HashingStream stream;
        private final String planSha256;
        private final Supplier<Map<String, String>> more;

        SealingWriteSupport(
                MessageType type,
                StreamOutputFile file,
                HashingStream stream,
                String planSha256,
                Supplier<Map<String, String>> more) {
            super(type, avroSchema(type), GenericData.get());
            this.file = file;
            this.stream = stream;
            this.planSha256 = planSha256;
            this.more = more;
        }

        @Override
        public FinalizedWriteContext finalizeWrite() {
            file.completeData();
            Map<String, String> keys = new HashMap<>(more.get());
            keys.put(PLAN_KEY, planSha256);
            keys.put(DATA_BYTES_KEY, Long.toString(stream.bytes()));
            keys.put(DATA_SHA256_KEY, stream.sha256());
            return new FinalizedWriteContext(keys);
        }
    }

    private static final class ReaderBuilder extends ParquetReader.Builder<GenericRecord> {
        ReaderBuilder(InputFile file) {
            super(file);
        }

        @Override
        protected ReadSupport<GenericRecord> getReadSupport() {
            return new AvroReadSupport<>(GenericData.get());
        }
    }
}
