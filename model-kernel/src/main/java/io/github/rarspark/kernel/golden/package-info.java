/**
 * Golden cases: folders of inputs and the numbers that the public implementations compute from them, which ours are
 * compared with.
 */
package io.github.rarspark.kernel.golden;
