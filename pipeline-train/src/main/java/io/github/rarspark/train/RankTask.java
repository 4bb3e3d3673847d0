package io.github.rarspark.train;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.rarspark.common.spark.BarrierStage;
import io.github.rarspark.common.spark.EventLog;
import io.github.rarspark.common.spark.TaskDevice;
import io.github.rarspark.common.tokens.TokenStore;
import io.github.rarspark.common.tokens.TokenStores;
import io.github.rarspark.conf.TrainSettings;
import io.github.rarspark.kernel.dist.ProcessGroup;
import io.github.rarspark.kernel.dist.RendezvousStore;
import io.github.rarspark.kernel.error.NativeMemoryException;
import io.github.rarspark.kernel.gpu.GpuCheck;
import io.github.rarspark.kernel.tensor.DeterministicMode;
import io.github.rarspark.train.coordinator.CoordinatorClient;
import io.github.rarspark.train.coordinator.Report;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;

/**
 * One rank: the barrier task that finds the others, joins the process group and trains. The barrier serves only as
 * rendezvous; any later failure closes this rank's side of the group, which fails the others at once.
 */
final class RankTask implements BarrierStage.Task<Long> {
    private static final long serialVersionUID = 1;

    private final RankAssignment assignment;

    RankTask(RankAssignment assignment) {
        this.assignment = assignment;
    }

    /** Returns the number of updates that the state has seen. */
    @Override
    public Long run(BarrierTaskContext context) throws Exception {
        TrainSettings train = assignment.recipe().train();
        int rank = context.partitionId();
        int ranks = context.getTaskInfos().length;
        Duration timeout = Duration.ofSeconds(train.timeoutSeconds());
        String host = BarrierStage.host(context);
        try (CoordinatorClient driver = new CoordinatorClient(assignment.coordinator(), timeout);
                RankWatch watch = watch(context, rank, host)) {
            Throwable told = null;
            try (TaskDevice device = TaskDevice.open(assignment.device(), train.threads());
                    DeterministicMode deterministic = DeterministicMode.open();
                    NDManager manager = device.newManager();
                    RendezvousStore store = meet(context, device.device(), rank, host, timeout);
                    ProcessGroup group = ProcessGroup.join(store, rank, ranks, host, timeout, manager.getDevice())) {
                watch.guard(group);
                EventLog.log(
                        "rank_joined", Map.of("rank", rank, "ranks", ranks, "host", host, "backend", group.backend()));
                try {
                    return train(new RankContext(assignment, group, manager, driver, watch), timeout);
                } catch (Exception | Error e) {
                    // Before the group closes, by which the other ranks lose this one and report that.
                    tell(driver, Report.Failure.of(rank, e), e);
                    told = e;
                    throw e;
                }
            } catch (NativeMemoryException e) {
                NativeMemoryException failure = e == told ? e : lowering(e); // else while it joined
                if (e != told) {
                    tell(driver, Report.Failure.of(rank, failure), failure);
                }
                throw failure;
            } catch (Exception | Error e) {
                if (e != told) {
                    tell(driver, Report.Failure.of(rank, e), e);
                }
                throw e;
            }
        }
    }

    private long train(RankContext context, Duration timeout) throws IOException, InterruptedException {
        TokenStores stores = TokenStores.of(SparkEnv.get().conf(), assignment.owner());
        try (TokenStore tokens = stores.open(assignment.tokens(), timeout);
                Trainer trainer = Trainer.open(context, tokens)) {
            long steps = trainer.run();
            // Now that all ranks have ended; until then the ranks of a restart need them.
            stores.remove();
            return steps;
        } catch (NativeMemoryException e) {
            throw lowering(e);
        }
    }

    private NativeMemoryException lowering(NativeMemoryException e) {
        return e.lowering(TrainingCost.lowerForMemory(assignment.recipe().train()));
    }

    private RankWatch watch(BarrierTaskContext context, int rank, String host) throws IOException {
        Duration limit = Duration.ofSeconds(assignment.recipe().train().stepTimeoutSeconds());
        return new RankWatch(
                new CoordinatorClient(assignment.coordinator(), limit),
                rank,
                SparkEnv.get().executorId(),
                host,
                context::isInterrupted);
    }

    private static void tell(CoordinatorClient driver, Report.Failure report, Throwable failure) {
        try {
            driver.send(report);
        } catch (IOException | RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /** Rank 0 serves the store and tells the others where. */
    private RendezvousStore meet(BarrierTaskContext context, Device device, int rank, String host, Duration timeout) {
        String gpu = device.isGpu()
                ? GpuCheck.bus(device).map(bus -> bus + " of " + host).orElse("")
                : "";
        if (rank > 0) {
            String address = places(context, "", gpu).get(0).store();
            int colon = address.lastIndexOf(':');
            return RendezvousStore.connect(
                    address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)), timeout);
        }
        RendezvousStore store = RendezvousStore.serve(host, timeout);
        try {
            places(context, host + ":" + store.port(), gpu);
            return store;
        } catch (RuntimeException e) {
            store.close();
            throw e;
        }
    }

    /** Where all ranks are, for which each waits for all. */
    private List<RankPlace> places(BarrierTaskContext context, String store, String gpu) {
        RankPlace own = new RankPlace(store, SparkEnv.get().executorId(), gpu);
        List<RankPlace> all = RankPlace.read(context.allGather(own.text()));
        if (assignment.device().isGpu()) {
            RankPlace.requireApart(all);
        }
        return all;
    }
}
