package io.github.rarspark.conf;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** docs/recipes.md is made from the table of keys: {@code mvn -pl conf test -Dtest=RecipeDocsTest -Dwrite.docs=true}. */
class RecipeDocsTest {

    private static final Path PAGE = Path.of("..", "docs", "recipes.md");

    @Test
    void pageListsTheKeysAsTheyAre() throws IOException {
        String page = page();
        if (Boolean.getBoolean("write.docs")) {
            Files.createDirectories(PAGE.getParent());
            Files.writeString(PAGE, page);
        }
        assertThat(Files.readString(PAGE))
                .as("docs/recipes.md; write it anew with -Dwrite.docs=true")
                .isEqualTo(page);
    }

    private static String page() {
        StringBuilder page = new StringBuilder(
                """
                # Recipes

                <!-- Made from the records in conf by RecipeDocsTest; edit those, then run
                     mvn -pl conf test -Dtest=RecipeDocsTest -Dwrite.docs=true -->

                A recipe is a YAML file of sections and keys; it says everything that decides what a job computes.
                `--recipe` takes the name of a shipped one, a file or a URI. A key can be set in four places; the first
                in this list wins:

                1. the command line: the option of the command (`--output`), or `--set train.batch=64`;
                2. the Spark configuration: `--conf spark.rar.train.batch=64`;
                3. the recipe;
                4. the default.

                An unknown key is an error that lists the near ones; so is a value or a combination that cannot work.
                A recipe may start from a shipped one: `extends: rar-b`.

                ```yaml
                extends: rar-b
                train:
                  batch: 1024
                  micro_batch: 16
                ```

                Every result carries the SHA-256 of the recipe that made it, of the keys that differ from their
                default. Keys marked with ° are left out of it: they cannot change the result, `train.ranks` and
                `train.micro_batch` no more than by rounding. Locations are among them, since what lies there is
                checked by its own hash.

                ## Shipped recipes

                | recipe | what |
                |---|---|
                """);
        for (String name : Recipes.names()) {
            String first = Recipes.text(name).lines().findFirst().orElseThrow();
            page.append("| [`%s`](../conf/recipes/%s.yaml) | %s |\n".formatted(name, name, first.substring(2)));
        }
        String section = null;
        for (Key key : Recipe.KEYS.all()) {
            if (!key.section().equals(section)) {
                section = key.section();
                page.append("\n## %s\n\n".formatted(section.isEmpty() ? "General" : "`" + section + "`"));
                page.append("| key | type | default | meaning |\n|---|---|---|---|\n");
            }
            page.append("| `%s`%s | %s | %s | %s |\n"
                    .formatted(
                            key.name(),
                            key.altersResult() ? "" : "°",
                            key.typeText(),
                            key.defaultText().isEmpty() ? "" : "`" + key.defaultText() + "`",
                            key.description()));
        }
        return page.toString();
    }

    @Test
    void eachKeyIsDescribedInOneSentence() {
        List<String> wrong = Recipe.KEYS.all().stream()
                .filter(key -> !key.description().matches("[A-Z].{10,}\\."))
                .map(Key::name)
                .collect(Collectors.toList());
        assertThat(wrong).isEmpty();
    }
}
