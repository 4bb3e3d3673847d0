package io.github.rarspark.train;

import io.github.rarspark.common.ExitCode;
import io.github.rarspark.common.JobException;
import io.github.rarspark.common.spark.StageResources;
import io.github.rarspark.common.storage.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a rank is, which it tells the others before they join.
 *
 * @param store the address of the rendezvous store on rank 0; empty on the others
 * @param executor the Spark executor
 * @param gpu identifies the GPU among all hosts; empty on CPUs, or if that is not known
 */
record RankPlace(String store, String executor, String gpu) {
    String text() {
        return Json.line(this);
    }

    static List<RankPlace> read(String[] texts) {
        List<RankPlace> places = new ArrayList<>();
        for (int rank = 0; rank < texts.length; rank++) {
            places.add(Json.read(
                    texts[rank].getBytes(StandardCharsets.UTF_8), RankPlace.class, "the place of rank " + rank));
        }
        return places;
    }

    /**
     * Checks that ranks on GPUs share neither a process nor a GPU.
     *
     * @param places by rank
     * @throws JobException {@link ExitCode#UNAVAILABLE} if two do
     */
    static void requireApart(List<RankPlace> places) {
        for (int second = 1; second < places.size(); second++) {
            for (int first = 0; first < second; first++) {
                RankPlace one = places.get(first);
                RankPlace other = places.get(second);
                String ranks = "Cannot train on GPUs: ranks " + first + " and " + second;
                if (one.executor.equals(other.executor)) {
                    throw new JobException(
                            ExitCode.UNAVAILABLE,
                            ranks + " are both in executor " + one.executor
                                    + ", and each needs a process of its own; set " + StageResources.EXECUTOR_AMOUNT
                                    + "=1");
                }
                if (!one.gpu.isEmpty() && one.gpu.equals(other.gpu)) {
                    throw new JobException(
                            ExitCode.UNAVAILABLE,
                            ranks + " are both on GPU " + one.gpu + "; unset " + StageResources.TASK_AMOUNT
                                    + ", and let the discovery script print each GPU of a host once");
                }
            }
        }
    }
}
