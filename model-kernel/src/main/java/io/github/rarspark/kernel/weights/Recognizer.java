package io.github.rarspark.kernel.weights;

import java.util.Optional;

/** A model that recognizes its weights by the names and shapes of their tensors. */
@FunctionalInterface
public interface Recognizer {
    /** What the tensors are; empty if they do not look like this model's. */
    Optional<Recognition> recognize(TensorShapes tensors);

    /**
     * What a model says of tensors that look like its own.
     *
     * @param description what they are and of which size, with an article
     * @param usable whether this model can have them; a relative's it cannot
     */
    record Recognition(String description, boolean usable) {
        /** Weights that the model can have. */
        public static Recognition usable(String description) {
            return new Recognition(description, true);
        }

        /** Weights of a relative. */
        public static Recognition relative(String description) {
            return new Recognition(description, false);
        }
    }
}
