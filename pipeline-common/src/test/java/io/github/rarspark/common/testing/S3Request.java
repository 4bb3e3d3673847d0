package io.github.rarspark.common.testing;

import java.util.regex.Pattern;

/**
 * A request to an S3 server.
 *
 * @param operation its name in the API, such as {@code PutObject}
 * @param target the path and the query
 */
public record S3Request(String operation, String target) {
    private static final Pattern BUCKET = Pattern.compile("^/[^/?]*/?");

    static S3Request of(HttpMessage request) {
        String method = request.word(0);
        String target = request.word(1);
        String query = target.replaceFirst("^[^?]*\\??", "");
        boolean isOfBucket = BUCKET.matcher(target)
                .replaceFirst("")
                .replaceFirst("\\?.*", "")
                .isEmpty();
        boolean copies = request.header("x-amz-copy-source").isPresent();
        return new S3Request(isOfBucket ? ofBucket(method, query) : ofObject(method, query, copies), target);
    }

    /** The key, as it is encoded in the path; empty if the request is about the bucket. */
    public String key() {
        return BUCKET.matcher(target).replaceFirst("").replaceFirst("\\?.*", "");
    }

    private static String ofBucket(String method, String query) {
        return switch (method) {
            case "PUT" -> "CreateBucket";
            case "HEAD" -> "HeadBucket";
            case "POST" -> query.startsWith("delete") ? "DeleteObjects" : method + " ?" + query;
            case "GET" -> query.startsWith("uploads")
                    ? "ListMultipartUploads"
                    : query.startsWith("location") ? "GetBucketLocation" : "ListObjects";
            default -> method + " ?" + query;
        };
    }

    private static String ofObject(String method, String query, boolean copies) {
        boolean isOfUpload = query.contains("uploadId=");
        return switch (method) {
            case "GET" -> isOfUpload ? "ListParts" : "GetObject";
            case "HEAD" -> "HeadObject";
            case "PUT" -> (isOfUpload ? "UploadPart" : copies ? "CopyObject" : "PutObject")
                    + (isOfUpload && copies ? "Copy" : "");
            case "POST" -> isOfUpload ? "CompleteMultipartUpload" : "CreateMultipartUpload";
            case "DELETE" -> isOfUpload ? "AbortMultipartUpload" : "DeleteObject";
            default -> method + " ?" + query;
        };
    }
}
