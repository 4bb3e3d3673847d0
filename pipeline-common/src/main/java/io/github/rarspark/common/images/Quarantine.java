package io.github.rarspark.common.images;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;

/** The images of a job that cannot be used, listed in {@value #NAME} of its output, up to a limit. Driver only. */
public final class Quarantine {
    /** The list's name in the output. */
    public static final String NAME = "quarantine.jsonl";

    private final String directory;
    private final String task;
    private final int mostBad;
    private final SortedMap<String, ImageFindings> findings = new ConcurrentSkipListMap<>();

    /**
     * Creates an empty quarantine.
     *
     * @param directory the output's
     * @param task what the images are for, such as {@code tokenize images/}, for messages
     * @param mostBad the maximum number of bad images
     */
    public Quarantine(String directory, String task, int mostBad) {
        this.directory = directory;
        this.task = task;
        this.mostBad = mostBad;
    }

    /**
     * Adds the findings of a unit.
     *
     * @param unit its name; the list is in the order of these
     */
    public void add(String unit, ImageFindings of) {
        findings.put(unit, of);
    }

    /**
     * Checks that the limit is not exceeded.
     *
     * @throws JobException {@link ExitCode#DATA} if there are too many bad images
     */
    public void requireFew() {
        if (bad() > mostBad) {
            throw unusable(
                    images(bad()) + " cannot be used, more than --max-bad " + mostBad, "lists those found so far");
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
        BadImage first = findings.values().stream()
                .flatMap(of -> of.bad().stream())
                .findFirst()
                .orElseThrow();
        return new JobException(
                ExitCode.DATA,
                "Cannot " + task + ": " + what + "; " + Storage.child(directory, NAME) + " " + list + ", the first is "
                        + first.path() + " (" + first.reason() + ")");
    }

    /** Publishes the list. */
    public void publish(OutputClaim claim) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (ImageFindings of : findings.values()) {
            of.bad().forEach(image -> lines.append(Json.line(image)).append('\n'));
        }
        byte[] content = lines.toString().getBytes(StandardCharsets.UTF_8);
        claim.publish(NAME, out -> out.write(content));
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
        return findings.values().stream().mapToLong(of -> of.bad().size()).sum();
    }

    /** The number of usable images whose EXIF orientation is not upright. */
    public long oriented() {
        return findings.values().stream().mapToLong(ImageFindings::oriented).sum();
    }

    /** Warnings for the user, one line each. */
    public List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        if (bad() > 0) {
            warnings.add(images(bad()) + " could not be used; " + NAME + (bad() == 1 ? " lists it" : " lists them"));
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
