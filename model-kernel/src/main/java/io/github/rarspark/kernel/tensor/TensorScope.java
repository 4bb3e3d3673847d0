package io.github.rarspark.kernel.tensor;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.jni.Bridge;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * Owns the tensors of one step and computes them: every result belongs to the scope whose method made it and is freed
 * when the scope closes. {@link #keep} hands one result on to the enclosing scope.
 *
 * <p>A scope also says whether operations are recorded for differentiation, on the calling thread and until it closes.
 * Scopes nest; a scope is used and closed by the thread that opened it.
 */
public final class TensorScope implements AutoCloseable {
    private final NDManager manager;
    private final NDManager parent;
    private final boolean recordedBefore;

    private TensorScope(NDManager parent, boolean record) {
        this.parent = parent;
        this.manager = parent.newSubManager();
        this.recordedBefore = Bridge.setGradMode(record);
    }

    /** A scope below {@code parent} in which nothing is recorded for differentiation. */
    public static TensorScope inference(NDManager parent) {
        return new TensorScope(parent, false);
    }

    /** A scope below {@code parent} in which operations on tensors that require gradients are recorded. */
    public static TensorScope training(NDManager parent) {
        return new TensorScope(parent, true);
    }

    /** A scope inside this one, with the same recording. */
    public TensorScope open() {
        boolean recording = Bridge.setGradMode(true);
        Bridge.setGradMode(recording);
        return new TensorScope(manager, recording);
    }

    /** Hands {@code array} to the enclosing scope, so that it outlives this one; returns it. */
    public NDArray keep(NDArray array) {
        array.attach(parent);
        return array;
    }

    /** The manager that owns this scope's tensors. */
    public NDManager manager() {
        return manager;
    }

    /** The device that this scope's own tensors are made on. */
    public Device device() {
        return manager.getDevice();
    }

    @Override
    public void close() {
        Bridge.setGradMode(recordedBefore);
        manager.close();
    }

    private NDArray own(long handle) {
        return Handles.adopt(manager, handle);
    }

    private List<NDArray> own(long[] handles) {
        return Arrays.stream(handles).mapToObj(this::own).toList();
    }

    private static long at(NDArray array) {
        return Handles.of(array);
    }

    // ---- new tensors ----

    /** A float32 tensor of the given values, row-major. */
    public NDArray floats(float[] values, long... shape) {
        return manager.create(values, new Shape(shape));
    }

    /** A float64 tensor of the given values, row-major. */
    public NDArray doubles(double[] values, long... shape) {
        return manager.create(values, new Shape(shape));
    }

    /** An int64 tensor of the given values, row-major. */
    public NDArray longs(long[] values, long... shape) {
        return manager.create(values, new Shape(shape));
    }

    /** A uint8 tensor of the given values, row-major. */
    public NDArray bytes(byte[] values, long... shape) {
        return manager.create(ByteBuffer.wrap(values), new Shape(shape), DataType.UINT8);
    }

    /** A float32 tensor of zeros. */
    public NDArray zeros(long... shape) {
        return manager.zeros(new Shape(shape), DataType.FLOAT32);
    }

    // ---- elementwise, with broadcasting ----

    /** x + y. */
    public NDArray add(NDArray x, NDArray y) {
        return own(Bridge.add(at(x), at(y)));
    }

    /** x - y. */
    public NDArray subtract(NDArray x, NDArray y) {
        return own(Bridge.subtract(at(x), at(y)));
    }

    /** x * y. */
    public NDArray multiply(NDArray x, NDArray y) {
        return own(Bridge.multiply(at(x), at(y)));
    }

    /** x * factor + offset. */
    public NDArray affine(NDArray x, double factor, double offset) {
        return own(Bridge.affine(at(x), factor, offset));
    }

    /** x * (1 + scale) + shift. */
    public NDArray modulate(NDArray x, NDArray shift, NDArray scale) {
        return own(Bridge.modulate(at(x), at(shift), at(scale)));
    }

    /** x + gate * y. */
    public NDArray addGated(NDArray x, NDArray gate, NDArray y) {
        return own(Bridge.addGated(at(x), at(gate), at(y)));
    }

    /** x limited to [low, high]. */
    public NDArray clamp(NDArray x, double low, double high) {
        return own(Bridge.clamp(at(x), low, high));
    }

    /** max(x, 0). */
    public NDArray relu(NDArray x) {
        return own(Bridge.relu(at(x)));
    }

    /** The exact (erf) GELU. */
    public NDArray gelu(NDArray x) {
        return own(Bridge.gelu(at(x)));
    }

    /** x * sigmoid(x). */
    public NDArray silu(NDArray x) {
        return own(Bridge.silu(at(x)));
    }

    // ---- layers ----

    /** x [..., in] times weight [out, in] transposed, plus bias [out] unless null. */
    public NDArray linear(NDArray x, NDArray weight, NDArray bias) {
        return own(Bridge.linear(at(x), at(weight), Handles.ofNullable(bias)));
    }

    /** Layer normalization over the last axis; weight and bias [D], or both null for none. */
    public NDArray layerNorm(NDArray x, NDArray weight, NDArray bias, double eps) {
        return own(Bridge.layerNorm(at(x), Handles.ofNullable(weight), Handles.ofNullable(bias), eps));
    }

    /** Group normalization of x [B, C, H, W]; weight and bias [C]. */
    public NDArray groupNorm(NDArray x, int groups, NDArray weight, NDArray bias, double eps) {
        return own(Bridge.groupNorm(at(x), groups, at(weight), at(bias), eps));
    }

    /** Convolution of x [B, C, H, W] with weight [K, C, h, w] and bias [K] unless null; zeros all around. */
    public NDArray conv2d(NDArray x, NDArray weight, NDArray bias, int stride, int padding) {
        return conv2d(x, weight, bias, stride, padding, padding);
    }

    /** As {@link #conv2d(NDArray, NDArray, NDArray, int, int)}, with zeros above and below, left and right. */
    public NDArray conv2d(NDArray x, NDArray weight, NDArray bias, int stride, int paddingHeight, int paddingWidth) {
        return own(Bridge.conv2d(at(x), at(weight), Handles.ofNullable(bias), stride, paddingHeight, paddingWidth));
    }

    /** Means of x [B, C, H, W] over squares; what the padding adds does not count. */
    public NDArray averagePool(NDArray x, int size, int stride, int padding) {
        return own(Bridge.averagePool(at(x), size, stride, padding));
    }

    /** Maxima of x [B, C, H, W] over squares; what the padding adds does not count. */
    public NDArray maxPool(NDArray x, int size, int stride, int padding) {
        return own(Bridge.maxPool(at(x), size, stride, padding));
    }

    /** Nearest-neighbour enlargement of x [B, C, H, W] by two. */
    public NDArray upsampleNearest2(NDArray x) {
        return own(Bridge.upsampleNearest2(at(x)));
    }

    /** Rows of weight [K, D] at int64 ids [...]: [..., D]. */
    public NDArray embedding(NDArray weight, NDArray ids) {
        return own(Bridge.embedding(at(weight), at(ids)));
    }

    /** Scaled dot-product attention of q, k, v [B, N, S, H], scale 1/sqrt(H); causal or over all keys. */
    public NDArray attention(NDArray q, NDArray k, NDArray v, boolean causal) {
        return own(Bridge.attention(at(q), at(k), at(v), causal));
    }

    /** Causal attention with dropout on the attention weights; row b draws its mask from the stream keys[b]. */
    public NDArray attentionWithDropout(NDArray q, NDArray k, NDArray v, double rate, long[] keys) {
        return own(Bridge.attentionWithDropout(at(q), at(k), at(v), rate, keys));
    }

    /** x with elements zeroed at the given rate and the others scaled by 1/(1-rate); row b draws from keys[b]. */
    public NDArray dropout(NDArray x, double rate, long[] keys) {
        return own(Bridge.dropout(at(x), rate, keys));
    }

    /** Mean cross-entropy in float32 of logits [R, V] against int64 targets [R]; a scalar. */
    public NDArray crossEntropy(NDArray logits, NDArray targets) {
        return own(Bridge.crossEntropy(at(logits), at(targets)));
    }

    // ---- products, reductions ----

    /** Matrix product over the last two axes. */
    public NDArray matmul(NDArray x, NDArray y) {
        return own(Bridge.matmul(at(x), at(y)));
    }

    /** Softmax over the last axis. */
    public NDArray softmax(NDArray x) {
        return own(Bridge.softmax(at(x)));
    }

    /** The sum over the given axes, which are dropped. */
    public NDArray sum(NDArray x, long... axes) {
        return own(Bridge.sum(at(x), axes));
    }

    /** The mean over the given axes, which are dropped; over all of them if none is given. */
    public NDArray mean(NDArray x, long... axes) {
        return own(Bridge.mean(at(x), axes));
    }

    /** The index (int64) of the smallest entry along an axis; the first of equals. */
    public NDArray argMin(NDArray x, int axis) {
        return own(Bridge.argMin(at(x), axis));
    }

    /** The index (int64) of the largest entry along an axis; the first of equals. */
    public NDArray argMax(NDArray x, int axis) {
        return own(Bridge.argMax(at(x), axis));
    }

    // ---- shape ----

    /** The same entries in another shape; -1 for the extent that follows from the others. */
    public NDArray reshape(NDArray x, long... shape) {
        return own(Bridge.reshape(at(x), shape));
    }

    /** A view that repeats axes of extent 1; -1 keeps an extent. */
    public NDArray expand(NDArray x, long... shape) {
        return own(Bridge.expand(at(x), shape));
    }

    /** A view with the axes in another order. */
    public NDArray permute(NDArray x, long... axes) {
        return own(Bridge.permute(at(x), axes));
    }

    /** A view of {@code length} entries of an axis from {@code start}. */
    public NDArray narrow(NDArray x, int axis, long start, long length) {
        return own(Bridge.narrow(at(x), axis, start, length));
    }

    /**
     * An axis in equal parts, as views; a negative axis counts from the end. Their backward pass is one concatenation,
     * while that of {@link #narrow} fills a tensor of x's size for each part.
     *
     * @throws io.github.rarspark.kernel.error.NativeException if the parts cannot be equal
     */
    public List<NDArray> split(NDArray x, int axis, int parts) {
        return own(Bridge.split(at(x), axis, parts));
    }

    /** The entries of an axis at int64 indices [n], copied. */
    public NDArray indexSelect(NDArray x, int axis, NDArray indices) {
        return own(Bridge.indexSelect(at(x), axis, at(indices)));
    }

    /** The parts one after the other along an axis. */
    public NDArray concatenate(int axis, NDArray... parts) {
        return own(Bridge.concatenate(Handles.of(List.of(parts)), axis));
    }

    // ---- type and layout ----

    /** x without its history. */
    public NDArray detach(NDArray x) {
        return own(Bridge.detach(at(x)));
    }

    /** x in another type, bfloat16 too; a view if it has that type. DJL itself has no bfloat16. */
    public NDArray to(NDArray x, DataType type) {
        return own(Bridge.to(at(x), scalarType(type)));
    }

    /** The number of a type in libtorch's {@code c10::ScalarType}. */
    private static int scalarType(DataType type) {
        return switch (type) {
            case UINT8 -> 0;
            case INT32 -> 3;
            case INT64 -> 4;
            case FLOAT16 -> 5;
            case FLOAT32 -> 6;
            case FLOAT64 -> 7;
            case BOOLEAN -> 11;
            case BFLOAT16 -> 15;
            default -> throw new IllegalArgumentException("Cannot convert a tensor to " + type.name());
        };
    }

    /** x [B, C, H, W] with the channels innermost in memory, which libtorch's convolutions prefer on CPUs. */
    public NDArray channelsLast(NDArray x) {
        return own(Bridge.channelsLast(at(x)));
    }

    /** Overwrites the entries of {@code target}, which may be a view, with those of {@code source}. */
    public void copy(NDArray target, NDArray source) {
        Bridge.copy(at(target), at(source));
    }

    // ---- sampling ----

    /**
     * One category (int64 [R]) a row of probabilities [R, V], by inverting the cumulative distribution in float64 at
     * uniforms [R] in [0, 1).
     *
     * @throws io.github.rarspark.kernel.error.NativeException if a row's probabilities are not finite
     */
    public NDArray sampleCategories(NDArray probabilities, NDArray uniforms) {
        return own(Bridge.sampleCategories(at(probabilities), at(uniforms)));
    }

    // ---- gradients ----

    /** Marks leaves whose gradients {@link #backward} computes. */
    public static void requireGradients(Collection<NDArray> leaves) {
        Bridge.requireGradients(Handles.of(leaves));
    }

    /** Sets the gradients that exist to zero, in place. */
    public static void zeroGradients(Collection<NDArray> leaves) {
        Bridge.zeroGradients(Handles.of(leaves));
    }

    /** Adds the gradients of the scalar {@code loss} to those of the leaves it depends on. */
    public void backward(NDArray loss) {
        Bridge.backward(at(loss), 0);
    }

    /** As {@link #backward(NDArray)} for an output of any shape, from the gradient with respect to it. */
    public void backward(NDArray output, NDArray gradient) {
        Bridge.backward(at(output), at(gradient));
    }

    /**
     * The gradient of a leaf; it shares the leaf's gradient storage.
     *
     * @throws io.github.rarspark.kernel.error.NativeException if there is none
     */
    public NDArray gradient(NDArray leaf) {
        return own(Bridge.gradient(at(leaf)));
    }

    // ---- linear algebra ----

    /** Eigenvalues [n], ascending, and eigenvectors [n, n] in columns, of a symmetric matrix [n, n]. */
    public List<NDArray> eigenSymmetric(NDArray matrix) {
        return own(Bridge.eigenSymmetric(at(matrix)));
    }

    /** Singular values of a matrix [m, n], descending. */
    public NDArray singularValues(NDArray matrix) {
        return own(Bridge.singularValues(at(matrix)));
    }
}
