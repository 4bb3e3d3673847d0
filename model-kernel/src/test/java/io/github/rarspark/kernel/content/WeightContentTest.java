package io.github.rarspark.kernel.content;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.types.Shape;
import io.github.rarspark.kernel.classifier.ClassifierConfig;
import io.github.rarspark.kernel.content.WeightContent.Kind;
import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.inception.InceptionV3;
import io.github.rarspark.kernel.rar.Conditioning;
import io.github.rarspark.kernel.rar.RarConfig;
import io.github.rarspark.kernel.vqgan.VqganConfig;
import io.github.rarspark.kernel.weights.ParameterTable;
import io.github.rarspark.kernel.weights.TensorFile;
import io.github.rarspark.kernel.weights.format.ElementType;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WeightContentTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");
    private static final RarConfig BASE = RarConfig.of(768, 24, 16, 3072, 256, 1024, 1000);
    private static final VqganConfig TOKENIZER = new VqganConfig(128, List.of(1, 1, 2, 2, 4), 2, 256, 1024);

    @Test
    void everyModelIsCalledByItsName() {
        assertThat(WeightContent.of(infos(BASE.parameters())))
                .isEqualTo(new WeightContent(
                        Kind.RAR,
                        "a RAR generator of the size RAR-B (width 768, 24 layers, 16 heads, MLP 3072, 256 tokens,"
                                + " 1024 codes, 1000 classes)"));
        RarConfig plain = new RarConfig(16, 2, 4, 32, 9, 20, 3, Conditioning.PLAIN, false);
        assertThat(WeightContent.of(infos(plain.parameters())))
                .isEqualTo(new WeightContent(
                        Kind.RAR,
                        "a RAR generator (width 16, 2 layers, 4 heads, MLP 32, 9 tokens, 20 codes, 3 classes, plain"
                                + " conditioning, not target-aware)"));
        assertThat(WeightContent.of(infos(TOKENIZER.table())))
                .isEqualTo(new WeightContent(Kind.VQGAN, "a MaskGIT-VQGAN tokenizer (1024 codes of 256 values)"));
        assertThat(WeightContent.of(infos(InceptionV3.table())))
                .isEqualTo(new WeightContent(Kind.INCEPTION, "the Inception v3 of 2015-12-05 (1008 classes)"));
        assertThat(WeightContent.of(infos(ClassifierConfig.small(32, 10).table())))
                .isEqualTo(new WeightContent(Kind.CLASSIFIER, "an image classifier (64 features, 10 classes)"));
        assertThat(WeightContent.of(Map.of("first_moment/w", info("first_moment/w", 2)))
                        .kind())
                .isEqualTo(Kind.TRAINING_STATE);
        assertThat(WeightContent.of(Map.of()).kind()).isEqualTo(Kind.UNKNOWN);
    }

    @Test
    void strangersThatLookAlikeAreToldApart() {
        Map<String, TensorInfo> taming = infos(TOKENIZER.table());
        taming.put("quant_conv.weight", info("quant_conv.weight", 3));
        assertThat(WeightContent.of(taming).description()).startsWith("a VQGAN of the taming-transformers family");
        Map<String, TensorInfo> torchvision = infos(InceptionV3.table());
        torchvision.put("fc.weight", info("fc.weight", 1000, 2048));
        assertThat(WeightContent.of(torchvision).description())
                .startsWith("an Inception v3 with 1000 classes, not the one of published metrics");
        Map<String, TensorInfo> parallel = new LinkedHashMap<>();
        infos(BASE.parameters()).forEach((name, info) -> parallel.put("module." + name, info));
        assertThat(WeightContent.of(parallel).description()).contains("RAR-B", "'module.' in front of every name");
    }

    @Test
    void mismatchesSayWhatTheFileLooksLike() throws IOException {
        ParameterTable large = RarConfig.of(1024, 24, 16, 4096, 256, 1024, 1000).parameters();
        TensorFile rar = TensorFile.open(GOLDEN.resolve("rar-small/rar.bin"));
        assertThatThrownBy(() -> WeightContent.require(large, rar))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("'cls_token' is F32(1, 1, 32) instead of F32(1, 1, 1024)")
                .hasMessageContaining("; the file looks like a RAR generator (width 32,");
        TensorFile tokenizer = TensorFile.open(GOLDEN.resolve("vqgan-small/vqgan.bin"));
        assertThatThrownBy(() -> WeightContent.require(large, tokenizer))
                .hasMessageContaining("missing (the first is 'cls_token'); ")
                .hasMessageContaining("; the file looks like a MaskGIT-VQGAN tokenizer (");
        assertThatCode(() -> WeightContent.require(VqganConfig.of(tokenizer).table(), tokenizer))
                .doesNotThrowAnyException();
    }

    @Test
    void aFileGivenAsSomethingElseIsCalledByItsName() throws IOException {
        TensorFile rar = TensorFile.open(GOLDEN.resolve("rar-small/rar.bin"));
        TensorFile strange = TensorFile.open(Path.of("src/test/resources/weights/zip.pth"));
        assertThatThrownBy(() -> WeightContent.require(Kind.VQGAN, rar, "--tokenizer"))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith(
                        "Cannot use " + rar.file() + " as --tokenizer: it is a RAR generator (width 32,")
                .hasMessageEndingWith("; give a MaskGIT-VQGAN tokenizer");
        assertThatCode(() -> WeightContent.require(Kind.RAR, rar, "--weights")).doesNotThrowAnyException();
        assertThatCode(() -> WeightContent.require(Kind.RAR, strange, "--weights"))
                .doesNotThrowAnyException();
    }

    @Test
    void countersOfBatchNormalizationMayBeThere() {
        Map<String, TensorInfo> stored = infos(InceptionV3.table());
        String counter = "Conv2d_1a_3x3.bn.num_batches_tracked";
        stored.put(counter, new TensorInfo(counter, ElementType.I64, new Shape()));
        assertThatCode(() -> InceptionV3.table().check("x", stored)).doesNotThrowAnyException();
        stored.put("another", info("another", 1));
        assertThatThrownBy(() -> InceptionV3.table().check("x", stored))
                .hasMessageContaining("1 unexpected ('another')");
    }

    private static Map<String, TensorInfo> infos(ParameterTable table) {
        Map<String, TensorInfo> infos = new LinkedHashMap<>();
        table.specs()
                .forEach(spec -> infos.put(spec.name(), new TensorInfo(spec.name(), ElementType.F32, spec.shape())));
        return infos;
    }

    private static TensorInfo info(String name, long... shape) {
        return new TensorInfo(name, ElementType.F32, new Shape(shape));
    }
}
