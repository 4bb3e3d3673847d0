package io.github.rarspark.tokenize;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.images.BadImage;
import io.github.rarspark.common.images.ImageUnit;
import io.github.rarspark.common.images.InputListing;
import io.github.rarspark.common.images.ListedImages;
import io.github.rarspark.common.job.JobContext;
import io.github.rarspark.common.job.JobRunner;
import io.github.rarspark.common.job.Outcome;
import io.github.rarspark.common.run.JobResult;
import io.github.rarspark.common.run.OutputClaim;
import io.github.rarspark.common.spark.SparkSessions;
import io.github.rarspark.common.spark.UnitTasks;
import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.tokens.TokenCounter;
import io.github.rarspark.common.tokens.TokenRow;
import io.github.rarspark.common.tokens.TokenStatistics;
import io.github.rarspark.conf.Recipe;
import io.github.rarspark.conf.TokenizeSettings;
import io.github.rarspark.kernel.image.BarChart;
import io.github.rarspark.kernel.image.ImageGrid;
import io.github.rarspark.kernel.image.PngEncoder;
import io.github.rarspark.kernel.image.RgbImage;
import io.github.rarspark.kernel.vqgan.Reconstruction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Some images of an input beside what their tokens keep of them, to look at before a long training: a wrong tokenizer or
 * order of colours shows at once. Driver only.
 *
 * @param size side of an image in pixels
 * @param codes how many codes a token can be
 * @param classNames the class names by class id; empty if they are not known
 * @param images those shown
 * @param bad those that could not be used and were met on the way
 */
record Preview(int size, int codes, List<String> classNames, List<PreviewTask.Image> images, List<BadImage> bad) {
    /** The contact sheet's name in the output. */
    static final String PICTURE = "preview.png";

    /** The name of the figures in the output. */
    static final String FIGURES = "preview.json";

    /** No images. */
    static final Preview NONE = new Preview(0, 0, List.of(), List.of(), List.of());

    private static final String COMMAND = "tokenize --preview";
    private static final int SHOWN = 16;
    private static final int PAIRS_PER_ROW = 4;
    private static final int CHART_HEIGHT = 60;

    /** A plain gray image is about this far from a photograph. */
    private static final double LOWEST_PSNR = 14;

    /**
     * The figures.
     *
     * @param images those of the contact sheet, in its order
     * @param psnr in decibels, of the mean squared error of these images
     * @param tokens whose tokens are counted: {@code preview} for those of these images, {@code all} for those of all
     *     images of the run
     * @param codes how many codes there are
     * @param codesUsed how many of them occur
     * @param tokenEntropy the entropy of their distribution in bits
     * @param tokenCounts how often each code occurs
     */
    private record Figures(
            List<Shown> images,
            double psnr,
            String tokens,
            int codes,
            int codesUsed,
            double tokenEntropy,
            List<Long> tokenCounts) {
        /** An image of the contact sheet. */
        record Shown(String sampleId, int classId, double psnr) {}
    }

    /**
     * Writes contact sheet and figures of the recipe's input to its output, and nothing else.
     *
     * @throws JobException {@link ExitCode#DATA} if none of the images can be used
     */
    static JobResult run(JobContext context, TokenizerFile tokenizer, ListedImages images) throws IOException {
        Recipe recipe = context.recipe();
        String directory = context.storage().qualify(recipe.tokenize().output());
        return JobRunner.check(COMMAND, recipe.resultSettings("image", "tokenizer", "tokenize", "compute"), () -> {
            Preview preview = of(context, tokenizer, images);
            if (preview.images().isEmpty()) {
                BadImage first = preview.bad().get(0);
                throw new JobException(
                        ExitCode.DATA,
                        "Cannot preview " + recipe.tokenize().input() + ": none of the "
                                + preview.bad().size()
                                + " images looked at can be used, the first is " + first.path() + " ("
                                + first.reason() + ")");
            }
            TokenStatistics own = preview.tokens();
            for (Map.Entry<String, byte[]> file : preview.files(own, "preview").entrySet()) {
                context.storage().put(Storage.child(directory, file.getKey()), out -> out.write(file.getValue()));
            }
            context.say("look at " + Storage.child(directory, PICTURE));
            Map<String, Double> metrics = new TreeMap<>(preview.metrics());
            metrics.put("codes_used", (double) own.codesUsed());
            metrics.put("token_entropy", own.tokenEntropy());
            return Outcome.of(
                    Map.of("images", (long) preview.images().size(), "bad", (long)
                            preview.bad().size()),
                    metrics,
                    preview.warnings());
        });
    }

    /** Encodes and decodes some images, which are spread over the input. */
    static Preview of(JobContext context, TokenizerFile tokenizer, ListedImages images) {
        TokenizeSettings settings = context.recipe().tokenize();
        int size = context.recipe().image().size();
        List<ImageUnit> units = spread(chosen(images));
        int perUnit = (SHOWN + units.size() - 1) / units.size();
        PreviewTask task = new PreviewTask(
                context.storage(),
                tokenizer,
                size,
                images.classNames().size(),
                perUnit,
                settings.threads(),
                context.device());
        SparkSessions.describe(context.session(), "preview " + SHOWN + " of the images");
        List<PreviewTask.Image> shown = new ArrayList<>();
        List<BadImage> bad = new ArrayList<>();
        UnitTasks.run(
                context.session(),
                context.device(),
                List.of(new PreviewTask.Units(new ArrayList<>(units))),
                task,
                result -> {
                    shown.addAll(result.list());
                    bad.addAll(result.bad());
                });
        return new Preview(size, tokenizer.config().codes(), images.classNames(), List.copyOf(shown), List.copyOf(bad));
    }

    /** Of an input of many files only some, so that not all of them go to the task. */
    private static List<ImageUnit> chosen(ListedImages images) {
        long files = images.listing().files();
        Set<String> names = new HashSet<>();
        Iterator<InputListing.File> all = images.listing().stream().iterator();
        for (long i = 0; all.hasNext(); i++) {
            String name = all.next().name();
            if (names.size() <= i * SHOWN / files) {
                names.add(name);
            }
        }
        ListedImages some = images.only(names::contains);
        long count = some.images().orElse(SHOWN);
        return some.units((int) Math.max(1, Math.min(Integer.MAX_VALUE, count / SHOWN)));
    }

    private static List<ImageUnit> spread(List<ImageUnit> units) {
        List<ImageUnit> some = new ArrayList<>();
        for (int i = 0; i < Math.min(SHOWN, units.size()); i++) {
            some.add(units.get((int) ((long) i * units.size() / Math.min(SHOWN, units.size()))));
        }
        return some;
    }

    /** What the tokens of the images are like. */
    TokenStatistics tokens() {
        TokenCounter counter = new TokenCounter(codes);
        images.forEach(image -> counter.add(new TokenRow(image.sampleId(), image.classId(), 0, image.tokens())));
        return TokenStatistics.of(new TreeMap<>(Map.of(PICTURE, counter)));
    }

    /** In decibels, of the mean squared error of all images. */
    double psnr() {
        return Reconstruction.psnr(images.stream()
                .mapToDouble(PreviewTask.Image::meanSquaredError)
                .average()
                .orElseThrow());
    }

    /** What the user should know, one line each. */
    List<String> warnings() {
        return images.isEmpty() || psnr() >= LOWEST_PSNR
                ? List.of()
                : List.of(String.format(
                        Locale.ROOT,
                        "what the tokens keep of the images has a PSNR of %.1f dB only: look at %s before a training;"
                                + " the tokenizer may be of other images, or not trained",
                        psnr(),
                        PICTURE));
    }

    /** The PSNR, unless no image is shown or nothing was lost: JSON has no infinity. */
    Map<String, Double> metrics() {
        return !images.isEmpty() && Double.isFinite(psnr()) ? Map.of("psnr", psnr()) : Map.of();
    }

    /**
     * Publishes contact sheet and figures, unless no image is shown.
     *
     * @param all what the tokens of all images of the run are like
     */
    void publish(OutputClaim output, TokenStatistics all) throws IOException {
        if (!images.isEmpty()) {
            for (Map.Entry<String, byte[]> file : files(all, "all").entrySet()) {
                output.publish(file.getKey(), out -> out.write(file.getValue()));
            }
        }
    }

    /**
     * Contact sheet and figures by name.
     *
     * @param counted the tokens to tell of
     * @param whose what these are, for the figures
     */
    private Map<String, byte[]> files(TokenStatistics counted, String whose) {
        Figures figures = new Figures(
                images.stream()
                        .map(image -> new Figures.Shown(
                                image.sampleId(), image.classId(), Reconstruction.psnr(image.meanSquaredError())))
                        .toList(),
                psnr(),
                whose,
                codes,
                counted.codesUsed(),
                counted.tokenEntropy(),
                counted.tokenCounts());
        return Map.of(PICTURE, PngEncoder.encode(sheet(counted, whose)), FIGURES, Json.pretty(figures));
    }

    private RgbImage sheet(TokenStatistics counted, String whose) {
        List<RgbImage> cells = new ArrayList<>();
        List<String> captions = new ArrayList<>();
        for (PreviewTask.Image image : images) {
            cells.add(new RgbImage(size, size, image.original()));
            captions.add(caption(image.classId()));
            cells.add(new RgbImage(size, size, image.decoded()));
            captions.add(String.format(Locale.ROOT, "%.1f dB", Reconstruction.psnr(image.meanSquaredError())));
        }
        RgbImage grid = ImageGrid.captioned(cells, captions, 2 * PAIRS_PER_ROW);
        List<String> lines = List.of(
                String.format(
                        Locale.ROOT,
                        "%d images, each beside what its tokens keep of it: PSNR %.1f dB",
                        images.size(),
                        psnr()),
                String.format(
                        Locale.ROOT,
                        "%s: %d of %d codes used, entropy %.2f of %.2f bits",
                        whose.equals("all") ? "all tokens" : "their tokens",
                        counted.codesUsed(),
                        codes,
                        counted.tokenEntropy(),
                        Math.log(codes) / Math.log(2)),
                "at the bottom: how often each code occurs, the most frequent first, as logarithms");
        long[] descending = counted.tokenCounts().stream()
                .sorted(Comparator.reverseOrder())
                .mapToLong(Long::longValue)
                .toArray();
        RgbImage chart = BarChart.logarithmic(descending, grid.width(), CHART_HEIGHT);
        return ImageGrid.page(lines, List.of(grid, chart));
    }

    private String caption(int classId) {
        return classId < classNames.size() ? classNames.get(classId) : "class " + classId;
    }
}
