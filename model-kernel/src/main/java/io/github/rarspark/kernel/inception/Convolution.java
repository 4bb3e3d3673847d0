package io.github.rarspark.kernel.inception;

/**
 * A convolution without bias, followed by batch normalization and ReLU.
 *
 * @param name its prefix in weight files, such as {@code Mixed_5b.branch1x1}
 * @param in input channels
 * @param out output channels
 * @param height of the kernel
 * @param width of the kernel
 * @param stride in both directions
 * @param padded whether zeros around the input keep its size, at stride 1
 * @param side of the input
 */
record Convolution(String name, int in, int out, int height, int width, int stride, boolean padded, int side) {
    int paddingHeight() {
        return padded ? height / 2 : 0;
    }

    int paddingWidth() {
        return padded ? width / 2 : 0;
    }
}
