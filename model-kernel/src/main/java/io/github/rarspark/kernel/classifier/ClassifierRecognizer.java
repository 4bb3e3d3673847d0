package io.github.rarspark.kernel.classifier;

import io.github.rarspark.kernel.weights.Recognizer;
import io.github.rarspark.kernel.weights.TensorShapes;
import java.util.Optional;

/** Recognizes the weights of an image classifier of any size. */
public final class ClassifierRecognizer implements Recognizer {
    @Override
    public Optional<Recognition> recognize(TensorShapes tensors) {
        if (!tensors.has("stage.0.conv.weight", "head.weight")) {
            return Optional.empty();
        }
        return Optional.of(Recognition.usable("an image classifier (" + tensors.size("hidden.weight", 0) + " features, "
                + tensors.size("head.weight", 0) + " classes)"));
    }
}
