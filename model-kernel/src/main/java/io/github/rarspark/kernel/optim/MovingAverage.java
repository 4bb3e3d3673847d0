package io.github.rarspark.kernel.optim;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.weights.NamedTensors;

/**
 * The exponential moving average of a model's parameters: {@code average = decay * average + (1 - decay) * parameter}
 * after each update, beginning at the parameters themselves.
 */
public final class MovingAverage implements AutoCloseable {
    private final NamedTensors parameters;
    private final NamedTensors averages;
    private final double decay;

    /**
     * Begins at the present values.
     *
     * @param parent of the averages' manager
     * @param parameters float32, owned by the caller, who keeps them open while the average is in use
     * @param decay in [0, 1)
     */
    public MovingAverage(NDManager parent, NamedTensors parameters, double decay) {
        this.parameters = parameters;
        this.averages = parameters.copyTo(parent);
        this.decay = decay;
    }

    /** Takes in the parameters after an update. */
    public void update() {
        update(
                Handles.of(averages.asMap().values()),
                Handles.of(parameters.asMap().values()),
                1 - decay);
    }

    /** The averages by the names of their parameters; owned by this object. */
    public NamedTensors averages() {
        return averages;
    }

    @Override
    public void close() {
        averages.close();
    }

    private static native void update(long[] averages, long[] parameters, double weight);
}
