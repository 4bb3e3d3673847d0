package io.github.rarspark.kernel.vqgan;

/**
 * The floating-point operations of a tokenizer's convolutions, from its sizes; a multiplication and an addition are two.
 *
 * @param config the sizes
 */
public record VqganCost(VqganConfig config) {
    /**
     * The operations to encode a square image.
     *
     * @param imageSize its side in pixels, a multiple of {@link VqganConfig#downsampling}
     */
    public double encodeFlop(int imageSize) {
        return flop("encoder.", imageSize);
    }

    /**
     * The operations to decode a square image.
     *
     * @param imageSize its side in pixels, a multiple of {@link VqganConfig#downsampling}
     */
    public double decodeFlop(int imageSize) {
        return flop("decoder.", imageSize);
    }

    private double flop(String prefix, int imageSize) {
        return config.table().specs().stream()
                .filter(spec -> spec.name().startsWith(prefix) && spec.shape().dimension() == 4)
                .mapToDouble(spec -> 2.0 * spec.shape().size() * Math.pow(outputSide(spec.name(), imageSize), 2))
                .sum();
    }

    /** The side of a convolution's output map. */
    private int outputSide(String name, int imageSize) {
        int smallest = imageSize / config.downsampling();
        String[] parts = name.split("\\.");
        return switch (parts[1]) {
            case "down" -> imageSize >> Integer.parseInt(parts[2]);
            case "up" -> imageSize >> Integer.parseInt(parts[2]) - (parts[3].equals("upsample_conv") ? 1 : 0);
            case "conv_in" -> parts[0].equals("encoder") ? imageSize : smallest;
            case "conv_out" -> parts[0].equals("encoder") ? smallest : imageSize;
            default -> smallest;
        };
    }
}
