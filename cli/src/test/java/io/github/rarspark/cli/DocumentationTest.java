package io.github.rarspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the pages say exists: the classes and members that they name, the files and headings that they link to. */
class DocumentationTest {
    /** Classes of DJL and Spark that the pages name. */
    private static final Set<String> OTHERS = Set.of("GradientCollector", "IllegalAccessError", "NDArray", "NDManager");

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern FENCE = Pattern.compile("(?ms)^```.*?^```");
    private static final Pattern NAME = Pattern.compile("`([A-Z]\\w*[a-z]\\w*)(?:\\.([a-zA-Z]\\w*)(?:\\(\\))?)?`");
    private static final Pattern LINK = Pattern.compile("\\]\\((?!https?:)([^)#\\s]*)(?:#([^)\\s]+))?\\)");
    private static final Pattern TYPE = Pattern.compile("\\b(?:class|record|enum|interface) ([A-Z]\\w*)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.+)$");

    /** Text of the source file of each class, nested ones too. */
    private static final Map<String, String> SOURCES = new HashMap<>();

    private static final List<Path> PAGES = new ArrayList<>();

    @BeforeAll
    static void read() throws IOException {
        for (Path module : list(ROOT)) {
            for (String sources : List.of("src/main/java", "src/test/java")) {
                if (Files.isDirectory(module.resolve(sources))) {
                    filesBelow(module.resolve(sources), ".java").forEach(DocumentationTest::addTypes);
                }
            }
        }
        for (Path folder : List.of(ROOT, ROOT.resolve("docs"), ROOT.resolve("demo"))) {
            list(folder).stream()
                    .filter(file -> file.toString().endsWith(".md"))
                    .forEach(PAGES::add);
        }
        assertThat(PAGES).hasSizeGreaterThan(5);
        assertThat(SOURCES).containsKeys("DocumentationTest", "Main");
    }

    @Test
    void everyClassAndMemberThatAPageNamesExists() {
        Set<String> missing = new HashSet<>();
        for (Path page : PAGES) {
            for (MatchResult match : matches(NAME, text(page))) {
                String source = SOURCES.get(match.group(1));
                boolean exists = source == null
                        ? OTHERS.contains(match.group(1))
                        : match.group(2) == null || source.matches("(?s).*\\b" + match.group(2) + "\\b.*");
                if (!exists) {
                    missing.add(ROOT.relativize(page) + ": " + match.group());
                }
            }
        }
        assertThat(missing).isEmpty();
    }

    @Test
    void everyLinkLeadsToAFileAndAHeading() {
        Set<String> broken = new HashSet<>();
        for (Path page : PAGES) {
            for (MatchResult match : matches(LINK, text(page))) {
                Path target = match.group(1).isEmpty()
                        ? page
                        : page.resolveSibling(match.group(1)).normalize();
                boolean leads = Files.exists(target)
                        && (match.group(2) == null || anchors(text(target)).contains(match.group(2)));
                if (!leads) {
                    broken.add(ROOT.relativize(page) + ": " + match.group());
                }
            }
        }
        assertThat(broken).isEmpty();
    }

    private static void addTypes(Path file) {
        String source = read(file);
        matches(TYPE, source).forEach(match -> SOURCES.merge(match.group(1), source, String::concat));
    }

    /** The anchors of headings as GitHub makes them. */
    private static Set<String> anchors(String page) {
        return matches(HEADING, page).stream()
                .map(match -> match.group(1)
                        .strip()
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\w\\- ]", "")
                        .replace(' ', '-'))
                .collect(Collectors.toSet());
    }

    /** The page without its blocks of code. */
    private static String text(Path page) {
        return FENCE.matcher(read(page)).replaceAll("");
    }

    private static List<MatchResult> matches(Pattern pattern, String text) {
        return pattern.matcher(text).results().toList();
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().toList();
        }
    }

    private static List<Path> filesBelow(Path folder, String ending) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(ending)).toList();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
