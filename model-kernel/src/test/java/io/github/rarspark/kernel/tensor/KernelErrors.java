package io.github.rarspark.kernel.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How far operations with kernels of their own are from the sequences of libtorch's operations that they stand for, in
 * float64 or as near as these have it. A program, so that it can run under an environment that limits the instruction set.
 */
final class KernelErrors {
    /** Below, at and between the widths of registers, and those of the released models' heads and streams. */
    static final int[] WIDTHS = {1, 5, 16, 32, 48, 80, 88, 100, 768};

    /** Channels of images: of the narrowest tokenizer, and one that is not a power of two. */
    static final int[] CHANNELS = {32, 96, 512};

    private static final int ROWS = 3;
    private static final int HEADS = 2;
    private static final int CAPACITY = 70;
    private static final double EPS = 1e-6;

    private final TensorScope s;
    private final int width;
    private final DataType type;
    private final RandomStream random;

    private KernelErrors(TensorScope s, int width, DataType type) {
        this.s = s;
        this.width = width;
        this.type = type;
        this.random = RandomStream.of(1, Purpose.SPLIT, width);
    }

    /** Prints the instruction set, then a line for each operation. */
    public static void main(String[] arguments) {
        System.out.println(TensorScope.instructionSet());
        all().forEach((name, error) -> System.out.println(name + " " + error));
    }

    /** The largest error of each operation, type and width, relative to the largest value. */
    static Map<String, Double> all() {
        Map<String, Double> errors = new TreeMap<>();
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.BFLOAT16}) {
            for (int width : WIDTHS) {
                try (NDManager manager = NDManager.newBaseManager();
                        TensorScope s = TensorScope.inference(manager)) {
                    KernelErrors of = new KernelErrors(s, width, type);
                    String suffix = " " + type + " " + width;
                    errors.put("norm" + suffix, of.norm(false));
                    errors.put("modulated norm" + suffix, of.norm(true));
                    errors.put("activated sums" + suffix, of.activatedSums());
                    errors.put("residual" + suffix, of.residual(false));
                    errors.put("gated residual" + suffix, of.residual(true));
                    errors.put("attention" + suffix, of.attention());
                }
            }
        }
        for (int channels : CHANNELS) {
            try (NDManager manager = NDManager.newBaseManager();
                    TensorScope s = TensorScope.inference(manager)) {
                KernelErrors of = new KernelErrors(s, channels, DataType.FLOAT32);
                errors.put("group norm " + channels, of.groupNormSilu());
            }
        }
        return errors;
    }

    private NDArray normal(double scale, long... shape) {
        float[] values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (scale * random.nextGaussian());
        }
        return s.floats(values, shape);
    }

    /** Five modulations of two conditions at four positions, of which rows 0 and 2 read the second. */
    private ModulationRows modulations() {
        return new ModulationRows(s.to(normal(1, 2, 4, 5L * width), type), s.longs(new long[] {1, 0, 1}, ROWS), 2);
    }

    private NDArray chunk(ModulationRows modulation, int index) {
        NDArray at = s.narrow(modulation.table_UPM(), 1, modulation.position(), 1);
        NDArray chunk = s.narrow(at, 2, (long) index * width, width);
        return s.to(s.indexSelect(chunk, 0, modulation.conditionOfRow_R()), DataType.FLOAT64);
    }

    private double norm(boolean modulated) {
        NDArray x = s.affine(normal(3, ROWS, 1, width), 1, 5);
        Norm norm = modulated ? new Norm(null, null, EPS) : new Norm(normal(1, width), normal(1, width), EPS);
        ModulationRows modulation = modulated ? modulations() : ModulationRows.NONE;
        NDArray y = s.modulatedNorm(x, norm, type, modulation, 3, 1);
        NDArray expected = s.layerNorm(wide(x), wide(norm.weight()), wide(norm.bias()), EPS);
        return error(y, modulated ? s.modulate(expected, chunk(modulation, 3), chunk(modulation, 1)) : expected);
    }

    private double activatedSums() {
        NDArray a = normal(10, ROWS, width);
        NDArray b = normal(10, 2, width);
        NDArray sums = s.add(s.reshape(wide(a), ROWS, 1, width), wide(b));
        return error(s.activatedSums(a, b, type), s.silu(sums));
    }

    private double residual(boolean gated) {
        NDArray x = normal(3, ROWS, 1, width);
        NDArray branch = s.to(normal(1, ROWS, 1, width), type);
        ModulationRows modulation = gated ? modulations() : ModulationRows.NONE;
        NDArray y = s.modulatedResidual(x, branch, modulation, 4);
        NDArray wideBranch = wide(branch);
        return error(y, gated ? s.addGated(wide(x), chunk(modulation, 4), wideBranch) : s.add(wide(x), wideBranch));
    }

    /** The error of the last of 69 positions, each of which the operation appended. */
    private double attention() {
        Norm qNorm = new Norm(normal(1, width), normal(1, width), EPS);
        Norm kNorm = new Norm(normal(1, width), normal(1, width), EPS);
        NDArray keys = s.to(s.zeros(ROWS, HEADS, CAPACITY, width), type);
        NDArray values = s.to(s.zeros(ROWS, HEADS, CAPACITY, width), type);
        int length = CAPACITY - 1;
        NDArray all = s.to(normal(2, ROWS, length, 3L * HEADS * width), type);
        NDArray y = null;
        for (int i = 0; i < length; i++) {
            NDArray qkv = s.reshape(s.narrow(all, 1, i, 1), ROWS, 1, -1);
            y = s.attendCached(qkv, qNorm, kNorm, keys, values, i);
        }
        NDArray heads = s.permute(s.reshape(wide(all), ROWS, length, 3L * HEADS, width), 0, 2, 1, 3);
        List<NDArray> qkv = s.split(heads, 1, 3);
        NDArray q = s.layerNorm(s.narrow(qkv.get(0), 2, length - 1, 1), wide(qNorm.weight()), wide(qNorm.bias()), EPS);
        NDArray k = s.layerNorm(qkv.get(1), wide(kNorm.weight()), wide(kNorm.bias()), EPS);
        NDArray scores = s.affine(s.matmul(q, s.permute(k, 0, 1, 3, 2)), 1 / Math.sqrt(width), 0);
        NDArray expected = s.matmul(s.softmax(scores), qkv.get(2));
        return error(y, s.reshape(s.permute(expected, 0, 2, 1, 3), ROWS, 1, -1));
    }

    /** Of images with more pixels than a thread sums up at a time, whose mean is far from zero. */
    private double groupNormSilu() {
        NDArray x = s.channelsLast(s.affine(normal(3, 2, width, 37, 41), 1, 20));
        NDArray weight = normal(1, width);
        NDArray bias = normal(1, width);
        NDArray y = s.groupNormSilu(x, 32, weight, bias, EPS);
        return error(s.reshape(y, -1), s.reshape(s.silu(s.groupNorm(wide(x), 32, wide(weight), wide(bias), EPS)), -1));
    }

    private NDArray wide(NDArray x) {
        return x == null ? null : s.to(x, DataType.FLOAT64);
    }

    private double error(NDArray actual, NDArray expected) {
        double[] a = wide(actual).toDoubleArray();
        double[] e = expected.toDoubleArray();
        if (a.length != e.length) {
            throw new IllegalStateException(a.length + " values instead of " + e.length);
        }
        double largest = 0;
        double error = 0;
        for (int i = 0; i < a.length; i++) {
            largest = Math.max(largest, Math.abs(e[i]));
            error = Double.isNaN(a[i]) ? Double.NaN : Math.max(error, Math.abs(a[i] - e[i]));
        }
        return error / largest;
    }
}
