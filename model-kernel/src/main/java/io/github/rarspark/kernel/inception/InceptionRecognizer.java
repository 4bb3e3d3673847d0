package io.github.rarspark.kernel.inception;

import io.github.rarspark.kernel.weights.Recognizer;
import io.github.rarspark.kernel.weights.TensorShapes;
import java.util.Optional;

/** Recognizes the weights of an Inception v3; the number of classes identifies the one of published metrics. */
public final class InceptionRecognizer implements Recognizer {
    @Override
    public Optional<Recognition> recognize(TensorShapes tensors) {
        if (!tensors.has("Mixed_7c.branch1x1.conv.weight")) {
            return Optional.empty();
        }
        long classes = tensors.size("fc.weight", 0);
        return Optional.of(
                classes == InceptionLayers.CLASSES
                        ? Recognition.usable("the Inception v3 of 2015-12-05 (" + classes + " classes)")
                        : Recognition.relative("an Inception v3 with " + classes
                                + " classes, not the one of published metrics, which has " + InceptionLayers.CLASSES));
    }
}
