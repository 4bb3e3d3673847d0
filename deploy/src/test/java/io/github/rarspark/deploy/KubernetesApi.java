package io.github.rarspark.deploy;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.crud.AttributeSet;
import java.net.InetAddress;
import java.net.Socket;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import okhttp3.HttpUrl;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okhttp3.mockwebserver.MockResponse;
import okhttp3.mockwebserver.MockWebServer;
import okhttp3.mockwebserver.RecordedRequest;

/**
 * An API server of Kubernetes, which keeps objects and tells those who watch them. It knows no schemas and no rights, but
 * records which rights its clients would have needed.
 */
final class KubernetesApi implements AutoCloseable {
    private static final Logger REQUESTS = Logger.getLogger(MockWebServer.class.getName());
    /** Names the clients that are part of the cluster or the test. */
    private static final String OURS = "test";

    private final Set<String> used = ConcurrentHashMap.newKeySet();
    private final KubernetesMockServer server =
            new KubernetesMockServer(new Context(), new MockWebServer(), new HashMap<>(), new Objects(), false);

    private KubernetesApi() {}

    /** A server that listens on the loopback device. */
    static KubernetesApi start() {
        REQUESTS.setLevel(Level.WARNING);
        KubernetesApi api = new KubernetesApi();
        api.server.init(InetAddress.getLoopbackAddress(), 0);
        return api;
    }

    /**
     * The objects. Beyond what the library does, pods are pending from the start, and applying an object that is not there
     * creates it.
     */
    private final class Objects extends KubernetesCrudDispatcher {
        private final Object changes = new Object();

        @Override
        public MockResponse dispatch(RecordedRequest request) {
            if (!OURS.equals(request.getHeader("User-Agent"))) {
                used.addAll(rights(request));
            }
            return super.dispatch(request);
        }

        @Override
        public MockResponse handlePatch(RecordedRequest request) {
            String path = request.getPath();
            if (!isApply(request) || findResource(getKey(path)) != null) {
                return super.handlePatch(request);
            }
            String collection = path.substring(0, path.lastIndexOf('/'));
            return handleCreate(new RecordedRequest(
                    "POST " + collection + " HTTP/1.1",
                    request.getHeaders(),
                    request.getChunkSizes(),
                    request.getBodySize(),
                    request.getBody(),
                    request.getSequenceNumber(),
                    new Socket()));
        }

        /** The library goes through the objects when a watch opens, and does not expect them to change meanwhile. */
        @Override
        public MockResponse handleWatch(String path) {
            MockResponse response = super.handleWatch(path);
            return response.withWebSocketUpgrade(new OpeningAlone(response.getWebSocketListener(), changes));
        }

        @Override
        public void processEvent(
                String path,
                AttributeSet pathAttributes,
                AttributeSet old,
                GenericKubernetesResource resource,
                String state) {
            String created = state;
            if (old == null && resource != null && resource.getKind().equals("Pod")) {
                resource.getAdditionalProperties().putIfAbsent("status", Map.of("phase", "Pending"));
                created = Serialization.asJson(resource);
            }
            synchronized (changes) {
                super.processEvent(path, pathAttributes, old, resource, created);
            }
        }
    }

    /** A listener that holds a lock while it is opened. */
    private static final class OpeningAlone extends WebSocketListener {
        private final WebSocketListener listener;
        private final Object lock;

        OpeningAlone(WebSocketListener listener, Object lock) {
            this.listener = listener;
            this.lock = lock;
        }

        @Override
        public void onOpen(WebSocket socket, Response response) {
            synchronized (lock) {
                listener.onOpen(socket, response);
            }
        }

        @Override
        public void onMessage(WebSocket socket, String text) {
            listener.onMessage(socket, text);
        }

        @Override
        public void onClosing(WebSocket socket, int code, String reason) {
            listener.onClosing(socket, code, reason);
        }

        @Override
        public void onClosed(WebSocket socket, int code, String reason) {
            listener.onClosed(socket, code, reason);
        }

        @Override
        public void onFailure(WebSocket socket, Throwable failure, Response response) {
            listener.onFailure(socket, failure, response);
        }
    }

    private static boolean isApply(RecordedRequest request) {
        return String.valueOf(request.getHeader("Content-Type")).startsWith("application/apply-patch");
    }

    /** The rights that a request needs, such as {@code create pods}, in the words of a role. */
    private static Set<String> rights(RecordedRequest request) {
        HttpUrl url = request.getRequestUrl();
        // api v1 namespaces NAMESPACE RESOURCE [NAME [SUBRESOURCE]], or apis GROUP VERSION namespaces ...
        List<String> path = url.pathSegments();
        int namespaces = path.indexOf("namespaces");
        if (namespaces < 0) {
            return Set.of(request.getMethod() + " " + url.encodedPath());
        }
        List<String> parts = path.subList(namespaces + 2, path.size());
        boolean collection = parts.size() == 1;
        String resource = parts.size() > 2 ? parts.get(0) + "/" + parts.get(2) : parts.get(0);
        String verb =
                switch (request.getMethod()) {
                    case "GET" -> "true".equals(url.queryParameter("watch")) ? "watch" : collection ? "list" : "get";
                    case "POST" -> "create";
                    case "PUT" -> "update";
                    case "PATCH" -> "patch";
                    case "DELETE" -> collection ? "deletecollection" : "delete";
                    default -> request.getMethod();
                };
        return isApply(request) ? Set.of(verb + " " + resource, "create " + resource) : Set.of(verb + " " + resource);
    }

    /** What the clients have done that were not made here, such as {@code create pods}. */
    Set<String> usedRights() {
        return new TreeSet<>(used);
    }

    /** The URL, as it follows {@code k8s://} in the name of a master. */
    String url() {
        return "http://127.0.0.1:" + server.getPort();
    }

    /** A client for a namespace, whose requests are not recorded; the caller closes it. */
    KubernetesClient client(String namespace) {
        Config config = new ConfigBuilder(Config.empty())
                .withMasterUrl(url())
                .withNamespace(namespace)
                .withUserAgent(OURS)
                .build();
        return new KubernetesClientBuilder().withConfig(config).build();
    }

    @Override
    public void close() {
        server.destroy();
    }
}
