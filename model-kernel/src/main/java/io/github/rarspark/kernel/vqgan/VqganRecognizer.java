package io.github.rarspark.kernel.vqgan;

import io.github.rarspark.kernel.weights.Recognizer;
import io.github.rarspark.kernel.weights.TensorShapes;
import java.util.Optional;

/** Recognizes the weights of a MaskGIT-VQGAN, and of the incompatible VQGANs of taming-transformers. */
public final class VqganRecognizer implements Recognizer {
    @Override
    public Optional<Recognition> recognize(TensorShapes tensors) {
        if (!tensors.has("encoder.conv_in.weight", "quantize.embedding.weight")) {
            return Optional.empty();
        }
        String codes = " (" + tensors.size("quantize.embedding.weight", 0) + " codes of "
                + tensors.size("quantize.embedding.weight", 1) + " values)";
        return Optional.of(
                tensors.has("quant_conv.weight")
                        ? Recognition.relative("a VQGAN of the taming-transformers family" + codes)
                        : Recognition.usable("a MaskGIT-VQGAN tokenizer" + codes));
    }
}
