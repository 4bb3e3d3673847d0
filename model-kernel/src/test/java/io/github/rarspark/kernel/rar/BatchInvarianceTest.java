package io.github.rarspark.kernel.rar;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.types.DataType;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import io.github.rarspark.kernel.tensor.Precision;
import io.github.rarspark.kernel.tensor.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bytes of an image on one kind of processor depend on its own request alone. */
class BatchInvarianceTest {
    private static final Guidance POWER = new Guidance(Guidance.Kind.POWER_COSINE, 3, 1.5);
    private static final long SEED = 5;

    /** Heads of 48, as in RAR-B, and of 20, which no register holds. */
    private static TinyRar tiny(Conditioning conditioning, int headWidth) {
        return new TinyRar(new RarConfig(
                2 * headWidth, 2, 2, 72, TinyRar.TOKENS, TinyRar.CODES, TinyRar.CLASSES, conditioning, true));
    }

    @ParameterizedTest
    @CsvSource({"ADALN, 48, FP32", "ADALN, 48, BF16", "ADALN, 20, FP32", "PLAIN, 20, BF16"})
    void theLogitsOfARequestAreTheSameAloneAndAmong31Others(
            Conditioning conditioning, int headWidth, Precision precision) {
        int threads = Torch.intraOpThreads();
        try (TinyRar tiny = tiny(conditioning, headWidth);
                RarModel model = RarModel.forSampling(tiny.config, tiny.weights, precision)) {
            Request request = new Request(2, 9);
            Torch.setIntraOpThreads(1);
            float[][] alone = logits(tiny, model, SEED, List.of(request));
            assertThat(logits(tiny, model, SEED + 1, List.of(request))[TinyRar.TOKENS - 1])
                    .isNotEqualTo(alone[TinyRar.TOKENS - 1]);
            List<Request> others = requests(32);
            others.set(13, request);
            Torch.setIntraOpThreads(2);
            float[][] among = logits(tiny, model, SEED, others);
            for (int t = 0; t < TinyRar.TOKENS; t++) {
                float[] own = Arrays.copyOfRange(among[t], 13 * TinyRar.CODES, 14 * TinyRar.CODES);
                assertThat(own).as("step " + t).containsExactly(alone[t]);
            }
        } finally {
            Torch.setIntraOpThreads(threads);
        }
    }

    @ParameterizedTest
    @CsvSource({"FP32", "BF16"})
    void theTokensOfShuffledRequestsAreTheSameAtAnyBatchAndThreads(Precision precision) {
        int threads = Torch.intraOpThreads();
        try (TinyRar tiny = tiny(Conditioning.ADALN, 48);
                RarModel model = RarModel.forSampling(tiny.config, tiny.weights, precision)) {
            List<Request> requests = requests(40);
            Torch.setIntraOpThreads(2);
            List<long[]> whole = tokens(tiny, model, requests, 40);
            List<Integer> places = new ArrayList<>();
            for (int i = 0; i < requests.size(); i++) {
                places.add(i);
            }
            Collections.shuffle(places, new Random(1));
            List<Request> shuffled = places.stream().map(requests::get).toList();
            for (int batch : new int[] {1, 7, 32}) {
                Torch.setIntraOpThreads(batch == 7 ? 2 : 1);
                List<long[]> drawn = tokens(tiny, model, shuffled, batch);
                for (int i = 0; i < places.size(); i++) {
                    assertThat(drawn.get(i)).as("batch " + batch).containsExactly(whole.get(places.get(i)));
                }
            }
        } finally {
            Torch.setIntraOpThreads(threads);
        }
    }

    private static List<Request> requests(int count) {
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            requests.add(new Request(i % TinyRar.CLASSES, i));
        }
        return requests;
    }

    private static List<long[]> tokens(TinyRar tiny, RarModel model, List<Request> requests, int batch) {
        List<long[]> all = new ArrayList<>();
        for (int from = 0; from < requests.size(); from += batch) {
            Request[] part = requests.subList(from, Math.min(from + batch, requests.size()))
                    .toArray(Request[]::new);
            int[][] orders = RarSampler.orders(SEED, part, tiny.config, Optional.empty());
            all.addAll(List.of(new RarSampler(model, POWER, 1).sample(tiny.manager, SEED, part, orders)));
        }
        return all;
    }

    /** The guided logits [T][B * V] while the requests are sampled. */
    private static float[][] logits(TinyRar tiny, RarModel model, long seed, List<Request> requests) {
        Request[] batch = requests.toArray(Request[]::new);
        int[] labels = requests.stream().mapToInt(Request::label).toArray();
        int[][] orders = RarSampler.orders(seed, batch, tiny.config, Optional.empty());
        RarSampler sampler = new RarSampler(model, POWER, 1);
        Chooser drawing = sampler.drawing(tiny.manager, seed, batch);
        float[][] logits = new float[TinyRar.TOKENS][];
        sampler.run(tiny.manager, labels, orders, TinyRar.TOKENS, (s, t, logits_BV) -> {
            logits[t] = s.to(logits_BV, DataType.FLOAT32).toFloatArray();
            return drawing.choose(s, t, logits_BV);
        });
        return logits;
    }
}
