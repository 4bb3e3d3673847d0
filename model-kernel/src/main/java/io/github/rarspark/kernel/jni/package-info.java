/** Declarations of the native bridge and its loading; the typed utilities over it are in {@code kernel.tensor}. */
package io.github.rarspark.kernel.jni;
