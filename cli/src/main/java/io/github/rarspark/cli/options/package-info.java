/** Options that commands share, and what they mean. */
package io.github.rarspark.cli.options;
