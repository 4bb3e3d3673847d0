package io.github.rarspark.conf;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Declares a record component of {@link Recipe} or of one of its sections as a key that users can set. This is the only
 * place where a key is declared: its name is the component's in snake case behind the section's, its type is the
 * component's, and validation, {@code --help} and the documentation are made from the rest.
 */
@Target(ElementType.RECORD_COMPONENT)
@Retention(RetentionPolicy.RUNTIME)
@interface Setting {

    /** The default, in the notation of the command line. */
    String value();

    /** One sentence for people. */
    String doc();

    /** The allowed interval of a number in mathematical notation, for example {@code (0, 1]} or {@code [1, )}. */
    String range() default "";

    /** Whether another value can change the bytes of a result, so that the recipe's hash has to cover it. */
    boolean altersResult() default true;
}
