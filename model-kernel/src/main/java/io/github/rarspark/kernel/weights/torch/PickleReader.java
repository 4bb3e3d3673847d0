package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.error.DataException;
import io.github.rarspark.kernel.weights.format.Text;
import io.github.rarspark.kernel.weights.torch.PickleValue.Dictionary;
import io.github.rarspark.kernel.weights.torch.PickleValue.Sequence;
import io.github.rarspark.kernel.weights.torch.PickleValue.Tuple;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Reads Python pickles of plain values and tensors, without Python: a stack machine with only the opcodes that {@code
 * torch.save} writes (protocols 2 to 4). A global that a pickle refers to must be an {@link AllowedGlobal}. It executes
 * nothing, follows no reference while reading, and its memory is bounded by a fixed multiple of its steps and of the
 * bytes it has read.
 */
final class PickleReader {
    /** The longest accepted pickle; one of 20,000 tensors is shorter. */
    static final int MOST_BYTES = 16 << 20;
    /** The maximum number of opcodes: a tensor takes about 35. */
    static final int MOST_STEPS = 1_000_000;

    private static final int PROTO = 0x80;
    private static final int HIGHEST_PROTOCOL = 4;

    private final PickleInput in;
    private final String file;
    private final PickleCalls calls;
    private final Function<List<Object>, TorchStorage> storages;
    private final List<Object> stack = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Integer, Object> memo = new HashMap<>();
    private int steps;

    private PickleReader(PickleInput in, String file, Function<List<Object>, TorchStorage> storages) {
        this.in = in;
        this.file = file;
        this.calls = new PickleCalls(file);
        this.storages = storages;
    }

    /**
     * Reads the pickle at a buffer's position and advances the position past its end.
     *
     * @param storages resolves a persistent identifier
     * @throws DataException if it is malformed, or uses features that a pickle of tensors does not need
     */
    static Object read(ByteBuffer bytes, String file, Function<List<Object>, TorchStorage> storages) {
        ByteBuffer in = bytes.duplicate();
        int start = in.position();
        if (in.remaining() > MOST_BYTES) {
            in.limit(start + MOST_BYTES);
        }
        try {
            Object value = new PickleReader(new PickleInput(in, file), file, storages).run();
            bytes.position(in.position());
            return value;
        } catch (BufferUnderflowException e) {
            String why = in.limit() == bytes.limit()
                    ? "its pickle ends in the middle of an instruction"
                    : "its pickle is longer than " + MOST_BYTES + " bytes";
            throw TorchError.malformed(file, why, e);
        }
    }

    private Object run() {
        if (in.unsignedByte() != PROTO) {
            throw malformed("its pickle does not start with a protocol number");
        }
        int protocol = in.unsignedByte();
        if (protocol < 2 || protocol > HIGHEST_PROTOCOL) {
            throw malformed(
                    "its pickle has protocol " + protocol + ", which is not supported; use 2 to " + HIGHEST_PROTOCOL);
        }
        while (true) {
            count(1);
            int opcode = in.unsignedByte();
            if (opcode == '.') {
                Object value = pop();
                if (!stack.isEmpty() || !marks.isEmpty()) {
                    throw malformed("its pickle leaves values on the stack");
                }
                return value;
            }
            step(opcode);
        }
    }

    private void count(int more) {
        steps += more;
        if (steps > MOST_STEPS) {
            throw malformed("its pickle has more than " + MOST_STEPS + " instructions");
        }
    }

    private void step(int opcode) {
        switch (opcode) {
            case '(' -> marks.add(stack.size());
            case 'N' -> stack.add(null);
            case 0x88 -> stack.add(true);
            case 0x89 -> stack.add(false);
            case 'J' -> stack.add((long) in.int32());
            case 'K' -> stack.add((long) in.unsignedByte());
            case 'M' -> stack.add((long) in.unsignedShort());
            case 0x8a -> stack.add(in.integer(in.unsignedByte()));
            case 'G' -> stack.add(in.float64());
            case 'X' -> stack.add(in.text(in.int32()));
            case 0x8c -> stack.add(in.text(in.unsignedByte()));
            case 'U' -> stack.add(in.text(in.unsignedByte()));
            case 'T' -> stack.add(in.text(in.int32()));
            case 'B' -> stack.add(in.bytes(in.int32()));
            case 'C' -> stack.add(in.bytes(in.unsignedByte()));
            case '}' -> stack.add(new Dictionary());
            case ']' -> stack.add(new Sequence(new ArrayList<>()));
            case ')' -> stack.add(new Tuple(List.of()));
            case 't' -> stack.add(new Tuple(popToMark()));
            case 0x85, 0x86, 0x87 -> stack.add(new Tuple(pop(opcode - 0x84)));
            case 'a' -> append(pop(1));
            case 'e' -> append(popToMark());
            case 's' -> setItems(pop(2));
            case 'u' -> setItems(popToMark());
            case 'q' -> memo.put(in.unsignedByte(), peek());
            case 'r' -> memo.put(in.int32(), peek());
            case 0x94 -> memo.put(memo.size(), peek());
            case 'h' -> stack.add(recall(in.unsignedByte()));
            case 'j' -> stack.add(recall(in.int32()));
            case 'c' -> stack.add(global(in.line(), in.line()));
            case 0x93 -> stackGlobal();
            case 'Q' -> persistent();
            case 'R' -> reduce();
            case 'b' -> build();
            case 0x95 -> in.skipFrame();
            default -> throw refused(opcode);
        }
    }

    private DataException refused(int opcode) {
        return switch (opcode) {
            case 0x81, 0x92, 'i', 'o' -> malformed(
                    "its pickle constructs an object" + hex(opcode) + "; save the state_dict() of a model");
            case 0x82, 0x83, 0x84 -> malformed("its pickle uses the extension registry" + hex(opcode));
            default -> malformed("its pickle has an unsupported instruction" + hex(opcode));
        };
    }

    private static String hex(int opcode) {
        return " (opcode 0x" + Integer.toHexString(opcode) + ")";
    }

    // ---- stack and memo ----

    private Object peek() {
        if (stack.size() == base()) {
            throw malformed("its pickle memoizes from an empty stack");
        }
        return stack.get(stack.size() - 1);
    }

    private int base() {
        return marks.isEmpty() ? 0 : marks.get(marks.size() - 1);
    }

    private Object pop() {
        return pop(1).get(0);
    }

    private List<Object> pop(int count) {
        if (stack.size() - base() < count) {
            throw malformed("its pickle pops more values than the stack holds");
        }
        List<Object> top = stack.subList(stack.size() - count, stack.size());
        List<Object> values = new ArrayList<>(top);
        top.clear();
        return values;
    }

    private List<Object> popToMark() {
        if (marks.isEmpty()) {
            throw malformed("its pickle pops to a mark that does not exist");
        }
        List<Object> values = pop(stack.size() - base());
        marks.remove(marks.size() - 1);
        return values;
    }

    private Object recall(int index) {
        if (!memo.containsKey(index)) {
            throw malformed("its pickle reads memo " + Integer.toUnsignedString(index) + ", which it never stored");
        }
        return memo.get(index);
    }

    // ---- containers ----

    private void append(List<Object> values) {
        if (!(peek() instanceof Sequence list)) {
            throw malformed("its pickle appends to " + PickleValue.kind(peek()));
        }
        list.items().addAll(values);
    }

    private void setItems(List<Object> values) {
        if (!(peek() instanceof Dictionary dictionary)) {
            throw malformed("its pickle sets an item of " + PickleValue.kind(peek()));
        }
        if (values.size() % 2 != 0) {
            throw malformed("its pickle sets a key without a value");
        }
        for (int i = 0; i < values.size(); i += 2) {
            dictionary.put(values.get(i), values.get(i + 1), file);
        }
    }

    // ---- names and calls ----

    private AllowedGlobal global(String module, String name) {
        return AllowedGlobal.find(module, name)
                .orElseThrow(() -> malformed("its pickle refers to " + Text.quote(module + "." + name)
                        + ", which is not allowed; if you trust the file, save only its state_dict()"));
    }

    private void stackGlobal() {
        List<Object> names = pop(2);
        if (!(names.get(0) instanceof String module) || !(names.get(1) instanceof String name)) {
            throw malformed("its pickle refers to a name that is " + PickleValue.kind(names.get(0)) + " and "
                    + PickleValue.kind(names.get(1)));
        }
        stack.add(global(module, name));
    }

    private void persistent() {
        Object id = pop();
        if (!(id instanceof Tuple tuple)) {
            throw malformed("a storage is named by " + PickleValue.kind(id) + " instead of a tuple");
        }
        stack.add(storages.apply(tuple.items()));
    }

    private void reduce() {
        List<Object> call = pop(2);
        if (!(call.get(0) instanceof AllowedGlobal function)) {
            throw malformed("its pickle calls " + PickleValue.kind(call.get(0)));
        }
        if (!(call.get(1) instanceof Tuple arguments)) {
            throw malformed("its pickle calls " + function.pythonName() + " with " + PickleValue.kind(call.get(1))
                    + " instead of a tuple");
        }
        for (Object argument : arguments.items()) {
            if (argument instanceof Sequence list) {
                count(list.items().size()); // the call goes through it, and a few bytes can repeat the call
            }
        }
        stack.add(calls.call(function, arguments.items()));
    }

    /** Drops a dictionary's attributes, such as a state dict's versions ({@code _metadata}). */
    private void build() {
        Object state = pop();
        Object target = peek();
        if (!(target instanceof Dictionary)) {
            throw malformed("its pickle sets the state of " + PickleValue.kind(target));
        }
        if (!(state instanceof Dictionary)) {
            throw malformed("its pickle sets the attributes of a dictionary from " + PickleValue.kind(state));
        }
    }

    private DataException malformed(String why) {
        return TorchError.malformed(file, why);
    }
}
