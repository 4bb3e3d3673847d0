/** The command doctor: what a cluster offers, and the settings that would let a job run. */
package io.github.rarspark.cli.doctor;
