package io.github.rarspark.kernel.golden;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.image.Crops;
import io.github.rarspark.kernel.image.ImageDecoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.weights.TensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Image files and the bytes of their crops. Errors are in grey levels; the tolerance is zero. */
final class CropsGolden implements GoldenCase {
    private static final String FILE = "crops.safetensors";

    @Override
    public String kind() {
        return "crops";
    }

    @Override
    public List<String> files() {
        return List.of(FILE);
    }

    @Override
    public List<Check> check(Path folder, GoldenRun run) throws IOException {
        TensorFile expected = TensorFile.open(folder.resolve(FILE));
        List<Check> checks = new ArrayList<>();
        for (String tensor : expected.names()) {
            checks.add(check(folder, expected, tensor));
        }
        return checks;
    }

    private static Check check(Path folder, TensorFile expected, String tensor) throws IOException {
        int slash = tensor.lastIndexOf('/');
        String file = tensor.substring(0, Math.max(0, slash));
        String crop = tensor.substring(slash + 1);
        if (!crop.equals("center_crop") && !crop.equals("ten_crop")) {
            throw new DataException("Cannot check '" + tensor + "' of " + expected.file()
                    + ": expected the name of an image file and /center_crop or /ten_crop");
        }
        byte[] stored = Files.readAllBytes(folder.resolve(file));
        RgbImage image;
        try {
            image = new ImageDecoder().decode(stored, file);
        } catch (DataException e) {
            return Check.failed(tensor + ": " + e.getMessage());
        }
        int size = size(expected, tensor);
        List<RgbImage> crops =
                crop.equals("ten_crop") ? Crops.tenCrop(image, size) : List.of(Crops.centerCrop(image, size));
        return Check.within(tensor, difference(crops, expected.longs(tensor)), 0);
    }

    /** The size from the file's metadata, or else the crops' own width. */
    private static int size(TensorFile expected, String tensor) {
        String size = expected.metadata().get("size");
        int axes = expected.shape(tensor).dimension();
        return size == null ? (int) expected.shape(tensor).get(axes - 2) : Integer.parseInt(size);
    }

    private static double difference(List<RgbImage> crops, long[] stated) {
        if (crops.stream().mapToLong(crop -> crop.pixels().length).sum() != stated.length) {
            return Double.POSITIVE_INFINITY;
        }
        long worst = 0;
        int at = 0;
        for (RgbImage crop : crops) {
            for (byte sample : crop.pixels()) {
                worst = Math.max(worst, Math.abs((sample & 0xff) - stated[at++]));
            }
        }
        return worst;
    }
}
