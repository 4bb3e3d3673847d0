package io.github.rarspark.kernel.vqgan;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.random.Purpose;
import io.github.rarspark.kernel.random.RandomStream;
import io.github.rarspark.kernel.tensor.Torch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("device")
class VqganTrainerTest {
    private static final VqganConfig CONFIG = new VqganConfig(32, List.of(1, 1), 1, 4, 16);
    private static final VqganTrainer.Settings SETTINGS = new VqganTrainer.Settings(80, 8, 3e-3, 0.25, 10, 3);

    private int threads;

    @BeforeEach
    void useOneThread() {
        threads = Torch.intraOpThreads();
        Torch.setIntraOpThreads(1);
    }

    @AfterEach
    void useAllThreads() {
        Torch.setIntraOpThreads(threads);
    }

    @Test
    void learnsToReconstructAndUsesTheCodes() {
        List<RgbImage> images = blocks();
        try (NDManager manager = NDManager.newBaseManager();
                VqganTrainer trainer = new VqganTrainer(manager, CONFIG, SETTINGS, images)) {
            double before = Reconstruction.measure(trainer.vqgan(), images, 7).psnr();
            VqganTrainer.Losses first = trainer.step();
            VqganTrainer.Losses last = first;
            while (trainer.steps() < SETTINGS.steps()) {
                last = trainer.step();
            }
            Reconstruction after = Reconstruction.measure(trainer.vqgan(), images, 7);
            assertThat(last.reconstruction()).isLessThan(first.reconstruction() / 4);
            assertThat(after.psnr()).isGreaterThan(before + 6);
            assertThat(after.images()).isEqualTo(images.size());
            assertThat(after.codesUsed()).isGreaterThan(8);
        }
    }

    /** So few steps have no phase without a codebook; without commitment, only the reconstruction trains the encoder. */
    @Test
    void gradientsPassTheCodesUnchangedAndTheCodesAreLearned() {
        VqganTrainer.Settings settings = new VqganTrainer.Settings(4, 4, 3e-3, 0, 0, 1);
        try (NDManager manager = NDManager.newBaseManager();
                VqganTrainer trainer = new VqganTrainer(manager, CONFIG, settings, blocks())) {
            Map<String, List<Float>> before = values(trainer.vqgan());
            assertThat(trainer.step().commitment()).isPositive();
            assertThat(values(trainer.vqgan()))
                    .allSatisfy((name, values) -> assertThat(values).isNotEqualTo(before.get(name)));
        }
    }

    @Test
    void theSameSeedGivesTheSameBits() {
        assertThat(weightsAfter(6, 3)).isEqualTo(weightsAfter(6, 3)).isNotEqualTo(weightsAfter(6, 4));
    }

    private static Map<String, List<Float>> weightsAfter(int steps, long seed) {
        VqganTrainer.Settings settings = new VqganTrainer.Settings(40, 4, 3e-3, 0.25, 2, seed);
        try (NDManager manager = NDManager.newBaseManager();
                VqganTrainer trainer = new VqganTrainer(manager, CONFIG, settings, blocks())) {
            for (int step = 0; step < steps; step++) {
                trainer.step();
            }
            return values(trainer.vqgan());
        }
    }

    private static Map<String, List<Float>> values(Vqgan vqgan) {
        Map<String, List<Float>> weights = new LinkedHashMap<>();
        vqgan.weights().asMap().forEach((name, tensor) -> {
            List<Float> values = new ArrayList<>();
            for (float value : tensor.toFloatArray()) {
                values.add(value);
            }
            weights.put(name, values);
        });
        return weights;
    }

    /** Images of 8 x 8 pixels in four squares of one colour each. */
    private static List<RgbImage> blocks() {
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            RandomStream random = RandomStream.of(9, Purpose.SPLIT, i);
            byte[] squares = new byte[4];
            for (int square = 0; square < 4; square++) {
                squares[square] = (byte) (85 * random.nextInt(4));
            }
            byte[] pixels = new byte[8 * 8 * 3];
            for (int p = 0; p < pixels.length; p++) {
                int x = p / 3 % 8;
                int y = p / 24;
                pixels[p] = squares[y / 4 * 2 + x / 4];
            }
            images.add(new RgbImage(8, 8, pixels));
        }
        return images;
    }
}
