/** Weight files, and the models that the tasks of an executor share. */
package io.github.rarspark.common.weights;
