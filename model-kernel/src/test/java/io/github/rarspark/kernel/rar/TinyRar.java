package io.github.rarspark.kernel.rar;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.weights.Init;
import io.github.rarspark.kernel.weights.NamedTensors;
import java.util.stream.IntStream;

/** A tiny RAR model none of whose weights is zero, so that each of them matters, and data for it. */
final class TinyRar implements AutoCloseable {
    static final int TOKENS = 64;
    static final int CODES = 32;
    static final int CLASSES = 7;

    final NDManager manager;
    final RarConfig config;
    final NamedTensors weights;
    final RarModel model;

    TinyRar(RarConfig config) {
        this(config, Engine.getEngine("PyTorch").defaultDevice());
    }

    TinyRar(RarConfig config, Device device) {
        this.manager = NDManager.newBaseManager(device);
        this.config = config;
        this.weights = NamedTensors.create(config.parameters(), manager, spec -> {
            RandomStream random = RandomStream.of(1, Purpose.INITIAL_WEIGHTS, RandomStream.hash(spec.name()));
            float[] values = Init.uniform(0.3).draw(Math.toIntExact(spec.shape().size()), random);
            if (spec.name().matches(".*norm\\d?\\.weight")) {
                for (int i = 0; i < values.length; i++) {
                    values[i]++;
                }
            }
            return values;
        });
        this.model = new RarModel(config, weights);
    }

    static RarConfig config(Conditioning conditioning, boolean targetAware) {
        return new RarConfig(16, 2, 2, 24, TOKENS, CODES, CLASSES, conditioning, targetAware);
    }

    static TinyRar adaln() {
        return new TinyRar(config(Conditioning.ADALN, true));
    }

    static TinyRar plain() {
        return new TinyRar(config(Conditioning.PLAIN, true));
    }

    /** Raster tokens {@code [rows][T]} that depend on the row. */
    static long[][] tokens(int rows) {
        return IntStream.range(0, rows)
                .mapToObj(row -> {
                    RandomStream random = RandomStream.of(2, Purpose.SPLIT, row);
                    return IntStream.range(0, TOKENS)
                            .mapToLong(t -> random.nextInt(CODES))
                            .toArray();
                })
                .toArray(long[][]::new);
    }

    /** Raster order for each row. */
    static int[][] raster(int rows) {
        int[] order = ScanOrder.ROW_MAJOR.of(TOKENS);
        return IntStream.range(0, rows).mapToObj(row -> order).toArray(int[][]::new);
    }

    /** Another random order for each row. */
    static int[][] shuffled(int rows) {
        return IntStream.range(0, rows)
                .mapToObj(row -> RandomStream.of(3, Purpose.SPLIT, row).nextPermutation(TOKENS))
                .toArray(int[][]::new);
    }

    /** A batch in random orders, with the classes 0, 1, ... and at last no class. */
    RarBatch batch(int rows) {
        long[] conditions = IntStream.range(0, rows)
                .mapToLong(row -> row == rows - 1
                        ? config.space().noClass()
                        : config.space().classId(row % CLASSES))
                .toArray();
        return RarBatch.ordered(tokens(rows), shuffled(rows), conditions);
    }

    @Override
    public void close() {
        weights.close();
        manager.close();
    }
}
