package io.github.rarspark.common.storage;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.Failures;
import io.github.rarspark.common.JobException;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.ParentNotDirectoryException;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.security.AccessControlException;

/**
 * Recognizes file system failures that a retry cannot fix, and gives the line for the user. Neither Java nor Hadoop has
 * exception types for most of them, so they are recognized by the operating system's messages.
 */
final class StorageFailures {
    private static final Pattern FULL = Pattern.compile("No space left on device|Disk quota exceeded|DiskOutOfSpace");
    private static final Pattern TOO_LONG = Pattern.compile("File name too long|maximum path component name limit");
    private static final Pattern UNSUPPORTED = Pattern.compile("Operation not (permitted|supported)|Function not impl");
    private static final Pattern QUOTA = Pattern.compile("QuotaExceeded|StorageCapacityExceeded");

    private StorageFailures() {}

    /** Whether the file system does not support the operation. */
    static boolean isUnsupported(IOException failure) {
        return UNSUPPORTED.matcher(String.valueOf(failure.getMessage())).find();
    }

    /**
     * {@code failure} to write {@code path}: with its own message and code if a retry cannot help, otherwise unchanged.
     */
    static IOException writing(String path, IOException failure) {
        String message = String.valueOf(failure.getMessage());
        if (TOO_LONG.matcher(message).find()) {
            throw cannotWrite(ExitCode.USAGE, path, "a name in the path is too long; choose a shorter one", failure);
        }
        if (FULL.matcher(message).find()
                || QUOTA.matcher(failure.getClass().getName()).find()) {
            throw cannotWrite(
                    ExitCode.UNAVAILABLE,
                    path,
                    "no space is left on the device or in the quota; free some or choose another place, then run again",
                    failure);
        }
        if (message.contains("Read-only file system")) {
            throw cannotWrite(
                    ExitCode.UNAVAILABLE, path, "the file system is read-only; choose another place", failure);
        }
        if (failure instanceof AccessDeniedException refused
                && Failures.refusal(refused).isPresent()) {
            throw cannotWrite(
                    ExitCode.UNAVAILABLE, path, Failures.refusal(refused).get(), failure);
        }
        if (failure instanceof AccessControlException || failure instanceof AccessDeniedException) {
            throw cannotWrite(
                    ExitCode.UNAVAILABLE,
                    path,
                    "permission denied; choose another place or change its permissions",
                    failure);
        }
        if (failure instanceof ParentNotDirectoryException
                || failure instanceof FileAlreadyExistsException
                || message.endsWith("Not a directory")) {
            throw cannotWrite(
                    ExitCode.USAGE, path, "a file has the name of a parent directory; choose another path", failure);
        }
        return failure;
    }

    /** A directory has the name of the object to write. */
    static JobException isDirectory(String path) {
        return cannotWrite(ExitCode.USAGE, path, "it is a directory; choose another name", null);
    }

    /** A device or pipe has the name of the object to write. */
    static JobException isSpecial(String path) {
        return cannotWrite(ExitCode.USAGE, path, "it is a device or a pipe; choose another name", null);
    }

    /** The file system, such as {@code /proc}, has no directory there and creates none. */
    static JobException noDirectory(String path, IOException failure) {
        return cannotWrite(
                ExitCode.UNAVAILABLE, path, "its directory cannot be created; choose another place", failure);
    }

    /** {@code failure} to reach the file system of {@code path}: with its own message if the URI is wrong. */
    static RuntimeException reaching(String path, IllegalArgumentException failure) {
        return failure.getCause() instanceof UnknownHostException
                ? new JobException(
                        ExitCode.NO_INPUT,
                        "Cannot reach " + path + ": the host "
                                + failure.getCause().getMessage() + " is unknown; correct the URI",
                        failure)
                : failure;
    }

    /** A URI with a password, which would end up in plans, results and logs. */
    static JobException password(String scheme) {
        return new JobException(
                ExitCode.USAGE,
                "Cannot use a URI of " + scheme
                        + " with a password: take it out; docs/security.md says where it belongs");
    }

    /** A URI whose scheme is not supported. */
    static JobException unsupported(String path, String scheme, UnsupportedFileSystemException failure) {
        return new JobException(
                ExitCode.USAGE,
                "Cannot use " + path + ": no file system for the scheme " + scheme
                        + "; use file:, hdfs: or s3a:, or add its connector to the class path (--packages)",
                failure);
    }

    private static JobException cannotWrite(ExitCode code, String path, String why, IOException failure) {
        return new JobException(code, "Cannot write " + path + ": " + why, failure);
    }
}
