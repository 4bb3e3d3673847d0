package io.github.rarspark.kernel.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
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
import java.util.function.Predicate;

/** Tensors by name, in a fixed order, in a manager of their own that closing frees. */
public final class NamedTensors implements AutoCloseable {
    private final NDManager manager;
    private final Map<String, NDArray> tensors;

    private NamedTensors(NDManager manager, Map<String, NDArray> tensors) {
        this.manager = manager;
        this.tensors = Collections.unmodifiableMap(tensors);
    }

    /**
     * A model's weights from a file, in the table's order; F16 and BF16 become F32.
     *
     * @param parent the manager below which the tensors live, and whose device they are on
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

    /** One value that is not finite makes the sum so. */
    private static void requireFinite(NDArray tensor, String name, String file) {
        try (TensorScope s = TensorScope.inference(tensor.getManager())) {
            if (!Float.isFinite(s.sum(s.reshape(tensor, -1), 0).getFloat())) {
                throw new DataException("Cannot use " + file + ": its tensor " + Text.quote(name)
                        + " has NaN or infinite values; give weights of a training that stayed finite");
            }
        }
    }

    /**
     * All tensors of a file.
     *
     * @throws DataException if one has a type that tensors in memory do not have
     */
    public static NamedTensors load(TensorFile file, NDManager parent) {
        return create(parent, file.names(), file::load);
    }

    /**
     * A model's first weights. Each tensor is drawn from a stream of its own, addressed by {@code seed} and its name, so
     * its values do not depend on the other tensors or their order.
     */
    public static NamedTensors initial(ParameterTable table, long seed, NDManager parent) {
        return create(table, parent, spec -> {
            RandomStream random = RandomStream.of(seed, Purpose.INITIAL_WEIGHTS, RandomStream.hash(spec.name()));
            return spec.init().draw(Math.toIntExact(spec.shape().size()), random);
        });
    }

    /**
     * A model's weights with given values.
     *
     * @param values the elements of a parameter, row-major
     */
    public static NamedTensors create(ParameterTable table, NDManager parent, Function<ParameterSpec, float[]> values) {
        return create(parent, table.byName().keySet(), (name, manager) -> {
            ParameterSpec spec = table.byName().get(name);
            return copy(values.apply(spec), spec.shape(), manager);
        });
    }

    /** A tensor of {@code manager}'s. */
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
     * The tensor of a name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public NDArray get(String name) {
        NDArray tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("No tensor '" + name + "' among these " + tensors.size());
        }
        return tensor;
    }

    /** All tensors by name, in their order. */
    public Map<String, NDArray> asMap() {
        return tensors;
    }

    /** A copy below the same parent in which the tensors of the chosen names are in bfloat16. */
    public NamedTensors toBfloat16(Predicate<String> chosen) {
        return create(manager.getParentManager(), tensors.keySet(), (name, target) -> {
            try (TensorScope s = TensorScope.inference(target)) {
                return s.keep(chosen.test(name) ? s.to(get(name), DataType.BFLOAT16) : s.affine(get(name), 1, 0));
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
