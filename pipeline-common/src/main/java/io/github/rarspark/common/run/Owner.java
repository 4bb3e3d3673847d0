package io.github.rarspark.common.run;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;

/**
 * {@code _owner.json}: the last heartbeat of the driver that works on an output.
 *
 * @param id unique to this driver
 * @param host the host name, for display only
 * @param pid the process id of the driver
 * @param bootId the kernel's identifier of this boot; empty where the system has none
 * @param pidNamespace the namespace that {@code pid} belongs to; empty where the system has none
 * @param startTicks start time of the process in clock ticks since boot; -1 if unknown
 * @param renewed when the heartbeat was written, by the driver's clock
 * @param heartbeats the number of earlier heartbeats
 * @param leaseSeconds how long after it the owner counts as alive; 0 once it has released the output
 */
record Owner(
        String id,
        String host,
        long pid,
        String bootId,
        String pidNamespace,
        long startTicks,
        Instant renewed,
        long heartbeats,
        long leaseSeconds) {
    static final String NAME = "_owner.json";

    /** This process, under a new identity. */
    static Owner ofThisProcess(Instant now, Duration lease) {
        return of(UUID.randomUUID().toString(), DriverProcess.current(), now, 0, lease.toSeconds());
    }

    private static Owner of(String id, DriverProcess process, Instant renewed, long heartbeats, long leaseSeconds) {
        return new Owner(
                id,
                process.host(),
                process.pid(),
                process.bootId(),
                process.pidNamespace(),
                process.startTicks(),
                renewed,
                heartbeats,
                leaseSeconds);
    }

    Owner renewedAt(Instant now) {
        return of(id, process(), now, heartbeats + 1, leaseSeconds);
    }

    Owner released() {
        return of(id, process(), renewed, heartbeats, 0);
    }

    /** Whether it has released the output, or its process is known to have ended. */
    boolean hasEnded() {
        return leaseSeconds == 0 || process().state() == DriverProcess.State.ENDED;
    }

    /** Whether its process is known to run on this machine and its lease has not expired. */
    boolean isAlive(Instant now) {
        return process().state() == DriverProcess.State.RUNNING && now.isBefore(renewed.plusSeconds(leaseSeconds));
    }

    private DriverProcess process() {
        return new DriverProcess(host, pid, bootId, pidNamespace, startTicks);
    }
}
