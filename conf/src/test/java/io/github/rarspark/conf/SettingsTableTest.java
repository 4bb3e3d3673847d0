package io.github.rarspark.conf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The tables of the recipe's own records are checked when their keys are read, so by every other test. */
class SettingsTableTest {

    @Settings(
            """
            key       | type          | default | range  | hashed | meaning
            last_step | int           | 7       | [0, 9] | yes    | The step
                                                                  after which it ends.
            some      | List<Integer> |         |        | no     | Some numbers.
            """)
    record Whole(int lastStep, List<Integer> some) {}

    @Test
    void aRowBecomesAKey() {
        assertThat(new Keys<>(Whole.class).all())
                .containsExactly(
                        new Key(
                                "last_step",
                                int.class,
                                "7",
                                new Range("[0, 9]"),
                                "The step after which it ends.",
                                true),
                        new Key("some", List.class, "", new Range(""), "Some numbers.", false));
    }

    @Settings(
            """
            key   | type | default | range | hashed | meaning
            first | int  | 0       |       | yes    | A number.
            """)
    record MissingRow(int first, int second) {}

    @Settings(
            """
            key    | type | default | range | hashed | meaning
            second | int  | 0       |       | yes    | A number.
            first  | int  | 0       |       | yes    | A number.
            """)
    record OtherOrder(int first, int second) {}

    @Settings(
            """
            key   | type   | default | range | hashed | meaning
            first | double | 0       |       | yes    | A number.
            """)
    record OtherType(int first) {}

    record NoTable(int first) {}

    @Test
    void aTableThatDoesNotDescribeTheComponentsNamesBoth() {
        assertWrong(MissingRow.class, "has rows for [first int], the components are [first int, second int]");
        assertWrong(
                OtherOrder.class, "has rows for [second int, first int], the components are [first int, second int]");
        assertWrong(OtherType.class, "has rows for [first double], the components are [first int]");
        assertWrong(NoTable.class, "has rows for [], the components are [first int]");
    }

    @Settings(
            """
            key   | type | range | default | hashed | meaning
            first | int  |       | 0       | yes    | A number.
            """)
    record OtherHeader(int first) {}

    @Settings(
            """
            key   | type | default | range | hashed | meaning
            first | int  | 0       | yes    | A number.
            """)
    record MissingCell(int first) {}

    @Settings(
            """
            key   | type | default | range | hashed | meaning
            first | int  | 0       |       | maybe  | A number.
            """)
    record NeitherYesNorNo(int first) {}

    @Test
    void aMalformedTableIsRefused() {
        assertWrong(OtherHeader.class, "has no header with the columns [key, type, default, range, hashed, meaning]");
        assertWrong(MissingCell.class, "has a row without six cells: [first, int, 0, yes, A number.]");
        assertWrong(NeitherYesNorNo.class, "says of first neither yes nor no");
    }

    @Settings(
            """
            key   | type | default | range | hashed | meaning
            first | int  | 0       | [1, ) | yes    | A number.
            """)
    record DefaultOutOfRange(int first) {}

    @Settings(
            """
            key   | type | default | range | hashed | meaning
            first | int  | 1       | >= 1  | yes    | A number.
            """)
    record MalformedRange(int first) {}

    @Test
    void aRangeIsWellFormedAndHoldsTheDefault() {
        assertThatThrownBy(() -> new Keys<>(DefaultOutOfRange.class))
                .isInstanceOf(RecipeException.class)
                .hasMessage("Cannot use first=0 (from the default): give integer of at least 1");
        assertThatThrownBy(() -> new Keys<>(MalformedRange.class))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Malformed range >= 1: write it as [0, 1) or (0, )");
    }

    private static void assertWrong(Class<? extends Record> record, String problem) {
        assertThatThrownBy(() -> new Keys<>(record))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("The table of settings of " + record.getSimpleName() + " " + problem);
    }
}
