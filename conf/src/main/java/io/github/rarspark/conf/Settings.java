package io.github.rarspark.conf;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Declares the components of {@link Recipe} or of one of its sections as keys that users can set: a table with a header
 * and a row for each component that is not a section, in the order of the components. Validation, {@code --help} and
 * the documentation are made from it. Its columns, separated by bars:
 *
 * <ul>
 *   <li>{@code key}: the component's name in snake case; users write it after the section's name and a dot
 *   <li>{@code type}: the component's
 *   <li>{@code default}: in the notation of the command line; empty means not given
 *   <li>{@code range}: the {@link Range} of a number
 *   <li>{@code hashed}: {@code yes} if the value can change the bytes of a result, so that the recipe's hash must
 *       include it; otherwise {@code no}
 *   <li>{@code meaning}: a sentence for users; a line without bars continues it
 * </ul>
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@interface Settings {

    /** The table. */
    String value();
}
