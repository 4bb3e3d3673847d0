package io.github.rarspark.kernel.weights;

import java.util.Optional;

/** Recognizes a model's weights by the names and shapes of their tensors. */
@FunctionalInterface
public interface Recognizer {
    /** Describes the tensors; empty if they do not look like this model's. */
    Optional<Recognition> recognize(TensorShapes tensors);

    /**
     * A model's description of tensors that look like its own.
     *
     * @param description kind and size, with an article
     * @param usable whether the model can load them; false for a related, incompatible model
     */
    record Recognition(String description, boolean usable) {
        /** Weights that the model can load. */
        public static Recognition usable(String description) {
            return new Recognition(description, true);
        }

        /** Weights of a related, incompatible model. */
        public static Recognition relative(String description) {
            return new Recognition(description, false);
        }
    }
}
