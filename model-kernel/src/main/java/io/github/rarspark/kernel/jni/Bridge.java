package io.github.rarspark.kernel.jni;

/**
 * The native functions of the bridge to libtorch, as the C++ sources declare them. A {@code long} that stands for a
 * tensor is a {@code torch::Tensor*} owned by a DJL array; zero stands for an absent optional tensor. Every failure in
 * libtorch is a {@link io.github.rarspark.kernel.error.NativeException}, every failure to reach another rank a {@link
 * io.github.rarspark.kernel.error.CommunicationException}, with the first line of its message.
 *
 * <p>Only the packages {@code tensor}, {@code dist} and {@code optim} call these.
 */
public final class Bridge {
    static {
        BridgeLibrary.load();
    }

    private Bridge() {}

    // bridge.cc
    public static native String sourceHash();

    public static native long liveHandles();

    public static native void setIntraOpThreads(int threads);

    public static native int intraOpThreads();

    public static native boolean setGradMode(boolean on);

    public static native void setDeterministic(boolean on);

    public static native boolean isDeterministic();

    public static native boolean autocastEnter(boolean cuda);

    public static native void autocastExit(boolean cuda, boolean before);

    // ops.cc
    public static native long add(long x, long y);

    public static native long subtract(long x, long y);

    public static native long multiply(long x, long y);

    public static native long affine(long x, double factor, double offset);

    public static native long modulate(long x, long shift, long scale);

    public static native long addGated(long x, long gate, long y);

    public static native long clamp(long x, double low, double high);

    public static native long relu(long x);

    public static native long gelu(long x);

    public static native long silu(long x);

    public static native long layerNorm(long x, long weight, long bias, double eps);

    public static native long groupNorm(long x, int groups, long weight, long bias, double eps);

    public static native long linear(long x, long weight, long bias);

    public static native long conv2d(
            long x, long weight, long bias, long stride, long paddingHeight, long paddingWidth);

    public static native long averagePool(long x, long size, long stride, long padding);

    public static native long maxPool(long x, long size, long stride, long padding);

    public static native long upsampleNearest2(long x);

    public static native long matmul(long x, long y);

    public static native long channelsLast(long x);

    public static native long embedding(long weight, long ids);

    public static native long crossEntropy(long logits, long targets);

    public static native long attention(long q, long k, long v, boolean causal);

    public static native long reshape(long x, long[] shape);

    public static native long expand(long x, long[] shape);

    public static native long permute(long x, long[] axes);

    public static native long concatenate(long[] parts, long axis);

    public static native long narrow(long x, long axis, long start, long length);

    public static native long[] split(long x, long axis, long parts);

    public static native long indexSelect(long x, long axis, long indices);

    public static native void copy(long target, long source);

    public static native long detach(long x);

    public static native long to(long x, int scalarType);

    public static native long softmax(long x);

    public static native long sum(long x, long[] axes);

    public static native long mean(long x, long[] axes);

    public static native long argMin(long x, long axis);

    public static native long argMax(long x, long axis);

    public static native long sampleCategories(long probabilities, long uniforms);

    public static native long gradient(long x);

    public static native void backward(long output, long gradient);

    public static native long[] eigenSymmetric(long matrix);

    public static native long singularValues(long matrix);

    // dropout.cc
    public static native long dropout(long x, double p, long[] keys);

    public static native long attentionWithDropout(long q, long k, long v, double p, long[] keys);

    // optimizer.cc
    public static native void adamW(
            long[] parameters,
            long[] averages,
            long[] squares,
            long[] steps,
            long step,
            double lr,
            double beta1,
            double beta2,
            double eps,
            double decay);

    public static native double clipGradientNorm(long[] parameters, double limit);

    public static native void zeroGradients(long[] parameters);

    public static native void requireGradients(long[] parameters);

    // collectives.cc
    public static native long storeServe(String host, long timeoutMillis);

    public static native long storeConnect(String host, int port, long timeoutMillis);

    public static native int storePort(long store);

    public static native void storeClose(long store);

    public static native long groupCreate(long store, int rank, int worldSize, String host, long timeoutMillis);

    public static native void groupAllReduceSum(long group, long target);

    public static native void groupBroadcast(long group, long[] targets, int root);

    public static native void groupBarrier(long group);

    public static native void groupClose(long group);

    public static native long reducerCreate(long group, long[] parameters, long bucketBytes);

    public static native void reducerPrepare(long reducer);

    public static native void reducerClose(long reducer);
}
