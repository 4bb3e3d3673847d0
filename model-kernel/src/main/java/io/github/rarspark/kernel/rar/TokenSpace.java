package io.github.rarspark.kernel.rar;

/**
 * The ids that {@code embeddings.weight} has a row for:
 *
 * <pre>
 *   [0, V)       image tokens, V = codes
 *   V            the mask token (unused by RAR, kept for the public file format)
 *   [V+1, V+C]   classes, C = classes
 *   V+C+1        no class: a dropped label, and the unconditional half of guidance
 * </pre>
 *
 * @param codes the size V of the tokenizer's codebook
 * @param classes the number C of classes
 */
public record TokenSpace(int codes, int classes) {
    /** The number of ids. */
    public int size() {
        return codes + classes + 2;
    }

    /**
     * The id of a class.
     *
     * @throws IllegalArgumentException if {@code label} is not in [0, C)
     */
    public int classId(int label) {
        if (label < 0 || label >= classes) {
            throw new IllegalArgumentException(
                    "Cannot condition on class " + label + ": the model has 0 to " + (classes - 1));
        }
        return codes + 1 + label;
    }

    /** The id that stands for no class. */
    public int noClass() {
        return codes + classes + 1;
    }

    /** Whether {@code id} is an image token. */
    public boolean isImageToken(long id) {
        return id >= 0 && id < codes;
    }
}
