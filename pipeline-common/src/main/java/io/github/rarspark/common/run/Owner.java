package io.github.rarspark.common.run;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * {@code _owner.json}: the last sign of life of the driver that works on an output.
 *
 * @param id unlike that of every other driver
 * @param host the machine's name
 * @param pid the driver's process there
 * @param processStarted when that process began, where the system tells; it distinguishes processes of one number
 * @param renewed when the sign was given
 * @param leaseSeconds how long after it the owner counts as alive; 0 once it has let go
 */
record Owner(String id, String host, long pid, Instant processStarted, Instant renewed, long leaseSeconds) {
    static final String NAME = "_owner.json";

    /** This process, under a new identity. */
    static Owner ofThisProcess(Instant now, Duration lease) {
        ProcessHandle process = ProcessHandle.current();
        return new Owner(
                UUID.randomUUID().toString(),
                hostName(),
                process.pid(),
                process.info().startInstant().orElse(null),
                now,
                lease.toSeconds());
    }

    Owner renewedAt(Instant now) {
        return new Owner(id, host, pid, processStarted, now, leaseSeconds);
    }

    Owner released() {
        return new Owner(id, host, pid, processStarted, renewed, 0);
    }

    /** Within its lease; an owner on this host is dead at once when its process is gone. */
    boolean isAlive(Instant now) {
        return now.isBefore(renewed.plusSeconds(leaseSeconds)) && !(host.equals(hostName()) && processIsGone());
    }

    private boolean processIsGone() {
        Optional<ProcessHandle> process = ProcessHandle.of(pid).filter(ProcessHandle::isAlive);
        if (process.isEmpty()) {
            return true;
        }
        Optional<Instant> started = process.get().info().startInstant();
        return processStarted != null && started.isPresent() && !started.get().equals(processStarted);
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            // A host that cannot name itself cannot vouch for a process either: only the lease counts.
            return "unnamed-" + UUID.randomUUID();
        }
    }
}
