package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.TensorScope;
import io.github.rarspark.kernel.weights.format.Text;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;

/** Tensors by name, in a fixed order, with their own manager, which close() frees. */
public final class NamedTensors implements AutoCloseable {
    private final NDManager manager;
    private final Map<String, NDArray> tensors;

    private NamedTensors(NDManager manager, Map<String, NDArray> tensors) {
        this.manager = manager;
        this.tensors = Collections.unmodifiableMap(tensors);
    }

    /**
     * Loads a model's weights from a file, in the table's order; F16 and BF16 become F32.
     *
     * @param parent the parent of the tensors' manager; they are created on its device
     * @throws DataException if the file's tensors are not exactly the table's, or one has NaN or infinite values
     */
    public static NamedTensors load(TensorFile file, ParameterTable table, NDManager parent) {
        table.check(file.file(), file.tensors());
        return create(parent, table.byName().keySet(), (name, manager) -> {
            NDArray tensor = file.load(name, manager);
            requireFinite(tensor, name, file.file());
            return tensor;
        });
    }

    /** If any value is not finite, neither is the sum. */
    private static void requireFinite(NDArray tensor, String name, String file) {
        try (TensorScope s = TensorScope.inference(tensor.getManager())) {
            if (!Float.isFinite(s.sum(s.reshape(tensor, -1), 0).getFloat())) {
                throw new DataException("Cannot use " + file + ": its tensor " + Text.quote(name)
                        + " has NaN or infinite values; give weights of a training run that did not diverge");
            }
        }
    }

    /**
     * Loads all tensors of a file.
     *
     * @throws DataException if one has a type that DJL does not support
     */
    public static NamedTensors load(TensorFile file, NDManager parent) {
        return create(parent, file.names(), file::load);
    }

    /**
     * Initializes a model's weights. Each tensor has its own random stream, addressed by {@code seed} and its name, so
     * its values do not depend on the other tensors or their order.
     */
    public static NamedTensors initial(ParameterTable table, long seed, NDManager parent) {
        return create(table, parent, spec -> {
            RandomStream random = RandomStream.of(seed, Purpose.INITIAL_WEIGHTS, RandomStream.hash(spec.name()));
            return spec.init().draw(Math.toIntExact(spec.shape().size()), random);
        });
    }

    /**
     * Creates a model's weights from given values.
     *
     * @param values the elements of a parameter, row-major
     */
    public static NamedTensors create(ParameterTable table, NDManager parent, Function<ParameterSpec, float[]> values) {
        return create(parent, table.byName().keySet(), (name, manager) -> {
            ParameterSpec spec = table.byName().get(name);
            return copy(values.apply(spec), spec.shape(), manager);
        });
    }

    /** Copies values into a tensor that {@code manager} owns. */
    static NDArray copy(float[] values, Shape shape, NDManager manager) {
        try (TensorScope s = TensorScope.inference(manager)) {
            return s.keep(s.floats(values, shape.getShape()));
        }
    }

    private static NamedTensors create(
            NDManager parent, Collection<String> names, BiFunction<String, NDManager, NDArray> tensor) {
        NDManager manager = parent.newSubManager();
        try {
            Map<String, NDArray> tensors = new LinkedHashMap<>();
            for (String name : names) {
                tensors.put(name, tensor.apply(name, manager));
            }
            return new NamedTensors(manager, tensors);
        } catch (RuntimeException | Error e) {
            manager.close();
            throw e;
        }
    }

    /**
     * The tensor of the given name.
     *
     * @throws IllegalArgumentException if there is no such tensor
     */
    public NDArray get(String name) {
        NDArray tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException(
                    "Cannot find tensor '" + name + "' among " + tensors.size() + " tensors");
        }
        return tensor;
    }

    /** All tensors by name, in their order. */
    public Map<String, NDArray> asMap() {
        return tensors;
    }

    /** Computes a tensor from a named one. */
    @FunctionalInterface
    public interface Mapping {
        /** The result, a new tensor of the scope. */
        NDArray apply(TensorScope s, String name, NDArray tensor);
    }

    /** New tensors of the same names, with the same parent manager. */
    public NamedTensors map(Mapping mapping) {
        return create(manager.getParentManager(), tensors.keySet(), (name, target) -> {
            try (TensorScope s = TensorScope.inference(target)) {
                return s.keep(mapping.apply(s, name, get(name)));
            }
        });
    }

    /** A copy whose manager belongs to {@code parent}. */
    public NamedTensors copyTo(NDManager parent) {
        return create(parent, tensors.keySet(), (name, target) -> {
            try (TensorScope s = TensorScope.inference(target)) {
                return s.keep(s.copyOf(get(name)));
            }
        });
    }

    /** The manager that owns the tensors. */
    public NDManager manager() {
        return manager;
    }

    /** Frees the tensors. */
    @Override
    public void close() {
        manager.close();
    }
}
