package io.github.rarspark.train.coordinator;

import java.io.Serializable;

/**
 * Where ranks reach the driver. Travels to the executors inside the task; never log it.
 *
 * @param secret proves that a connection comes from this job; a random number of 128 bits in hexadecimal
 */
public record CoordinatorAddress(String host, int port, String secret) implements Serializable {
    @Override
    public String toString() {
        return host + ":" + port;
    }
}
