package io.github.rarspark.kernel.tensor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Arrays;
import java.util.List;

/**
 * Operations on tensors: elementwise, reductions, shapes, types, sampling and linear algebra. Every result belongs to
 * the scope. All are differentiable except sampling and linear algebra.
 */
abstract sealed class TensorOperations permits LayerOperations {
    TensorOperations() {
        NativeLibrary.load();
    }

    /** An array of this scope that owns the tensor at {@code handle}. */
    abstract NDArray own(long handle);

    private List<NDArray> own(long[] handles) {
        return Arrays.stream(handles).mapToObj(this::own).toList();
    }

    static long at(NDArray array) {
        return Handles.of(array);
    }

    // ---- elementwise, with broadcasting ----

    /** x + y. */
    public NDArray add(NDArray x, NDArray y) {
        return own(add(at(x), at(y)));
    }

    private static native long add(long x, long y);

    /** x - y. */
    public NDArray subtract(NDArray x, NDArray y) {
        return own(subtract(at(x), at(y)));
    }

    private static native long subtract(long x, long y);

    /** x * y. */
    public NDArray multiply(NDArray x, NDArray y) {
        return own(multiply(at(x), at(y)));
    }

    private static native long multiply(long x, long y);

    /** x * factor + offset. */
    public NDArray affine(NDArray x, double factor, double offset) {
        return own(affine(at(x), factor, offset));
    }

    private static native long affine(long x, double factor, double offset);

    /** x * (1 + scale) + shift. */
    public NDArray modulate(NDArray x, NDArray shift, NDArray scale) {
        return own(modulate(at(x), at(shift), at(scale)));
    }

    private static native long modulate(long x, long shift, long scale);

    /** x + gate * y. */
    public NDArray addGated(NDArray x, NDArray gate, NDArray y) {
        return own(addGated(at(x), at(gate), at(y)));
    }

    private static native long addGated(long x, long gate, long y);

    /** x clamped to [low, high]. */
    public NDArray clamp(NDArray x, double low, double high) {
        return own(clamp(at(x), low, high));
    }

    private static native long clamp(long x, double low, double high);

    // ---- products, reductions ----

    /** Matrix product over the last two axes. */
    public NDArray matmul(NDArray x, NDArray y) {
        return own(matmul(at(x), at(y)));
    }

    private static native long matmul(long x, long y);

    /** Softmax over the last axis. */
    public NDArray softmax(NDArray x) {
        return own(softmax(at(x)));
    }

    private static native long softmax(long x);

    /** The sum over the given axes, which are dropped. */
    public NDArray sum(NDArray x, long... axes) {
        return own(sum(at(x), axes));
    }

    private static native long sum(long x, long[] axes);

    /** The mean over the given axes, which are dropped; over all of them if none is given. */
    public NDArray mean(NDArray x, long... axes) {
        return own(mean(at(x), axes));
    }

    private static native long mean(long x, long[] axes);

    /** The index (int64) of the smallest entry along an axis; ties go to the first. */
    public NDArray argMin(NDArray x, int axis) {
        return own(argMin(at(x), axis));
    }

    private static native long argMin(long x, long axis);

    /** The index (int64) of the largest entry along an axis; ties go to the first. */
    public NDArray argMax(NDArray x, int axis) {
        return own(argMax(at(x), axis));
    }

    private static native long argMax(long x, long axis);

    // ---- shape ----

    /** The same entries in another shape; -1 for the extent to infer from the others. */
    public NDArray reshape(NDArray x, long... shape) {
        return own(reshape(at(x), shape));
    }

    private static native long reshape(long x, long[] shape);

    /** A view that repeats axes of extent 1; -1 keeps an extent. */
    public NDArray expand(NDArray x, long... shape) {
        return own(expand(at(x), shape));
    }

    private static native long expand(long x, long[] shape);

    /** A view with the axes in another order. */
    public NDArray permute(NDArray x, long... axes) {
        return own(permute(at(x), axes));
    }

    private static native long permute(long x, long[] axes);

    /** A view of {@code length} entries of an axis from {@code start}. */
    public NDArray narrow(NDArray x, int axis, long start, long length) {
        return own(narrow(at(x), axis, start, length));
    }

    private static native long narrow(long x, long axis, long start, long length);

    /**
     * An axis in equal parts, as views; a negative axis counts from the end. Their backward pass is one concatenation,
     * while that of {@link #narrow} fills a tensor of x's size for each part.
     *
     * @throws io.github.rarspark.kernel.error.NativeException if the axis cannot be divided equally
     */
    public List<NDArray> split(NDArray x, int axis, int parts) {
        return own(split(at(x), axis, parts));
    }

    private static native long[] split(long x, long axis, long parts);

    /** The entries of an axis at int64 indices [n], copied. */
    public NDArray indexSelect(NDArray x, int axis, NDArray indices) {
        return own(indexSelect(at(x), axis, at(indices)));
    }

    private static native long indexSelect(long x, long axis, long indices);

    /** Concatenates tensors along an axis. */
    public NDArray concatenate(int axis, NDArray... parts) {
        return own(concatenate(Handles.of(List.of(parts)), axis));
    }

    private static native long concatenate(long[] parts, long axis);

    // ---- type and layout ----

    /** x detached from the autograd graph. */
    public NDArray detach(NDArray x) {
        return own(detach(at(x)));
    }

    private static native long detach(long x);

    /**
     * x converted to another type, including bfloat16, which DJL itself does not support; a view if it already has that
     * type.
     */
    public NDArray to(NDArray x, DataType type) {
        return own(to(at(x), scalarType(type)));
    }

    private static native long to(long x, int scalarType);

    /** The value of a type in libtorch's {@code c10::ScalarType}. */
    static int scalarType(DataType type) {
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
        return own(channelsLast(at(x)));
    }

    private static native long channelsLast(long x);

    /** Overwrites the entries of {@code target}, which may be a view, with those of {@code source}. */
    public void copy(NDArray target, NDArray source) {
        copy(at(target), at(source));
    }

    private static native void copy(long target, long source);

    // ---- sampling ----

    /**
     * One category (int64 [R]) per row of probabilities [R, V], which sum up to about 1, by inverting the cumulative
     * distribution in float64 at uniforms [R] in [0, 1).
     *
     * @param totals float64 [R], to which the sums of the rows are added: not finite once a probability was not, which the
     *     host need not wait for at every draw
     */
    public NDArray sampleCategories(NDArray probabilities, NDArray uniforms, NDArray totals) {
        return own(sampleCategories(at(probabilities), at(uniforms), at(totals)));
    }

    private static native long sampleCategories(long probabilities, long uniforms, long totals);

    // ---- linear algebra ----

    /** Eigenvalues [n], ascending, and eigenvectors [n, n] in columns, of a symmetric matrix [n, n]. */
    public List<NDArray> eigenSymmetric(NDArray matrix) {
        return own(eigenSymmetric(at(matrix)));
    }

    private static native long[] eigenSymmetric(long matrix);

    /** Singular values of a matrix [m, n], descending. */
    public NDArray singularValues(NDArray matrix) {
        return own(singularValues(at(matrix)));
    }

    private static native long singularValues(long matrix);
}
