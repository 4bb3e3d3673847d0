package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.torch.PickleValue.Dictionary;
import io.github.rarspark.kernel.weights.torch.PickleValue.Sequence;
import io.github.rarspark.kernel.weights.torch.PickleValue.Tuple;
import java.util.List;

/** Java implementations of the Python functions that a pickle may call. */
final class PickleCalls {
    private final String file;

    PickleCalls(String file) {
        this.file = file;
    }

    /**
     * Evaluates a call.
     *
     * @throws DataException if the function is a storage class, or does not take these arguments
     */
    Object call(AllowedGlobal function, List<Object> arguments) {
        return switch (function) {
            case ORDERED_DICT -> dictionary(arguments);
            case SIZE -> size(arguments);
            case REBUILD_TENSOR -> TorchTensor.rebuild(arguments, file);
            case REBUILD_PARAMETER -> parameter(function, arguments, 3);
            case REBUILD_PARAMETER_WITH_STATE -> parameter(function, arguments, 4);
            default -> throw malformed("its pickle calls the storage class " + function.pythonName());
        };
    }

    /** {@code OrderedDict()}, or with a list of pairs as Python 2 wrote it. */
    private Dictionary dictionary(List<Object> arguments) {
        Dictionary dictionary = new Dictionary();
        if (arguments.isEmpty()) {
            return dictionary;
        }
        if (arguments.size() > 1 || !(arguments.get(0) instanceof Sequence pairs)) {
            throw malformed("an OrderedDict is built from something other than a list");
        }
        for (Object pair : pairs.items()) {
            List<Object> items =
                    pair instanceof Sequence s ? s.items() : pair instanceof Tuple t ? t.items() : List.of();
            if (items.size() != 2) {
                throw malformed("an OrderedDict is built from something other than pairs");
            }
            dictionary.put(items.get(0), items.get(1), file);
        }
        return dictionary;
    }

    private Tuple size(List<Object> arguments) {
        if (arguments.size() != 1 || !(arguments.get(0) instanceof Tuple sizes)) {
            throw malformed("a torch.Size is built from something other than a tuple");
        }
        return sizes;
    }

    /** A parameter is its tensor; {@code requires_grad} and hooks are ignored. */
    private TorchTensor parameter(AllowedGlobal function, List<Object> arguments, int count) {
        if (arguments.size() != count || !(arguments.get(0) instanceof TorchTensor tensor)) {
            throw malformed(function.pythonName() + " is called with something other than a tensor and " + (count - 1)
                    + " values");
        }
        return tensor;
    }

    private DataException malformed(String why) {
        return TorchError.malformed(file, why);
    }
}
