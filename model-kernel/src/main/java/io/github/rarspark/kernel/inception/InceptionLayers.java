package io.github.rarspark.kernel.inception;

import io.github.rarspark.kernel.weights.Init;
import io.github.rarspark.kernel.weights.ParameterSpec;
import io.github.rarspark.kernel.weights.ParameterTable;
import java.util.ArrayList;
import java.util.List;

/** The layers of Inception v3 as in {@code pt_inception-2015-12-05-6726825d.pth}, and their names there. */
final class InceptionLayers {
    /** Features per image: channels of the last feature map. */
    static final int FEATURES = 2048;

    /** Classes, including those without a label. */
    static final int CLASSES = 1008;

    private final List<Convolution> convolutions = new ArrayList<>();
    private int side = InputResize.SIDE;

    private InceptionLayers() {
        unpadded("Conv2d_1a_3x3", 3, 32, 3, 2);
        side = 149;
        unpadded("Conv2d_2a_3x3", 32, 32, 3, 1);
        side = 147;
        padded("Conv2d_2b_3x3", 32, 64, 3, 3);
        side = 73;
        padded("Conv2d_3b_1x1", 64, 80, 1, 1);
        unpadded("Conv2d_4a_3x3", 80, 192, 3, 1);
        side = 35;
        square35("Mixed_5b", 192, 32);
        square35("Mixed_5c", 256, 64);
        square35("Mixed_5d", 288, 64);
        reduce35("Mixed_6a");
        side = 17;
        square17("Mixed_6b", 128);
        square17("Mixed_6c", 160);
        square17("Mixed_6d", 160);
        square17("Mixed_6e", 192);
        reduce17("Mixed_7a");
        side = 8;
        square8("Mixed_7b", 1280);
        square8("Mixed_7c", FEATURES);
    }

    /** All convolutions. */
    static List<Convolution> all() {
        return List.copyOf(new InceptionLayers().convolutions);
    }

    /** The parameters of the whole network. */
    static ParameterTable table() {
        List<ParameterSpec> specs = new ArrayList<>();
        for (Convolution conv : all()) {
            long area = (long) conv.height() * conv.width();
            long[] kernel = {conv.out(), conv.in(), conv.height(), conv.width()};
            long[] channels = {conv.out()};
            specs.add(new ParameterSpec(conv.name() + ".conv.weight", kernel, Init.fanIn(conv.in() * area)));
            specs.add(new ParameterSpec(conv.name() + ".bn.weight", channels, Init.ones()));
            specs.add(new ParameterSpec(conv.name() + ".bn.bias", channels, Init.zeros()));
            specs.add(new ParameterSpec(conv.name() + ".bn.running_mean", channels, Init.zeros()));
            specs.add(new ParameterSpec(conv.name() + ".bn.running_var", channels, Init.ones()));
        }
        specs.add(new ParameterSpec("fc.weight", new long[] {CLASSES, FEATURES}, Init.fanIn(FEATURES)));
        specs.add(new ParameterSpec("fc.bias", new long[] {CLASSES}, Init.fanIn(FEATURES)));
        return new ParameterTable(specs);
    }

    private void square35(String name, int in, int pool) {
        padded(name + ".branch1x1", in, 64, 1, 1);
        padded(name + ".branch5x5_1", in, 48, 1, 1);
        padded(name + ".branch5x5_2", 48, 64, 5, 5);
        padded(name + ".branch3x3dbl_1", in, 64, 1, 1);
        padded(name + ".branch3x3dbl_2", 64, 96, 3, 3);
        padded(name + ".branch3x3dbl_3", 96, 96, 3, 3);
        padded(name + ".branch_pool", in, pool, 1, 1);
    }

    private void reduce35(String name) {
        unpadded(name + ".branch3x3", 288, 384, 3, 2);
        padded(name + ".branch3x3dbl_1", 288, 64, 1, 1);
        padded(name + ".branch3x3dbl_2", 64, 96, 3, 3);
        unpadded(name + ".branch3x3dbl_3", 96, 96, 3, 2);
    }

    private void square17(String name, int inner) {
        padded(name + ".branch1x1", 768, 192, 1, 1);
        padded(name + ".branch7x7_1", 768, inner, 1, 1);
        padded(name + ".branch7x7_2", inner, inner, 1, 7);
        padded(name + ".branch7x7_3", inner, 192, 7, 1);
        padded(name + ".branch7x7dbl_1", 768, inner, 1, 1);
        padded(name + ".branch7x7dbl_2", inner, inner, 7, 1);
        padded(name + ".branch7x7dbl_3", inner, inner, 1, 7);
        padded(name + ".branch7x7dbl_4", inner, inner, 7, 1);
        padded(name + ".branch7x7dbl_5", inner, 192, 1, 7);
        padded(name + ".branch_pool", 768, 192, 1, 1);
    }

    private void reduce17(String name) {
        padded(name + ".branch3x3_1", 768, 192, 1, 1);
        unpadded(name + ".branch3x3_2", 192, 320, 3, 2);
        padded(name + ".branch7x7x3_1", 768, 192, 1, 1);
        padded(name + ".branch7x7x3_2", 192, 192, 1, 7);
        padded(name + ".branch7x7x3_3", 192, 192, 7, 1);
        unpadded(name + ".branch7x7x3_4", 192, 192, 3, 2);
    }

    private void square8(String name, int in) {
        padded(name + ".branch1x1", in, 320, 1, 1);
        padded(name + ".branch3x3_1", in, 384, 1, 1);
        padded(name + ".branch3x3_2a", 384, 384, 1, 3);
        padded(name + ".branch3x3_2b", 384, 384, 3, 1);
        padded(name + ".branch3x3dbl_1", in, 448, 1, 1);
        padded(name + ".branch3x3dbl_2", 448, 384, 3, 3);
        padded(name + ".branch3x3dbl_3a", 384, 384, 1, 3);
        padded(name + ".branch3x3dbl_3b", 384, 384, 3, 1);
        padded(name + ".branch_pool", in, 192, 1, 1);
    }

    private void padded(String name, int in, int out, int height, int width) {
        convolutions.add(new Convolution(name, in, out, height, width, 1, true, side));
    }

    private void unpadded(String name, int in, int out, int kernel, int stride) {
        convolutions.add(new Convolution(name, in, out, kernel, kernel, stride, false, side));
    }
}
