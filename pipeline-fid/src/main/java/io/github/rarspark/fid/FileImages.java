package io.github.rarspark.fid;

import io.github.rarspark.common.images.ImageFindings;
import io.github.rarspark.common.images.ImageSource;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.images.UsableImages;
import io.github.rarspark.common.images.UsableImages.Labels;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.kernel.image.Crops;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Images of image files, each scaled and cropped to the centre.
 *
 * @param source where they are
 * @param side of the crop in pixels
 */
record FileImages(ImageSource source, int side) implements ImageSet {
    @Override
    public String sha256() {
        return source.sha256();
    }

    @Override
    public long images() {
        return source.images();
    }

    @Override
    public List<String> warnings() {
        return source.warnings();
    }

    @Override
    public List<Part> parts(int imagesPerPart) {
        List<Part> parts = new ArrayList<>();
        source.units(imagesPerPart).forEach(unit -> parts.add(new Unit(unit, side)));
        return parts;
    }

    private record Unit(ImageUnit unit, int side) implements Part {
        @Override
        public long images() {
            return unit.images();
        }

        @Override
        public ImageFindings read(Storage storage, Sink sink) throws IOException {
            return UsableImages.read(
                    storage,
                    unit,
                    Labels.ANY,
                    (image, pixels) -> sink.accept(Crops.centerCrop(pixels, side), image.classId()));
        }
    }
}
