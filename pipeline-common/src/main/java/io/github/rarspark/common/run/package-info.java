/**
 * The life of an output directory: the plan that claims it, the owner that works on it, the manifest and the result
 * that finish it. These classes run on the driver.
 */
package io.github.rarspark.common.run;
