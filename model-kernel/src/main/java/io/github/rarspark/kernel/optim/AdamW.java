package io.github.rarspark.kernel.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.jni.Bridge;
import io.github.rarspark.kernel.tensor.Handles;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * AdamW with decoupled weight decay (Loshchilov and Hutter, 2019) on a named list of float32 parameters, in libtorch's
 * fused kernel. The moments live in the optimizer's own manager until it closes.
 */
public final class AdamW implements AutoCloseable {
    /**
     * The constants of the update.
     *
     * @param beta1 decay of the first moment
     * @param beta2 decay of the second moment
     * @param eps added to the root of the second moment
     * @param weightDecay decay of the parameters that decay, per unit of learning rate
     * @param maxGradientNorm the norm over all gradients is scaled down to this
     */
    public record Settings(double beta1, double beta2, double eps, double weightDecay, double maxGradientNorm) {}

    private final Settings settings;
    private final NDManager manager;
    private final Map<String, NDArray> parameters;
    private final Map<String, NDArray> firstMoments = new LinkedHashMap<>();
    private final Map<String, NDArray> secondMoments = new LinkedHashMap<>();
    private final Group decayed;
    private final Group undecayed;
    private long step;

    /** The native addresses of the parameters that share a weight decay. */
    private record Group(long[] parameters, long[] firstMoments, long[] secondMoments, long[] steps, double decay) {}

    /**
     * An optimizer whose moments are zero.
     *
     * @param parameters in the order in which gradients are reduced; owned by the caller and open as long as this
     * @param decays which names the weight decay applies to
     */
    public AdamW(NDManager parent, Map<String, NDArray> parameters, Predicate<String> decays, Settings settings) {
        this.settings = settings;
        this.parameters = new LinkedHashMap<>(parameters);
        this.manager = parent.newSubManager();
        parameters.forEach((name, parameter) -> {
            firstMoments.put(name, manager.zeros(parameter.getShape(), DataType.FLOAT32));
            secondMoments.put(name, manager.zeros(parameter.getShape(), DataType.FLOAT32));
        });
        this.decayed = group(decays, settings.weightDecay());
        this.undecayed = group(decays.negate(), 0);
        this.manager.cap();
    }

    private Group group(Predicate<String> members, double decay) {
        String[] names = parameters.keySet().stream().filter(members).toArray(String[]::new);
        long[][] handles = new long[4][names.length];
        for (int i = 0; i < names.length; i++) {
            handles[0][i] = Handles.of(parameters.get(names[i]));
            handles[1][i] = Handles.of(firstMoments.get(names[i]));
            handles[2][i] = Handles.of(secondMoments.get(names[i]));
            handles[3][i] = Handles.of(manager.zeros(new Shape(), DataType.FLOAT32));
        }
        return new Group(handles[0], handles[1], handles[2], handles[3], decay);
    }

    /** Sets all gradients to zero. */
    public void zeroGradients() {
        Bridge.zeroGradients(Handles.of(parameters.values()));
    }

    /** Scales the gradients down to the maximal norm; returns the norm they had. */
    public double clipGradients() {
        return Bridge.clipGradientNorm(Handles.of(parameters.values()), settings.maxGradientNorm());
    }

    /** Updates every parameter from its gradient. */
    public void step(double learningRate) {
        step++;
        for (Group group : new Group[] {decayed, undecayed}) {
            if (group.parameters.length > 0) {
                Bridge.adamW(
                        group.parameters,
                        group.firstMoments,
                        group.secondMoments,
                        group.steps,
                        step,
                        learningRate,
                        settings.beta1(),
                        settings.beta2(),
                        settings.eps(),
                        group.decay);
            }
        }
    }

    /** How many updates were made. */
    public long steps() {
        return step;
    }

    /** The exponential averages of the gradients, by parameter name; owned by the optimizer. */
    public Map<String, NDArray> firstMoments() {
        return firstMoments;
    }

    /** The exponential averages of the squared gradients, by parameter name; owned by the optimizer. */
    public Map<String, NDArray> secondMoments() {
        return secondMoments;
    }

    /** Goes on as after {@code steps} updates; the caller has filled the moments. */
    public void resumeAt(long steps) {
        step = steps;
    }

    @Override
    public void close() {
        manager.close();
    }
}
