package io.github.rarspark.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.cli.doctor.Finding.Status;
import io.github.rarspark.cli.doctor.ProcessFacts.Gpu;
import io.github.rarspark.cli.doctor.ProcessFacts.Memory;
import io.github.rarspark.common.run.Version;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ProcessChecksTest {
    private static final Instant ASKED = Instant.parse("2025-01-01T00:00:00Z");
    private static final long GIBIBYTE = 1L << 30;
    private static final Map<String, String> VERSIONS = Map.of(
            "java",
            "17.0.9+9",
            "spark",
            Version.of("spark"),
            "scala",
            Version.of("scala") + ".18",
            "hadoop",
            Version.of("hadoop"));

    private static final ProcessChecks CHECKS =
            new ProcessChecks(ASKED, ASKED.plusSeconds(2), 4, VERSIONS, true, 7 * GIBIBYTE, GIBIBYTE);

    private static final ProcessFacts SOUND = new Facts().build();

    /** Facts of which a test changes some. */
    private static final class Facts {
        private final Map<String, String> versions = new HashMap<>(VERSIONS);
        private final Map<String, String> environment = new HashMap<>(Map.of("MALLOC_ARENA_MAX", "1"));
        private String system = "Linux amd64";
        private Probed<String> glibc = new Probed<>("2.31", null);
        private String fileNames = "UTF-8";
        private int cores = 4;
        private List<Disk> local = List.of(new Disk("/small", GIBIBYTE, null), new Disk("/large", 8 * GIBIBYTE, null));
        private Disk temporary = new Disk("/tmp", 2 * GIBIBYTE, null);
        private Disk cache = new Disk("/cache", GIBIBYTE, null);
        private Probed<String> libtorch = new Probed<>("libtorch 2.7.1", null);
        private Gpu gpu = new Gpu(List.of("1"), new Probed<>("GPU 0", null), new Probed<>("0,1", null));
        private Instant clock = ASKED.plusSeconds(1);
        private Probed<StorageProbe.Speed> storage = new Probed<>(new StorageProbe.Speed(1e8, 2e8, true), null);

        ProcessFacts build() {
            return new ProcessFacts(
                    "executor 3",
                    "host",
                    versions,
                    system,
                    glibc,
                    fileNames,
                    environment,
                    cores,
                    new Memory(1, 1, 1),
                    local,
                    temporary,
                    cache,
                    libtorch,
                    gpu,
                    clock,
                    storage);
        }
    }

    @Test
    void aSoundProcessHasNothingToFix() {
        List<Finding> findings = CHECKS.of(SOUND);
        assertThat(findings).allSatisfy(one -> {
            assertThat(one.status()).as(one.text()).isEqualTo(Status.OK);
            assertThat(one.fix()).isEmpty();
            assertThat(one.where()).containsExactly("executor 3");
        });
        assertThat(findings).extracting(Finding::check).doesNotHaveDuplicates().hasSize(17);
    }

    private static Arguments one(String check, Status status, String value, String fix, Consumer<Facts> change) {
        return Arguments.of(check, status, value, fix, change);
    }

    static Stream<Arguments> broken() {
        return Stream.of(
                one("java", Status.FAIL, "21.0.1", "use Java 17", facts -> {
                    facts.versions.put("java", "21.0.1");
                }),
                one("spark", Status.FAIL, "3.4.1", "use 3.5", facts -> {
                    facts.versions.put("spark", "3.4.1");
                }),
                one("spark", Status.FAIL, "3.5.9, and the driver has 3.5.5", "install the same", facts -> {
                    facts.versions.put("spark", "3.5.9");
                }),
                one("scala", Status.FAIL, "2.13.1", "use 2.12", facts -> {
                    facts.versions.put("scala", "2.13.1");
                }),
                one("hadoop", Status.FAIL, "3.4.0", "use 3.3", facts -> {
                    facts.versions.put("hadoop", "3.4.0");
                }),
                one("system", Status.FAIL, "Linux aarch64", "x86-64", facts -> {
                    facts.system = "Linux aarch64";
                }),
                one("system", Status.FAIL, "glibc 2.28", "2.31 or later", facts -> {
                    facts.glibc = new Probed<>("2.28", null);
                }),
                one("system", Status.FAIL, "without glibc", "Debian", facts -> {
                    facts.glibc = new Probed<>(null, "no such function");
                }),
                one("libtorch", Status.FAIL, "cannot open shared object", "noexec", facts -> {
                    facts.libtorch = new Probed<>(null, "Cannot load: cannot open shared object");
                }),
                one("DJL's cache", Status.FAIL, "Read-only", "spark.executorEnv.DJL_CACHE_DIR", facts -> {
                    facts.cache = new Disk("/root/.djl.ai", -1, "Read-only file system");
                }),
                one("DJL's cache", Status.FAIL, "95 MiB free", "spark.executorEnv.DJL_CACHE_DIR", facts -> {
                    facts.libtorch = new Probed<>(null, "No space left on device");
                    facts.cache = new Disk("/cache", 100_000_000, null);
                }),
                one("gpu", Status.FAIL, "no NVIDIA driver", "docs/gpu.md", facts -> {
                    facts.gpu = new Gpu(List.of("1"), new Probed<>(null, "no NVIDIA driver is here"), null);
                }),
                one("discovery script", Status.FAIL, "not executable", "deploy/gpu/discover-gpus", facts -> {
                    facts.gpu = new Gpu(
                            List.of("1"), new Probed<>("GPU 0", null), new Probed<>(null, "it is not executable"));
                }),
                one("discovery script", Status.FAIL, "prints 0, and Spark gave the task [1]", "the same", facts -> {
                    facts.gpu = new Gpu(List.of("1"), new Probed<>("GPU 0", null), new Probed<>("0", null));
                }),
                one("cores", Status.WARN, "may use 2", "spark.executor.cores", facts -> {
                    facts.cores = 2;
                }),
                one(
                        "local directories",
                        Status.FAIL,
                        "1.0 GiB free, and 7.0 GiB are needed",
                        "spark.local.dir",
                        facts -> {
                            facts.local = List.of(new Disk("/small", GIBIBYTE, null));
                        }),
                one("temporary files", Status.FAIL, "and 1.0 GiB are needed", "java.io.tmpdir", facts -> {
                    facts.temporary = new Disk("/tmp", 1000, null);
                }),
                one("file names", Status.WARN, "ANSI_X3.4-1968", "LC_ALL=C.UTF-8", facts -> {
                    facts.fileNames = "ANSI_X3.4-1968";
                }),
                one("language", Status.WARN, "tr_TR.UTF-8", "LC_MESSAGES=C", facts -> {
                    facts.environment.put("LC_ALL", "tr_TR.UTF-8");
                    facts.environment.put("LC_MESSAGES", "C");
                }),
                one("malloc", Status.WARN, "not set", "set it to 1", facts -> {
                    facts.environment.remove("MALLOC_ARENA_MAX");
                }),
                one("clock", Status.WARN, "30 s or more behind", "NTP", facts -> {
                    facts.clock = ASKED.minusSeconds(30);
                }),
                one("clock", Status.FAIL, "3600 s or more ahead of the driver's: storage", "NTP", facts -> {
                    facts.clock = ASKED.plusSeconds(3602);
                }),
                one("storage", Status.FAIL, "403 Forbidden", "may write, list and delete", facts -> {
                    facts.storage = new Probed<>(null, "403 Forbidden");
                }));
    }

    @ParameterizedTest
    @MethodSource("broken")
    void whatIsBrokenIsFound(String check, Status status, String value, String fix, Consumer<Facts> change) {
        Facts facts = new Facts();
        change.accept(facts);
        List<Finding> findings = CHECKS.of(facts.build());
        assertThat(findings)
                .filteredOn(one -> one.status() != Status.OK)
                .filteredOn(one -> one.check().equals(check))
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.status()).isEqualTo(status);
                    assertThat(one.value()).contains(value);
                    assertThat(one.fix()).contains(fix);
                });
    }

    @Test
    void aDriverThatDoesNotComputeMayDoWithoutLibtorch() {
        Facts facts = new Facts();
        facts.libtorch = new Probed<>(null, "Cannot load");
        ProcessChecks driver = new ProcessChecks(ASKED, ASKED.plusSeconds(2), 1, VERSIONS, false, 0, 0);
        assertThat(driver.of(facts.build()))
                .filteredOn(one -> one.check().equals("libtorch"))
                .singleElement()
                .satisfies(one -> assertThat(one.status()).isEqualTo(Status.WARN));
    }
}
