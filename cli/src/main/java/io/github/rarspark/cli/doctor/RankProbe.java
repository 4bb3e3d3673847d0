package io.github.rarspark.cli.doctor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.spark.BarrierStage;
import io.github.rarspark.common.spark.JobDevice;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.dist.RendezvousStore;
import io.github.rarspark.kernel.tensor.TensorScope;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;

/**
 * Does what the ranks of a training do before they train: they start together, connect to the driver and to each other on
 * free ports, and join a process group, in which they add up a tensor.
 *
 * @param device what the ranks compute on
 * @param driverHost the name by which executors reach the driver
 * @param driverPort where an {@link Echo} of the driver listens
 * @param limit of each connection
 */
record RankProbe(JobDevice device, String driverHost, int driverPort, Duration limit)
        implements BarrierStage.Task<RankFacts> {
    private static final long serialVersionUID = 1;

    /** Of each collective; the first of a large group takes NCCL a while. */
    private static final Duration COLLECTIVE_LIMIT = Duration.ofSeconds(60);

    private static final int FLOATS = 4 << 20;
    private static final int RUNS = 3;
    /** Ranks that one does not reach before it gives up: each takes as long as the limit. */
    private static final int ENOUGH = 5;
    /** What a rank that cannot say where it is tells the others. */
    private static final String NOWHERE = "";

    @Override
    public RankFacts run(BarrierTaskContext context) throws Exception {
        int rank = context.partitionId();
        String host = BarrierStage.host(context);
        List<String> unreached = unreached(context, rank, host);
        // A rank that cannot compute would keep the others waiting.
        Probed<String> computes = Probed.of(this::compute);
        String ready = Boolean.toString(unreached.isEmpty() && !computes.failed());
        boolean all = Arrays.stream(context.allGather(ready)).allMatch("true"::equals);
        Probed<RankFacts.Collective> collective = computes.failed() ? new Probed<>(null, computes.error()) : null;
        return new RankFacts(
                rank, SparkEnv.get().executorId(), unreached, all ? collective(context, rank, host) : collective);
    }

    /** Opens the rank's device, which computes a sum on it; its name. */
    private String compute() {
        try (TaskDevice own = TaskDevice.open(device, 1)) {
            return own.device().toString();
        }
    }

    /** The connections to the driver and to the ranks after this one that cannot be made. */
    private List<String> unreached(BarrierTaskContext context, int rank, String host) throws IOException {
        List<String> unreached = new ArrayList<>();
        call("the driver", driverHost, driverPort, unreached);
        Echo own = null;
        try {
            own = Echo.listen(host, limit);
        } catch (IOException e) {
            unreached.add("cannot listen on " + host + ": " + e.getMessage());
        }
        try {
            String[] places = context.allGather(own == null ? NOWHERE : host + ":" + own.port());
            for (int other = rank + 1; other < places.length; other++) {
                if (!places[other].equals(NOWHERE) && unreached.size() < ENOUGH) {
                    Place place = place(places[other]);
                    call("rank " + other, place.host(), place.port(), unreached);
                }
            }
            context.barrier(); // until then others may call
        } finally {
            if (own != null) {
                own.close();
            }
        }
        return unreached;
    }

    private void call(String whom, String host, int port, List<String> unreached) {
        try {
            Echo.call(host, port, limit);
        } catch (IOException e) {
            unreached.add("cannot reach " + whom + " at " + host + ":" + port + ": " + e.getMessage());
        }
    }

    private Probed<RankFacts.Collective> collective(BarrierTaskContext context, int rank, String host) {
        Probed<RendezvousServer> served =
                rank == 0 ? Probed.of(() -> new RendezvousServer(RendezvousStore.serve(host, COLLECTIVE_LIMIT))) : null;
        String address = served == null || served.failed()
                ? NOWHERE
                : host + ":" + served.value().store().port();
        String first = context.allGather(address)[0];
        if (served != null && served.failed()) {
            return new Probed<>(null, served.error());
        }
        if (first.equals(NOWHERE)) {
            return new Probed<>(null, "rank 0 cannot serve the rendezvous store");
        }
        Place place = place(first);
        int ranks = context.getTaskInfos().length;
        return Probed.of(() -> {
            try (RendezvousStore store = rank == 0
                            ? served.value().store()
                            : RendezvousStore.connect(place.host(), place.port(), COLLECTIVE_LIMIT);
                    TaskDevice own = TaskDevice.open(device, 1);
                    NDManager manager = own.newManager();
                    ProcessGroup group = ProcessGroup.join(store, rank, ranks, host, COLLECTIVE_LIMIT, own.device())) {
                return allReduce(group, manager);
            }
        });
    }

    /** Only so that a {@link Probed} may carry it; it does not leave the process. */
    private record RendezvousServer(RendezvousStore store) implements java.io.Serializable {}

    private static RankFacts.Collective allReduce(ProcessGroup group, NDManager manager) {
        double fastest = Double.MAX_VALUE;
        for (int run = 0; run < RUNS; run++) {
            try (TensorScope scope = TensorScope.inference(manager)) {
                NDArray tensor = scope.zeros(FLOATS);
                group.barrier();
                long start = System.nanoTime();
                group.allReduceSum(tensor);
                fastest = Math.min(fastest, (System.nanoTime() - start) / 1e9);
            }
        }
        return new RankFacts.Collective(
                group.backend(), group.warning().orElse(null), (double) FLOATS * Float.BYTES / fastest);
    }

    private record Place(String host, int port) {}

    /** Spark's {@code host:port}. */
    private static Place place(String address) {
        int colon = address.lastIndexOf(':');
        return colon < 0
                ? new Place(address, 0)
                : new Place(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
    }
}
