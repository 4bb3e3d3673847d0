package io.github.rarspark.kernel.content;

import io.github.rarspark.kernel.classifier.ClassifierRecognizer;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.inception.InceptionRecognizer;
import io.github.rarspark.kernel.rar.RarRecognizer;
import io.github.rarspark.kernel.vqgan.VqganRecognizer;
import io.github.rarspark.kernel.weights.ParameterTable;
import io.github.rarspark.kernel.weights.Recognizer;
import io.github.rarspark.kernel.weights.Recognizer.Recognition;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.TensorShapes;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What kind of model a file's tensors look like, so that an error about a wrong file can say what it is.
 *
 * @param kind the kind of model
 * @param description kind and size, with an article
 */
public record WeightContent(Kind kind, String description) {
    private static final String PARALLEL_PREFIX = "module.";

    /** The kinds of content. */
    public enum Kind {
        /** A RAR generator. */
        RAR("a RAR generator", new RarRecognizer()),
        /** A MaskGIT-VQGAN tokenizer. */
        VQGAN("a MaskGIT-VQGAN tokenizer", new VqganRecognizer()),
        /** The Inception network of published metrics. */
        INCEPTION("the Inception v3 of 2015-12-05", new InceptionRecognizer()),
        /** An image classifier. */
        CLASSIFIER("an image classifier", new ClassifierRecognizer()),
        /** The part of a training checkpoint that is not weights. */
        TRAINING_STATE("the optimizer state of a training run", Kind::moments),
        /** Unknown content. */
        UNKNOWN("unknown content", tensors -> Optional.empty());

        private final String label;
        private final Recognizer recognizer;

        Kind(String label, Recognizer recognizer) {
            this.label = label;
            this.recognizer = recognizer;
        }

        private static Optional<Recognition> moments(TensorShapes tensors) {
            return tensors.tensors().keySet().stream().anyMatch(name -> name.startsWith("first_moment/"))
                    ? Optional.of(Recognition.usable(TRAINING_STATE.label))
                    : Optional.empty();
        }
    }

    /** Recognizes a file's tensors. */
    public static WeightContent of(Map<String, TensorInfo> tensors) {
        if (!tensors.isEmpty() && tensors.keySet().stream().allMatch(name -> name.startsWith(PARALLEL_PREFIX))) {
            WeightContent inner = of(withoutPrefix(tensors));
            return new WeightContent(
                    Kind.UNKNOWN,
                    inner.description() + " with '" + PARALLEL_PREFIX + "' in front of every name, as parallel"
                            + " training saves it");
        }
        TensorShapes shapes = new TensorShapes(tensors);
        for (Kind kind : Kind.values()) {
            Optional<Recognition> found = kind.recognizer.recognize(shapes);
            if (found.isPresent()) {
                return new WeightContent(
                        found.get().usable() ? kind : Kind.UNKNOWN, found.get().description());
            }
        }
        return new WeightContent(Kind.UNKNOWN, Kind.UNKNOWN.label);
    }

    private static Map<String, TensorInfo> withoutPrefix(Map<String, TensorInfo> tensors) {
        return tensors.entrySet().stream()
                .collect(Collectors.toMap(
                        entry -> entry.getKey().substring(PARALLEL_PREFIX.length()), Map.Entry::getValue));
    }

    /**
     * Checks that a file's tensors are not recognized as something else.
     *
     * @param option the option that the file was given for, such as {@code --weights}
     * @throws DataException if they are
     */
    public static void require(Kind kind, TensorFile file, String option) {
        WeightContent content = of(file.tensors());
        if (content.kind() != kind && content.isRecognized()) {
            throw new DataException("Cannot use " + file.file() + " as " + option + ": it is " + content.description()
                    + "; give " + kind.label);
        }
    }

    /**
     * Checks that a file's tensors are exactly a model's parameters, as {@link ParameterTable#check} does.
     *
     * @throws DataException that says what the file looks like, if they are not
     */
    public static void require(ParameterTable table, TensorFile file) {
        Optional<String> mismatch = table.mismatch(file.tensors());
        if (mismatch.isPresent()) {
            WeightContent content = of(file.tensors());
            throw new DataException(
                    "Cannot load " + file.file() + ": its tensors do not match this model: " + mismatch.get()
                            + (content.isRecognized() ? "; the file looks like " + content.description() : ""));
        }
    }

    private boolean isRecognized() {
        return !description.equals(Kind.UNKNOWN.label);
    }
}
