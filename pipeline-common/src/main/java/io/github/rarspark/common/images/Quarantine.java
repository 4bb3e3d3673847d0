package io.github.rarspark.common.images;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.BadLimit;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The images of a job that cannot be used, listed in {@value #NAME} of its output, up to a limit. Driver only. */
public final class Quarantine {
    /** The list's name in the output. */
    public static final String NAME = "quarantine.jsonl";

    private final String directory;
    private final String name;
    private final String task;
    private final BadLimit limit;
    private final OptionalLong images;
    private final SortedMap<String, Found> found = new ConcurrentSkipListMap<>();

    private record Found(String set, ImageFindings findings) {
        Stream<Line> lines() {
            return findings.bad().stream().map(image -> new Line(image.path(), image.reason(), set));
        }
    }

    /** A line of the list; without a set if the job reads only one. */
    private record Line(String path, String reason, @JsonInclude(JsonInclude.Include.NON_EMPTY) String set) {}

    /**
     * Creates an empty quarantine.
     *
     * @param directory the output's
     * @param task what the images are for, such as {@code tokenize images/}, for messages
     * @param limit how many may be bad
     * @param images the number of images; empty if only reading them tells
     */
    public Quarantine(String directory, String task, BadLimit limit, OptionalLong images) {
        this(directory, 0, task, limit, images);
    }

    /**
     * Creates an empty quarantine for one generation of an output.
     *
     * @param generation its number
     */
    public Quarantine(String directory, int generation, String task, BadLimit limit, OptionalLong images) {
        this.directory = directory;
        this.name = generation == 0 ? NAME : String.format(Locale.ROOT, "quarantine-%03d.jsonl", generation);
        this.task = task;
        this.limit = limit;
        this.images = images;
    }

    /**
     * Adds the findings of a unit of the only set of images that a job reads.
     *
     * @param unit its name; the list is in the order of these
     */
    public void add(String unit, ImageFindings findings) {
        found.put(unit, new Found("", findings));
    }

    /**
     * Adds the findings of a unit of one of several sets of images.
     *
     * @param set its name, such as {@code samples}; the list is in the order of these, then of the units
     * @param unit its name in the set
     */
    public void add(String set, String unit, ImageFindings findings) {
        found.put(set + "/" + unit, new Found(set, findings));
    }

    /**
     * Checks that the limit is not exceeded so far. A share of an unknown number of images is not, until that is known.
     *
     * @throws JobException {@link ExitCode#DATA} if there are too many bad images
     */
    public void requireFew() {
        if (images.isPresent() || !limit.isShare()) {
            requireFew(images.orElse(0), "lists those found so far");
        }
    }

    /**
     * Checks that the limit is not exceeded when all images have been read.
     *
     * @param all the number of images, including bad ones
     * @throws JobException {@link ExitCode#DATA} if there are too many bad images
     */
    public void requireFew(long all) {
        requireFew(all, "lists them");
    }

    private void requireFew(long all, String list) {
        if (bad() > limit.of(all)) {
            String most = limit.isShare() ? limit + " of " + images(all) : limit.toString();
            throw unusable(images(bad()) + " cannot be used, more than --max-bad " + most, list);
        }
    }

    /**
     * Checks that at least one image can be used.
     *
     * @param images the number of images, including bad ones
     * @throws JobException {@link ExitCode#DATA} if all are bad
     */
    public void requireUsable(long images) {
        if (bad() >= images) {
            throw images == 1
                    ? unusable("its only image cannot be used", "lists it")
                    : unusable("none of its " + images + " images can be used", "lists them");
        }
    }

    private static String images(long count) {
        return count == 1 ? "1 image" : count + " images";
    }

    private JobException unusable(String what, String list) {
        Line first = lines().findFirst().orElseThrow();
        return new JobException(
                ExitCode.DATA,
                "Cannot " + task + ": " + what + "; " + Storage.child(directory, name) + " " + list + ", the first is "
                        + first.path() + (first.set().isEmpty() ? "" : " of the " + first.set()) + " ("
                        + first.reason() + ")");
    }

    private Stream<Line> lines() {
        return found.values().stream().flatMap(Found::lines);
    }

    /** Publishes the list. */
    public void publish(OutputClaim claim) throws IOException {
        byte[] content = lines().map(line -> Json.line(line) + "\n")
                .collect(Collectors.joining())
                .getBytes(StandardCharsets.UTF_8);
        claim.publish(name, out -> out.write(content));
    }

    /** Publishes the list of a job that ends with {@code failure}, for the user. */
    public void publishAfter(Exception failure, OutputClaim claim) {
        try {
            publish(claim);
        } catch (IOException | RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /** The number of bad images. */
    public long bad() {
        return found.values().stream()
                .mapToLong(unit -> unit.findings().bad().size())
                .sum();
    }

    /** The number of usable images whose EXIF orientation is not upright. */
    public long oriented() {
        return found.values().stream()
                .mapToLong(unit -> unit.findings().oriented())
                .sum();
    }

    /** Warnings for the user, one line each. */
    public List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        if (bad() > 0) {
            warnings.add(images(bad()) + " could not be used; " + name + (bad() == 1 ? " lists it" : " lists them"));
        }
        if (oriented() > 0) {
            warnings.add(images(oriented())
                    + (oriented() == 1
                            ? " has an EXIF orientation, which is not applied; if it should be upright, rotate the file first"
                            : " have an EXIF orientation, which is not applied; if they should be upright, rotate the files"
                                    + " first"));
        }
        return warnings;
    }
}
