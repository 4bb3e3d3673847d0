/** Tests of the jobs on real clusters and of the scripts that start them. */
package io.github.rarspark.deploy;
