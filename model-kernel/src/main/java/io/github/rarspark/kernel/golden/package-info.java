/**
 * Golden cases: folders of inputs and the results that the public implementations compute from them, with which ours
 * are compared.
 */
package io.github.rarspark.kernel.golden;
