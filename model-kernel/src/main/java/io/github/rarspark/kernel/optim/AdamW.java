package io.github.rarspark.kernel.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.tensor.Handles;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * AdamW with decoupled weight decay (Loshchilov and Hutter, 2019) on a named list of float32 parameters, using
 * libtorch's fused kernel. The moments live in the optimizer's own manager and are freed when it is closed.
 */
public final class AdamW implements AutoCloseable {
    /**
     * The constants of the update.
     *
     * @param beta1 decay of the first moment
     * @param beta2 decay of the second moment
     * @param eps added to the square root of the second moment
     * @param weightDecay decoupled weight decay per unit of learning rate, for the parameters that decay
     * @param maxGradientNorm the largest norm over all gradients; larger ones are scaled down to it
     */
    public record Settings(double beta1, double beta2, double eps, double weightDecay, double maxGradientNorm) {}

    /** Added to the norm that gradients are divided by, as PyTorch's {@code clip_grad_norm_} does. */
    private static final double CLIP_EPS = 1e-6;

    private final Settings settings;
    private final NDManager manager;
    private final Map<String, NDArray> parameters;
    private final Map<String, NDArray> firstMoments = new LinkedHashMap<>();
    private final Map<String, NDArray> secondMoments = new LinkedHashMap<>();
    private final Group decayed;
    private final Group undecayed;
    private long step;

    /** The parameters that share a weight decay, and their moments. */
    private record Group(
            List<NDArray> parameters, List<NDArray> firstMoments, List<NDArray> secondMoments, double decay) {}

    /**
     * Creates an optimizer with zero moments.
     *
     * @param parameters in the order in which gradients are reduced; owned by the caller, who keeps them open while the
     *     optimizer is in use
     * @param decays selects the parameters, by name, that weight decay applies to
     */
    public AdamW(NDManager parent, Map<String, NDArray> parameters, Predicate<String> decays, Settings settings) {
        this.settings = settings;
        this.parameters = new LinkedHashMap<>(parameters);
        this.manager = parent.newSubManager();
        try (TensorScope s = TensorScope.inference(manager)) {
            parameters.forEach((name, parameter) -> {
                firstMoments.put(name, s.keep(s.zeros(parameter.getShape().getShape())));
                secondMoments.put(name, s.keep(s.zeros(parameter.getShape().getShape())));
            });
        } catch (RuntimeException | Error e) {
            manager.close();
            throw e;
        }
        this.decayed = group(decays, settings.weightDecay());
        this.undecayed = group(decays.negate(), 0);
        this.manager.cap();
    }

    private Group group(Predicate<String> members, double decay) {
        List<String> names = parameters.keySet().stream().filter(members).toList();
        return new Group(
                names.stream().map(parameters::get).toList(),
                names.stream().map(firstMoments::get).toList(),
                names.stream().map(secondMoments::get).toList(),
                decay);
    }

    /** Drops all gradients: the next backward pass begins anew. */
    public void dropGradients() {
        TensorScope.dropGradients(parameters.values());
    }

    /** The norm over all gradients. */
    public double gradientNorm() {
        return norm(Handles.of(parameters.values()));
    }

    /**
     * Updates every parameter from its gradient, scaled down to the maximum norm.
     *
     * @param gradientNorm of {@link #gradientNorm}
     */
    public void step(double learningRate, double gradientNorm) {
        step++;
        double divisor = Math.max(1, (gradientNorm + CLIP_EPS) / settings.maxGradientNorm());
        for (Group group : List.of(decayed, undecayed)) {
            if (!group.parameters.isEmpty()) {
                update(
                        Handles.of(group.parameters),
                        Handles.of(group.firstMoments),
                        Handles.of(group.secondMoments),
                        step,
                        divisor,
                        learningRate,
                        settings.beta1(),
                        settings.beta2(),
                        settings.eps(),
                        group.decay);
            }
        }
    }

    /** The number of updates made so far. */
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

    /** Resumes after {@code steps} updates; the caller has restored the moments. */
    public void resumeAt(long steps) {
        step = steps;
    }

    @Override
    public void close() {
        manager.close();
    }

    private static native double norm(long[] parameters);

    private static native void update(
            long[] parameters,
            long[] firstMoments,
            long[] secondMoments,
            long step,
            double divisor,
            double learningRate,
            double beta1,
            double beta2,
            double eps,
            double decay);
}
