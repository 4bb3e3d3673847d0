package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.weights.format.ElementType;
import java.util.Arrays;
import java.util.Optional;

/**
 * The globals that a pickle may refer to: those that {@code torch.save} writes for dictionaries of tensors. They map to
 * this reader's own functions; nothing is looked up in Python, and any other name is rejected.
 */
enum AllowedGlobal {
    ORDERED_DICT("collections.OrderedDict"),
    REBUILD_TENSOR("torch._utils._rebuild_tensor_v2"),
    REBUILD_PARAMETER("torch._utils._rebuild_parameter"),
    REBUILD_PARAMETER_WITH_STATE("torch._utils._rebuild_parameter_with_state"),
    SIZE("torch.Size"),
    DOUBLE("torch.DoubleStorage", ElementType.F64),
    FLOAT("torch.FloatStorage", ElementType.F32),
    HALF("torch.HalfStorage", ElementType.F16),
    BFLOAT16("torch.BFloat16Storage", ElementType.BF16),
    LONG("torch.LongStorage", ElementType.I64),
    INT("torch.IntStorage", ElementType.I32),
    SHORT("torch.ShortStorage", ElementType.I16),
    CHAR("torch.CharStorage", ElementType.I8),
    BYTE("torch.ByteStorage", ElementType.U8),
    BOOL("torch.BoolStorage", ElementType.BOOL);

    private final String pythonName;
    private final ElementType elements;

    AllowedGlobal(String pythonName) {
        this(pythonName, null);
    }

    AllowedGlobal(String pythonName, ElementType elements) {
        this.pythonName = pythonName;
        this.elements = elements;
    }

    static Optional<AllowedGlobal> find(String module, String name) {
        String full = module + "." + name;
        return Arrays.stream(values())
                .filter(global -> global.pythonName.equals(full))
                .findFirst();
    }

    /** The storage class of an element type. */
    static AllowedGlobal storageOf(ElementType type) {
        return Arrays.stream(values())
                .filter(global -> global.elements == type)
                .findFirst()
                .orElseThrow();
    }

    /** The name without its last part. */
    String module() {
        return pythonName.substring(0, pythonName.lastIndexOf('.'));
    }

    /** The last part of the name. */
    String simpleName() {
        return pythonName.substring(pythonName.lastIndexOf('.') + 1);
    }

    String pythonName() {
        return pythonName;
    }

    /** The type of a storage's elements; empty if this is not a storage class. */
    Optional<ElementType> elements() {
        return Optional.ofNullable(elements);
    }
}
