package io.github.rarspark.conf;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The table of keys, made from the {@link Setting} annotations on {@link Recipe} and the records of its sections. */
public final class Keys {

    private static final Map<String, Key> TABLE = table();

    private Keys() {}

    /** Returns all keys in the order in which the records declare them. */
    public static List<Key> all() {
        return List.copyOf(TABLE.values());
    }

    /**
     * Returns one key.
     *
     * @throws RecipeException if there is none of this name; the message lists near ones
     */
    public static Key named(String name) {
        return named(name, "the program");
    }

    static Key named(String name, String origin) {
        Key key = TABLE.get(name);
        if (key == null) {
            String near = Near.clause(name, TABLE.keySet());
            throw new RecipeException("Unknown key " + name + " (from " + origin + ")"
                    + (near.isEmpty() ? ": docs/recipes.md lists the keys" : near));
        }
        return key;
    }

    /** Builds the recipe that has these parsed values, one for each key. */
    static Recipe recipe(Map<Key, Object> values) {
        return (Recipe) build(Recipe.class, "", values);
    }

    /** The inverse of {@link #recipe}. */
    static Map<Key, Object> values(Recipe recipe) {
        Map<Key, Object> values = new LinkedHashMap<>();
        collect(recipe, "", values);
        return values;
    }

    private static Map<String, Key> table() {
        Map<String, Key> table = new LinkedHashMap<>();
        declare(Recipe.class, "", table);
        return Collections.unmodifiableMap(table);
    }

    private static void declare(Class<?> record, String prefix, Map<String, Key> table) {
        for (RecordComponent component : record.getRecordComponents()) {
            String name = prefix + snake(component);
            Setting setting = component.getAnnotation(Setting.class);
            if (setting == null) {
                declare(component.getType(), name + ".", table);
            } else {
                table.put(
                        name,
                        new Key(
                                name,
                                component.getType(),
                                setting.value(),
                                new Range(setting.range()),
                                setting.doc(),
                                setting.altersResult()));
            }
        }
    }

    private static Object build(Class<?> record, String prefix, Map<Key, Object> values) {
        RecordComponent[] components = record.getRecordComponents();
        List<Object> arguments = new ArrayList<>();
        for (RecordComponent component : components) {
            String name = prefix + snake(component);
            Key key = TABLE.get(name);
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

    private static void collect(Record record, String prefix, Map<Key, Object> values) {
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            String name = prefix + snake(component);
            Object value = value(record, component);
            if (value instanceof Record section) {
                collect(section, name + ".", values);
            } else {
                values.put(TABLE.get(name), value);
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

    private static String snake(RecordComponent component) {
        return component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }
}
