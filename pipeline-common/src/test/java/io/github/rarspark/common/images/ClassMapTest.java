package io.github.rarspark.common.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.common.testing.JobAssert;
import io.github.rarspark.kernel.error.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClassMapTest {
    @TempDir
    Path temp;

    private final Storage storage = new Storage(new Configuration());

    @ParameterizedTest
    @ValueSource(
            strings = {
                "n02 tench, Tinca\nn01\tgoldfish\r\n\nn03   shark \n",
                "{\"1\": [\"n01\", \"goldfish\"], \"0\": [\"n02\", \"tench, Tinca\"], \"2\": [\"n03\", \"shark\"]}"
            })
    void namesAreInTheOrderOfTheIds(String text) throws Exception {
        ClassMap map = map(text);
        assertThat(map.labels()).containsExactly("tench, Tinca", "goldfish", "shark");
        assertThat(map.id("n01")).hasValue(1);
        assertThat(map.id("n03")).hasValue(2);
        assertThat(map.id("2")).hasValue(2);
        assertThat(map.id("3")).isEmpty();
        assertThat(map.id("shark")).isEmpty();
        assertThat(map.id("-1")).isEmpty();
        assertThat(map.id("99999999999")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"b\na\n", "{\"0\": \"b\", \"1\": [\"a\"]}", " {\"a\": 1, \"b\": 0}"})
    void aClassWithoutALabelHasItsName(String text) throws Exception {
        ClassMap map = map(text);
        assertThat(map.labels()).containsExactly("b", "a");
        assertThat(map.id("a")).hasValue(1);
    }

    @Test
    void aNameThatIsANumberIsNoId() throws Exception {
        assertThat(map("1\n0\n").id("0")).hasValue(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a x;b;a y | it has the name a twice",
                "{\"a\": 0, \"b\": 0} | it has the class id 0 twice",
                "{\"a\": 0, \"a\": 1} | it is not JSON, or has a key twice: Duplicate field 'a'",
                "{\"a\": 1} | it has 1 classes, and one of them has the id 1",
                "{\"a\": -1} | it has 1 classes, and one of them has the id -1",
                "{\"a\": \"b\"} | the key a is not a class id",
                "{\"0\": []} | the class 0 has no name",
                "{\"0\": [\"a\", 3]} | the class 0 has no name",
                "{\"0\": \"a\" | it is not JSON, or has a key twice: Unexpected end-of-input",
                "; ; | it has no classes"
            })
    void whatIsNoListOfClassesIsRefused(String text, String why) {
        assertThatThrownBy(() -> map(text.replace(';', '\n')))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("Cannot read the classes in " + temp.resolve("classes") + ": " + why)
                .hasMessageEndingWith("with ids from 0 on");
    }

    @Test
    void foldersHaveTheIdsOfTheMap() throws Exception {
        folders("n03/1.png", "n01/1.png", "0/1.png");
        ListedImages images = open("n02 tench\nn01 goldfish\nn03 shark\nn04 ray\n");
        assertThat(images.classNames()).containsExactly("tench", "goldfish", "shark", "ray");
        assertThat(labels(images)).containsExactly("0/1.png 0", "n01/1.png 1", "n03/1.png 2");
        assertThat(images.warnings()).containsExactly("n04 is a class without images");
        images.requireClasses("--input", 4);
        JobAssert.assertFails(ExitCode.DATA, () -> images.requireClasses("--input", 3))
                .isEqualTo("Cannot use the classes in " + temp.resolve("classes")
                        + ": it has 4, and model.classes=3; set model.classes=4, or give the file of these images");
    }

    @Test
    void anotherMapIsAnotherInput() throws Exception {
        folders("a/1.png", "b/1.png");
        String sorted = ImageSources.open(storage, "--input", images()).sha256();
        String mapped = open("a\nb\n").sha256();
        assertThat(mapped).isNotEqualTo(sorted).isNotEqualTo(open("b\na\n").sha256());
        assertThat(open("a\nb\n").sha256()).isEqualTo(mapped);
    }

    @Test
    void aFolderThatIsNotInTheMapIsRefused() throws Exception {
        folders("n01/1.png", "n09/1.png", "7/1.png");
        JobAssert.assertFails(ExitCode.DATA, () -> open("n01\nn02\n"))
                .isEqualTo("Cannot number the classes of " + images() + ": its folder 7 and 1 more are not in "
                        + temp.resolve("classes") + "; add the name there, or move the folder away");
    }

    private ClassMap map(String text) throws IOException {
        Path file = temp.resolve("classes");
        Files.writeString(file, text);
        return ClassMap.read(storage, file.toString());
    }

    private String images() {
        return temp.resolve("images").toString();
    }

    private void folders(String... names) throws IOException {
        for (String name : names) {
            Path file = temp.resolve("images").resolve(name);
            Files.createDirectories(file.getParent());
            Files.writeString(file, name);
        }
    }

    private ListedImages open(String map) throws IOException {
        return ImageSources.open(
                new ListingTasks(Optional.empty()), storage, "--input", images(), Optional.of(map(map)));
    }

    private List<String> labels(ListedImages images) throws IOException {
        List<String> labels = new ArrayList<>();
        for (ImageUnit unit : images.units(2)) {
            unit.read(storage, image -> labels.add(image.id() + " " + image.classId()));
        }
        return labels;
    }
}
