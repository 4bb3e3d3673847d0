package io.github.rarspark.conf;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Reads the table of a {@link Settings} annotation and checks it against the annotated record. */
final class SettingsTable {
    private static final List<String> COLUMNS = List.of("key", "type", "default", "range", "hashed", "meaning");

    /** A line without bars continues the line above. */
    private static final Pattern CONTINUATION = Pattern.compile("\\n *([^|\\n]+)(?=\\n)");

    private SettingsTable() {}

    private record Row(String key, String type, String defaultText, String range, String hashed, String meaning) {

        Key toKey(String prefix, Class<?> componentType) {
            return new Key(prefix + key, componentType, defaultText, new Range(range), meaning, hashed.equals("yes"));
        }
    }

    /**
     * Returns the keys of a record, without those of its sections.
     *
     * @param prefix the prefix of their names, such as {@code train.}
     * @throws IllegalStateException if the table is malformed or does not describe the record's components
     */
    static List<Key> keys(Class<?> record, String prefix) {
        List<Row> rows = rows(record);
        List<RecordComponent> components = Arrays.stream(record.getRecordComponents())
                .filter(component -> !component.getType().isRecord())
                .toList();
        List<String> declared =
                rows.stream().map(row -> row.key + " " + row.type).toList();
        List<String> needed = components.stream()
                .map(component -> name(component) + " " + type(component))
                .toList();
        require(declared.equals(needed), record, "has rows for " + declared + ", the components are " + needed);
        List<Key> keys = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            keys.add(rows.get(i).toKey(prefix, components.get(i).getType()));
        }
        return keys;
    }

    /** The user-facing name of a component. */
    static String name(RecordComponent component) {
        return component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    private static String type(RecordComponent component) {
        return component.getGenericType().getTypeName().replaceAll("\\w+\\.", "");
    }

    private static List<Row> rows(Class<?> record) {
        Settings table = record.getAnnotation(Settings.class);
        if (table == null) {
            return List.of();
        }
        List<List<String>> lines = CONTINUATION
                .matcher(table.value())
                .replaceAll(" $1")
                .lines()
                .map(line ->
                        Arrays.stream(line.split("\\|", -1)).map(String::strip).toList())
                .toList();
        require(!lines.isEmpty() && lines.get(0).equals(COLUMNS), record, "has no header with the columns " + COLUMNS);
        List<Row> rows = new ArrayList<>();
        for (List<String> cells : lines.subList(1, lines.size())) {
            require(cells.size() == COLUMNS.size(), record, "has a row without six cells: " + cells);
            Row row = new Row(cells.get(0), cells.get(1), cells.get(2), cells.get(3), cells.get(4), cells.get(5));
            require(row.hashed.matches("yes|no"), record, "says of " + row.key + " neither yes nor no");
            rows.add(row);
        }
        return rows;
    }

    private static void require(boolean holds, Class<?> record, String problem) {
        if (!holds) {
            throw new IllegalStateException("The table of settings of " + record.getSimpleName() + " " + problem);
        }
    }
}
