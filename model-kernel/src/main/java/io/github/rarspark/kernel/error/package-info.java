/** The failures that the kernel reports. */
package io.github.rarspark.kernel.error;
