package io.github.rarspark.conf;

import com.fasterxml.jackson.annotation.JsonValue;
import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.regex.Pattern;

/**
 * How many images of a job may be unusable: a number such as {@code 100}, or a share of the images such as {@code 0.1%}.
 * Not a record, which would be a section of a recipe.
 */
public final class BadLimit implements Serializable {
    /** What users may give, in words. */
    static final String NOTATION = "number of images such as 100, or a share of them such as 0.1%";

    private static final Pattern COUNT = Pattern.compile("\\d{1,18}");
    private static final Pattern SHARE = Pattern.compile("\\d{1,3}(\\.\\d{1,9})?%");
    private static final BigDecimal WHOLE = BigDecimal.valueOf(100);

    private final BigDecimal number;
    private final boolean share;

    private BadLimit(BigDecimal number, boolean share) {
        this.number = number;
        this.share = share;
    }

    /**
     * Parses the notation of the command line.
     *
     * @throws IllegalArgumentException if it is neither a number nor a share of at most 100 %
     */
    public static BadLimit parse(String text) {
        if (COUNT.matcher(text).matches()) {
            return new BadLimit(new BigDecimal(text), false);
        }
        if (SHARE.matcher(text).matches()) {
            BigDecimal percent = new BigDecimal(text.substring(0, text.length() - 1));
            if (percent.compareTo(WHOLE) <= 0) {
                return new BadLimit(percent.stripTrailingZeros(), true);
            }
        }
        throw new IllegalArgumentException(text);
    }

    /** Whether it depends on the number of images. */
    public boolean isShare() {
        return share;
    }

    /** The maximum number of unusable images of {@code images}; of a share, rounded down. */
    public long of(long images) {
        return share
                ? number.multiply(BigDecimal.valueOf(images))
                        .divide(WHOLE, 0, RoundingMode.DOWN)
                        .longValueExact()
                : number.longValueExact();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BadLimit limit && limit.toString().equals(toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    /** In the notation of the command line. */
    @JsonValue
    @Override
    public String toString() {
        return number.toPlainString() + (share ? "%" : "");
    }
}
