package io.github.rarspark.common;

import io.github.rarspark.conf.Crops;
import io.github.rarspark.conf.GenerateSettings;
import io.github.rarspark.conf.ModelSettings;
import io.github.rarspark.conf.TokenOrder;
import io.github.rarspark.kernel.image.CropSet;
import io.github.rarspark.kernel.rar.Conditioning;
import io.github.rarspark.kernel.rar.Guidance;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.rar.ScanOrder;
import io.github.rarspark.kernel.tensor.Precision;
import java.util.Optional;

/** Converts a recipe's settings to the kernel's records. */
public final class KernelSettings {
    private KernelSettings() {}

    /** The architecture of the RAR model. */
    public static RarConfig rar(ModelSettings model) {
        return new RarConfig(
                model.hidden(),
                model.layers(),
                model.heads(),
                model.mlp(),
                model.tokens(),
                model.codes(),
                model.classes(),
                Conditioning.valueOf(model.conditioning().name()),
                model.targetAware());
    }

    /** The crops of an image. */
    public static CropSet crops(Crops crops) {
        return CropSet.valueOf(crops.name());
    }

    /** The precision of a model's products. */
    public static Precision precision(io.github.rarspark.conf.Precision precision) {
        return Precision.valueOf(precision.name());
    }

    /** The guidance of sampling. */
    public static Guidance guidance(GenerateSettings generate) {
        return new Guidance(
                Guidance.Kind.valueOf(generate.guidance().name()), generate.guidanceScale(), generate.guidancePow());
    }

    /** The fixed scan order; empty for a random order per image. */
    public static Optional<ScanOrder> scanOrder(TokenOrder order) {
        return order == TokenOrder.RANDOM ? Optional.empty() : Optional.of(ScanOrder.valueOf(order.name()));
    }
}
