package io.github.rarspark.cli.doctor;

import static io.github.rarspark.cli.doctor.Finding.fail;
import static io.github.rarspark.cli.doctor.Finding.ok;

import io.github.rarspark.common.memory.MemoryNeeds;
import io.github.rarspark.common.memory.Sizes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Compares the memory of processes with what they need.
 *
 * @param needs of a process outside of its heap
 * @param container heap and overhead that the cluster grants the process; empty where it grants no overhead
 * @param overhead the setting that raises it
 * @param lower what to do instead
 */
record MemoryChecks(MemoryNeeds needs, OptionalLong container, String overhead, String lower) {

    /** A finding for each process, and for each machine that has several. */
    List<Finding> of(List<ProcessFacts> processes) {
        List<Finding> findings = new ArrayList<>();
        Map<String, List<ProcessFacts>> byHost = new LinkedHashMap<>();
        for (ProcessFacts process : processes) {
            findings.add(ofProcess(process.memory()).at(List.of(process.process())));
            byHost.computeIfAbsent(process.host(), host -> new ArrayList<>()).add(process);
        }
        byHost.forEach((host, here) -> findings.addAll(ofMachine(here)));
        return findings;
    }

    private Finding ofProcess(ProcessFacts.Memory memory) {
        long needed = memory.heapBytes() + needs.bytes();
        String value =
                "needed are " + Sizes.text(memory.heapBytes()) + " of heap and " + needs.text() + " outside of it";
        if (container.isPresent() && needed > container.getAsLong()) {
            return fail(
                    "memory",
                    value + ", and heap and overhead are " + Sizes.text(container.getAsLong()),
                    "set " + overhead + "=" + Sizes.setting(needs.bytes()) + " or " + lower);
        }
        if (needed > memory.limitBytes()) {
            return fail(
                    "memory",
                    value + ", and the " + (memory.isContained() ? "container" : "machine") + " has "
                            + Sizes.text(memory.limitBytes()),
                    memory.isContained()
                            ? "raise the container's limit or " + lower
                            : "take a larger machine or " + lower);
        }
        return ok("memory", value);
    }

    private List<Finding> ofMachine(List<ProcessFacts> here) {
        ProcessFacts.Memory machine = here.get(0).memory();
        long needed = here.stream()
                .mapToLong(process -> process.memory().heapBytes() + needs.bytes())
                .sum();
        if (here.size() == 1 || needed <= machine.machineBytes()) {
            return List.of();
        }
        String value = here.size() + " executors on " + here.get(0).host() + " need " + Sizes.text(needed)
                + ", and the machine has " + Sizes.text(machine.machineBytes());
        return List.of(fail("memory of a machine", value, "run fewer executors there, or " + lower)
                .at(here.stream().map(ProcessFacts::process).toList()));
    }
}
