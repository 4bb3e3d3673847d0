package io.github.rarspark.common.run;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A driver's process, as {@code _owner.json} names it. The pid is unique only within one boot of one kernel and one PID
 * namespace: containers may share a host name, and pids are reused.
 *
 * @param host the host name, for display only
 * @param pid the process id
 * @param bootId the kernel's identifier of this boot; empty where the system has none
 * @param pidNamespace the namespace of the pid; empty where the system has none
 * @param startTicks start time of the process in clock ticks since boot; -1 if unknown
 */
record DriverProcess(String host, long pid, String bootId, String pidNamespace, long startTicks) {
    private static final Path PROC = Path.of("/proc");
    private static final int STATE_FIELD = 0;
    private static final int START_FIELD = 19;
    private static final long UNKNOWN = -1;

    /** What this process knows about another one. */
    enum State {
        /** It runs. */
        RUNNING,
        /** It has ended. */
        ENDED,
        /** It runs elsewhere, or its state cannot be determined. */
        UNKNOWN
    }

    /** This process. */
    static DriverProcess current() {
        long pid = ProcessHandle.current().pid();
        return new DriverProcess(hostName(), pid, readBootId(), readPidNamespace(), readStartTicks(pid));
    }

    /** The state of the process, as far as it can be determined from here. */
    State state() {
        DriverProcess here = current();
        // Files of older versions have neither.
        boolean sameNumbers = !here.bootId.isEmpty()
                && here.bootId.equals(bootId)
                && !here.pidNamespace.isEmpty()
                && here.pidNamespace.equals(pidNamespace);
        // Where other users' processes are hidden, a missing one says nothing.
        if (!sameNumbers || startTicks == UNKNOWN || !Files.isReadable(PROC.resolve("1/stat"))) {
            return State.UNKNOWN;
        }
        return readStartTicks(pid) == startTicks ? State.RUNNING : State.ENDED;
    }

    private static String readBootId() {
        try {
            return Files.readString(PROC.resolve("sys/kernel/random/boot_id")).strip();
        } catch (IOException e) {
            return "";
        }
    }

    private static String readPidNamespace() {
        try {
            return Files.readSymbolicLink(PROC.resolve("self/ns/pid")).toString();
        } catch (IOException | UnsupportedOperationException e) {
            return "";
        }
    }

    /** From {@code /proc/PID/stat}; unknown if there is no such process, or it is a zombie. */
    private static long readStartTicks(long pid) {
        try {
            String stat = Files.readString(PROC.resolve(pid + "/stat"));
            // The second field is the command in parentheses, which may hold blanks and parentheses itself.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ");
            boolean isZombie = fields[STATE_FIELD].equals("Z") || fields[STATE_FIELD].equals("X");
            return isZombie ? UNKNOWN : Long.parseLong(fields[START_FIELD]);
        } catch (IOException e) {
            return UNKNOWN;
        }
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "a host without a name";
        }
    }
}
