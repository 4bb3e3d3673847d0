package io.github.rarspark.kernel.weights;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.Text;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All parameters of a model, in a fixed order, with which weight files are compared. Immutable. */
public final class ParameterTable {
    private static final String BATCH_COUNTER = ".num_batches_tracked";

    private final Map<String, ParameterSpec> specs;

    /**
     * Creates a table of {@code specs} in their order.
     *
     * @throws IllegalArgumentException if two have the same name
     */
    public ParameterTable(List<ParameterSpec> specs) {
        Map<String, ParameterSpec> byName = new LinkedHashMap<>();
        for (ParameterSpec spec : specs) {
            if (byName.put(spec.name(), spec) != null) {
                throw new IllegalArgumentException("Cannot have two parameters named '" + spec.name() + "' in a model");
            }
        }
        this.specs = Collections.unmodifiableMap(byName);
    }

    /** The parameters in their order. */
    public Collection<ParameterSpec> specs() {
        return specs.values();
    }

    /** The parameters by name, in their order. */
    public Map<String, ParameterSpec> byName() {
        return specs;
    }

    /** The total number of values. */
    public long elements() {
        return specs.values().stream().mapToLong(spec -> spec.shape().size()).sum();
    }

    /**
     * Checks that stored tensors are exactly this table's: none missing, none unexpected, all of type F32, F16 or BF16
     * and of the table's shape. Only batch normalization's counters, which inference does not use, may be present in
     * addition.
     *
     * @param source the name of the tensors' file in messages
     * @throws DataException with the number of missing, unexpected and mismatched tensors, and the first of each
     */
    public void check(String source, Map<String, TensorInfo> stored) {
        mismatch(stored).ifPresent(mismatch -> {
            throw new DataException("Cannot load " + source + ": its tensors do not match this model: " + mismatch);
        });
    }

    /**
     * How stored tensors differ from this table: the number of missing, unexpected and mismatched tensors, and the
     * first of each; empty if they {@linkplain #check match}.
     */
    public Optional<String> mismatch(Map<String, TensorInfo> stored) {
        List<String> missing = new ArrayList<>();
        List<String> different = new ArrayList<>();
        for (ParameterSpec spec : specs.values()) {
            TensorInfo info = stored.get(spec.name());
            if (info == null) {
                missing.add(Text.quote(spec.name()));
            } else if (!info.type().isFloat() || !info.shape().equals(spec.shape())) {
                different.add(Text.quote(spec.name()) + " is " + info.type() + info.shape() + " instead of F32"
                        + spec.shape());
            }
        }
        List<String> unexpected = stored.keySet().stream()
                .filter(name -> !specs.containsKey(name) && !name.endsWith(BATCH_COUNTER))
                .map(Text::quote)
                .toList();
        List<String> findings = new ArrayList<>();
        describe(findings, missing, "missing");
        describe(findings, unexpected, "unexpected");
        describe(findings, different, "of wrong shape or type");
        return findings.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", findings));
    }

    private static void describe(List<String> findings, List<String> tensors, String what) {
        if (!tensors.isEmpty()) {
            String first = tensors.size() == 1 ? tensors.get(0) : "the first is " + tensors.get(0);
            findings.add(tensors.size() + " " + what + " (" + first + ")");
        }
    }
}
