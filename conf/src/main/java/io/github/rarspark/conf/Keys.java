package io.github.rarspark.conf;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The keys of a record and of its sections, the records in it.
 *
 * @param <R> the record: {@link Recipe}, and others in tests
 */
public final class Keys<R extends Record> {
    private final Class<R> root;
    private final Map<String, Key> byName = new LinkedHashMap<>();

    /**
     * Reads the tables of {@code root} and of its sections.
     *
     * @throws IllegalStateException if a table does not describe its record
     * @throws RecipeException if a default is invalid
     */
    Keys(Class<R> root) {
        this.root = root;
        declare(root, "");
        byName.values().forEach(Key::defaultValue);
    }

    /** Returns all keys, the record's own before those of its sections, in the order of the tables. */
    public List<Key> all() {
        return List.copyOf(byName.values());
    }

    /**
     * Returns one key.
     *
     * @throws RecipeException if there is no such key; the message lists similar ones
     */
    public Key named(String name) {
        return named(name, "the program");
    }

    Key named(String name, String origin) {
        Key key = byName.get(name);
        if (key == null) {
            String near = Near.clause(name, byName.keySet());
            throw new RecipeException("Unknown key " + name + " (from " + origin + ")"
                    + (near.isEmpty() ? ": docs/recipes.md lists the keys" : near));
        }
        return key;
    }

    /** Builds the record that has these parsed values, one for each key. */
    R build(Map<Key, Object> values) {
        return root.cast(build(root, "", values));
    }

    /** The inverse of {@link #build}. */
    Map<Key, Object> values(R record) {
        Map<Key, Object> values = new LinkedHashMap<>();
        collect(record, "", values);
        return values;
    }

    private void declare(Class<?> record, String prefix) {
        SettingsTable.keys(record, prefix).forEach(key -> byName.put(key.name(), key));
        for (RecordComponent component : record.getRecordComponents()) {
            if (component.getType().isRecord()) {
                declare(component.getType(), prefix + SettingsTable.name(component) + ".");
            }
        }
    }

    private Object build(Class<?> record, String prefix, Map<Key, Object> values) {
        RecordComponent[] components = record.getRecordComponents();
        List<Object> arguments = new ArrayList<>();
        for (RecordComponent component : components) {
            String name = prefix + SettingsTable.name(component);
            Key key = byName.get(name);
            arguments.add(key == null ? build(component.getType(), name + ".", values) : values.get(key));
        }
        Class<?>[] types =
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        try {
            return record.getDeclaredConstructor(types).newInstance(arguments.toArray());
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RecipeException wrongCombination) {
                throw wrongCombination;
            }
            throw new IllegalStateException("Cannot build " + record.getSimpleName(), e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("Cannot build " + record.getSimpleName(), e);
        }
    }

    private void collect(Record record, String prefix, Map<Key, Object> values) {
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            String name = prefix + SettingsTable.name(component);
            Object value = value(record, component);
            if (value instanceof Record section) {
                collect(section, name + ".", values);
            } else {
                values.put(byName.get(name), value);
            }
        }
    }

    private static Object value(Record record, RecordComponent component) {
        try {
            return component.getAccessor().invoke(record);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("Cannot read " + component, e);
        }
    }
}
