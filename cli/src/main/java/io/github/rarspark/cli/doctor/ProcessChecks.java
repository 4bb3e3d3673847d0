package io.github.rarspark.cli.doctor;

import static io.github.rarspark.cli.doctor.Finding.fail;
import static io.github.rarspark.cli.doctor.Finding.ok;
import static io.github.rarspark.cli.doctor.Finding.warn;

import io.github.rarspark.common.memory.Sizes;
import io.github.rarspark.common.run.Version;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Judges what one process has found out.
 *
 * @param asked after the driver had taken this time, the process looked at its clock
 * @param answered and before it took this
 * @param cores that Spark counts for the process
 * @param driver the versions of the driver
 * @param mustCompute whether the job computes in this process
 * @param localBytes that the job writes into Spark's local directories
 * @param temporaryBytes of the largest file that it copies to java.io.tmpdir
 */
record ProcessChecks(
        Instant asked,
        Instant answered,
        int cores,
        Map<String, String> driver,
        boolean mustCompute,
        long localBytes,
        long temporaryBytes) {
    private static final int JAVA = 17;
    private static final String GLIBC = "2.31";
    /** What DJL unpacks, rounded up. */
    private static final long ENGINE_BYTES = 500_000_000;
    /** S3 refuses requests that are a quarter of an hour off, Kerberos those of five minutes. */
    private static final Duration REFUSED_SKEW = Duration.ofMinutes(5);

    private static final Duration NOTABLE_SKEW = Duration.ofSeconds(10);

    /** All findings about the process. */
    List<Finding> of(ProcessFacts facts) {
        List<Finding> findings = new ArrayList<>();
        findings.addAll(versions(facts.versions()));
        findings.add(system(facts));
        findings.add(libtorch(facts));
        gpu(facts).ifPresent(findings::addAll);
        findings.add(cores(facts));
        findings.add(engineCache(facts));
        findings.add(localDirectories(facts.localDirectories()));
        findings.add(space(
                "temporary files", facts.temporary(), temporaryBytes, "let -Djava.io.tmpdir name another folder"));
        findings.add(fileNames(facts.fileNames()));
        findings.add(language(facts.environment()));
        if (mustCompute) {
            findings.add(arenas(facts.environment()));
        }
        findings.add(clock(facts.clock()));
        storage(facts).ifPresent(findings::add);
        return findings.stream().map(one -> one.at(List.of(facts.process()))).toList();
    }

    private List<Finding> versions(Map<String, String> found) {
        List<Finding> findings = new ArrayList<>();
        findings.add(
                Runtime.Version.parse(found.get("java")).feature() == JAVA
                        ? ok("java", found.get("java"))
                        : fail(
                                "java",
                                found.get("java"),
                                "use Java " + JAVA + " (JAVA_HOME, spark.executorEnv.JAVA_HOME)"));
        findings.add(version("spark", found, 2));
        findings.add(version("scala", found, 2));
        findings.add(version("hadoop", found, 2));
        return findings;
    }

    /** @param parts of the version that have to be those that rar-spark was built for */
    private Finding version(String name, Map<String, String> found, int parts) {
        String here = found.get(name);
        String built = Version.of(name);
        if (!prefix(here, parts).equals(prefix(built, parts))) {
            return fail(name, here, "use " + prefix(built, parts) + ", for which rar-spark is built");
        }
        if (!here.equals(driver.get(name))) {
            return fail(name, here + ", and the driver has " + driver.get(name), "install the same on all machines");
        }
        return here.startsWith(built) ? ok(name, here) : warn(name, here, "rar-spark is tested with " + built);
    }

    private static String prefix(String version, int parts) {
        String[] all = version.split("\\.");
        return String.join(".", List.of(all).subList(0, Math.min(parts, all.length)));
    }

    private static Finding system(ProcessFacts facts) {
        if (!facts.system().equals("Linux amd64")) {
            return fail("system", facts.system(), "run on Linux on x86-64");
        }
        if (facts.glibc().failed()) {
            return fail(
                    "system", facts.system() + " without glibc", "use a system or image with glibc, such as Debian's");
        }
        String glibc = facts.glibc().value();
        return Runtime.Version.parse(glibc).compareTo(Runtime.Version.parse(GLIBC)) < 0
                ? fail("system", facts.system() + ", glibc " + glibc, "use a system with glibc " + GLIBC + " or later")
                : ok("system", facts.system() + ", glibc " + glibc);
    }

    private Finding libtorch(ProcessFacts facts) {
        Probed<String> libtorch = facts.libtorch();
        if (!libtorch.failed()) {
            return ok("libtorch", libtorch.value());
        }
        String fix = "see that the folder of DJL's cache can be written and holds programs (no noexec)";
        return mustCompute ? fail("libtorch", libtorch.error(), fix) : warn("libtorch", libtorch.error(), fix);
    }

    private static Optional<List<Finding>> gpu(ProcessFacts facts) {
        ProcessFacts.Gpu gpu = facts.gpu();
        if (gpu == null) {
            return Optional.empty();
        }
        List<Finding> findings = new ArrayList<>();
        findings.add(
                gpu.device().failed()
                        ? fail("gpu", gpu.device().error(), "see docs/gpu.md")
                        : ok("gpu", gpu.device().value()));
        Probed<String> discovered = gpu.discovered();
        if (discovered != null && discovered.failed()) {
            findings.add(fail(
                    "discovery script",
                    discovered.error(),
                    "set spark.executor.resource.gpu.discoveryScript to deploy/gpu/discover-gpus on this machine"));
        } else if (discovered != null) {
            boolean isKnown = List.of(discovered.value().split(",")).containsAll(gpu.addresses());
            findings.add(
                    isKnown
                            ? ok("discovery script", "prints " + discovered.value())
                            : fail(
                                    "discovery script",
                                    "prints " + discovered.value() + ", and Spark gave the task " + gpu.addresses(),
                                    "let the script print the same in the executor as where Spark runs it"));
        }
        return Optional.of(findings);
    }

    private Finding cores(ProcessFacts facts) {
        return facts.cores() >= cores
                ? ok("cores", facts.cores() + ", of which Spark uses " + cores)
                : warn(
                        "cores",
                        "Spark runs tasks on " + cores + " cores, and the process may use " + facts.cores(),
                        "lower spark.executor.cores or raise the container's limit");
    }

    private static Finding engineCache(ProcessFacts facts) {
        Disk cache = facts.engineCache();
        if (!facts.libtorch().failed() && cache.error() == null) {
            return ok("DJL's cache", cache.path());
        }
        return space("DJL's cache", cache, ENGINE_BYTES, "let spark.executorEnv.DJL_CACHE_DIR name a folder with room");
    }

    private Finding localDirectories(List<Disk> disks) {
        Optional<Disk> usable = disks.stream()
                .filter(disk -> disk.error() == null && disk.freeBytes() >= localBytes)
                .findFirst();
        Disk shown = usable.orElse(disks.get(0));
        return space(
                "local directories",
                shown,
                localBytes,
                "let spark.local.dir (SPARK_LOCAL_DIRS, or YARN's yarn.nodemanager.local-dirs) name a larger disk");
    }

    private static Finding space(String what, Disk disk, long needed, String fix) {
        if (disk.error() != null) {
            return fail(what, disk.path() + " cannot be written: " + disk.error(), fix);
        }
        String free = disk.path() + " has " + Sizes.text(disk.freeBytes()) + " free";
        return disk.freeBytes() < needed
                ? fail(what, free + ", and " + Sizes.text(needed) + " are needed", fix)
                : ok(what, free);
    }

    private static Finding fileNames(String encoding) {
        return encoding.equalsIgnoreCase("UTF-8")
                ? ok("file names", encoding)
                : warn(
                        "file names",
                        "their encoding is " + encoding + ", in which some cannot be opened",
                        "set LC_ALL=C.UTF-8 (spark.executorEnv.LC_ALL)");
    }

    private static Finding language(Map<String, String> environment) {
        String all = Stream.of("LC_ALL", "LC_MESSAGES", "LANG")
                .map(environment::get)
                .filter(value -> value != null && !value.isEmpty())
                .findFirst()
                .orElse("C");
        return all.matches("(C|POSIX|en)\\b.*")
                ? ok("language", all)
                : warn(
                        "language",
                        "the system's messages are in that of " + all + "; a full disk is recognized in English",
                        "set LC_MESSAGES=C and unset LC_ALL (spark.executorEnv)");
    }

    private static Finding arenas(Map<String, String> environment) {
        String arenas = environment.get("MALLOC_ARENA_MAX");
        return "1".equals(arenas)
                ? ok("malloc", "one arena")
                : warn(
                        "malloc",
                        "MALLOC_ARENA_MAX is " + (arenas == null ? "not set" : arenas)
                                + ", so the process keeps more memory than it needs",
                        "set it to 1 in the environment");
    }

    private Finding clock(Instant here) {
        Duration off = here.isBefore(asked)
                ? Duration.between(here, asked)
                : here.isAfter(answered) ? Duration.between(answered, here) : Duration.ZERO;
        String value =
                off.toSeconds() + " s or more " + (here.isBefore(asked) ? "behind" : "ahead of") + " the driver's";
        String fix = "set the machine's clock (NTP)";
        if (off.compareTo(REFUSED_SKEW) > 0) {
            return fail("clock", value + ": storage and Kerberos refuse that", fix);
        }
        return off.compareTo(NOTABLE_SKEW) > 0
                ? warn("clock", value, fix)
                : ok("clock", "within " + NOTABLE_SKEW.toSeconds() + " s of the driver's");
    }

    private static Optional<Finding> storage(ProcessFacts facts) {
        Probed<StorageProbe.Speed> storage = facts.storage();
        if (storage == null) {
            return Optional.empty();
        }
        if (storage.failed()) {
            return Optional.of(fail(
                    "storage",
                    storage.error(),
                    "see that this process may write, list and delete there (spark.hadoop.*, the machine's role)"));
        }
        StorageProbe.Speed speed = storage.value();
        String value = String.format(
                Locale.ROOT,
                "writes %.0f MB/s, reads %.0f MB/s%s",
                speed.writeBytesPerSecond() / 1e6,
                speed.readBytesPerSecond() / 1e6,
                speed.exclusive() ? "" : ", cannot create exclusively");
        return Optional.of(ok("storage", value));
    }
}
