package io.github.rarspark.cli;

import java.io.PrintStream;

/** Whether the user or the scheduler has told this process to end. Says so once, whatever fails because of it. */
final class Interruption {

    private volatile boolean happened;
    private volatile boolean commandEnded;

    private Interruption() {}

    /** Never happens by itself. */
    static Interruption none() {
        return new Interruption();
    }

    /** Happens when the JVM is told to shut down before {@link #commandEnded}; then prints a line. */
    static Interruption announcedOn(PrintStream err) {
        Interruption interruption = new Interruption();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> interruption.shutDown(err), "interruption"));
        return interruption;
    }

    void shutDown(PrintStream err) {
        if (!commandEnded) {
            happened = true;
            err.println("rar-spark: interrupted; the same command goes on where this one ended");
        }
    }

    void commandEnded() {
        commandEnded = true;
    }

    boolean happened() {
        return happened;
    }
}
