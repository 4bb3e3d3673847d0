package io.github.rarspark.kernel.weights.torch;

import static io.github.rarspark.kernel.weights.torch.PickleBuilder.MARK;
import static io.github.rarspark.kernel.weights.torch.PickleBuilder.REDUCE;
import static io.github.rarspark.kernel.weights.torch.PickleBuilder.TUPLE;
import static io.github.rarspark.kernel.weights.torch.PickleBuilder.pickle;
import static io.github.rarspark.kernel.weights.torch.PickleBuilder.raw;

import io.github.rarspark.kernel.weights.HostileFile;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Pickles in an archive that do what pickles of tensors do not do, and the check that refuses each. */
public final class HostilePickles {
    private static final int PROTO = 0x80;
    private static final int STOP = '.';
    private static final int DICT = '}';
    private static final int LIST = ']';
    private static final int EMPTY = ')';
    private static final int NONE = 'N';
    private static final int ITEM = 's';
    private static final int BUILD = 'b';

    private HostilePickles() {}

    /** All of them. */
    public static List<HostileFile> all() {
        return Stream.of(code(), structure(), storages(), tensors(), dictionaries())
                .flatMap(List::stream)
                .toList();
    }

    /** Calls and names. */
    private static List<HostileFile> code() {
        return List.of(
                broken("os.system", call("os", "system", "touch executed"), "'os.system', which is not allowed"),
                broken("posix.system", call("posix", "system", "touch executed"), "'posix.system', which"),
                broken("eval", call("builtins", "eval", "open('executed', 'w')"), "'builtins.eval', which"),
                broken("Python 2 eval", call("__builtin__", "eval", "1"), "'__builtin__.eval', which"),
                broken("getattr", call("builtins", "getattr", "x"), "'builtins.getattr', which"),
                broken("module", call("torch.nn.modules.linear", "Linear", "x"), "save only its state_dict()"),
                broken("numpy", call("numpy.core.multiarray", "_reconstruct", "x"), "which is not allowed"),
                broken("torch.load", call("torch", "load", "executed"), "'torch.load', which is not allowed"),
                broken("empty name", call("", "", "x"), "'.', which is not allowed"),
                broken(
                        "stack global",
                        pickle().text("os").text("system").op(0x93).text("id").op(0x85, REDUCE),
                        "'os.system', which is not allowed"),
                broken("endless name", pickle().global("x".repeat(2000), "y"), "name of more than 1000 characters"),
                broken("name of numbers", pickle().op('K', 1, 'K', 2, 0x93), "refers to a name that is a number"),
                broken("call of a string", pickle().text("os.system").op(EMPTY, REDUCE), "calls a string"),
                broken("call of a dictionary", pickle().op(DICT, EMPTY, REDUCE), "calls a dictionary"),
                broken("call of a tensor", pickle().tensor().op(EMPTY, REDUCE), "calls a tensor"),
                broken("call with a list", ordered().op(LIST, REDUCE), "OrderedDict with a list instead of a tuple"),
                broken(
                        "call of a storage class",
                        pickle().global("torch", "FloatStorage").op(EMPTY, REDUCE),
                        "calls the storage class torch.FloatStorage"),
                broken("NEWOBJ", ordered().op(EMPTY, 0x81), "constructs an object (opcode 0x81)"),
                broken("INST", pickle().op(MARK, 'i'), "constructs an object (opcode 0x69)"),
                broken("OBJ", pickle().op(MARK, 'o'), "constructs an object (opcode 0x6f)"),
                broken("NEWOBJ_EX", pickle().op(0x92), "constructs an object (opcode 0x92)"),
                broken("extension", pickle().op(0x82, 1), "uses the extension registry (opcode 0x82)"),
                broken("text persistent id", pickle().op('P'), "unsupported instruction (opcode 0x50)"),
                broken("out-of-band buffer", pickle().op(0x97), "unsupported instruction (opcode 0x97)"),
                broken("state of a list", pickle().op(LIST, DICT, BUILD), "sets the state of a list"),
                broken("state of a name", ordered().op(DICT, BUILD), "sets the state of collections.OrderedDict"),
                broken("state of a tuple", pickle().op(DICT, EMPTY, BUILD), "attributes of a dictionary from a tuple"),
                broken(
                        "OrderedDict of a string",
                        ordered().text("x").op(0x85, REDUCE),
                        "from something other than a list"),
                broken(
                        "OrderedDict of numbers",
                        ordered().op(LIST, 'K', 1, 'a', 0x85, REDUCE),
                        "something other than pairs"),
                broken(
                        "Size of a list",
                        pickle().global("torch", "Size").op(LIST, 0x85, REDUCE),
                        "torch.Size is built"),
                broken(
                        "parameter of None",
                        pickle().global("torch._utils", "_rebuild_parameter").op(NONE, NONE, NONE, 0x87, REDUCE),
                        "_rebuild_parameter is called with something other"),
                broken(
                        "parameter without hooks",
                        pickle().global("torch._utils", "_rebuild_parameter")
                                .tensor()
                                .op(NONE, 0x86, REDUCE),
                        "_rebuild_parameter is called with something other"));
    }

    /** The stack machine. */
    private static List<HostileFile> structure() {
        return List.of(
                broken("no protocol", raw().op(DICT), "does not start with a protocol number"),
                broken("protocol 0", raw().op(PROTO, 0, DICT), "has protocol 0, which is not supported; use 2 to 4"),
                broken("protocol 5", raw().op(PROTO, 5, DICT), "has protocol 5, which is not supported; use 2 to 4"),
                unended("empty pickle", raw(), "ends in the middle of an instruction"),
                unended("no STOP", pickle().op(DICT), "ends in the middle of an instruction"),
                unended("half a number", pickle().op('J', 1, 2), "ends in the middle of an instruction"),
                broken("value left over", pickle().op(DICT, DICT), "leaves values on the stack"),
                broken("mark left over", pickle().op(DICT, MARK, NONE), "leaves values on the stack"),
                broken("nothing to return", pickle(), "pops more values than the stack holds"),
                broken("value below the mark", pickle().op(NONE, MARK, 0x85), "pops more values than the stack holds"),
                broken("no mark", pickle().op(NONE, TUPLE), "pops to a mark that does not exist"),
                broken("remembering nothing", pickle().op('q', 0), "memoizes from an empty stack"),
                broken("unknown memory", pickle().op('h', 3), "reads memo 3, which it never stored"),
                broken("unknown far memory", pickle().op('j').int32(-2), "reads memo 4294967294, which"),
                broken("memory of itself", pickle().op('h', 0, 'q', 0), "reads memo 0, which it never stored"),
                broken("text of 4 GiB", pickle().op('X').int32(-1), "a string of 4294967295 bytes, but only"),
                broken("bytes of 2 GiB", pickle().op('B').int32(Integer.MAX_VALUE), "a string of 2147483647 bytes"),
                broken("frame of 8 EiB", pickle().op(0x95).int64(Long.MAX_VALUE), "frame of 9223372036854775807 bytes"),
                broken("not UTF-8", pickle().op('U', 1, 0xff), "a string that is not UTF-8"),
                broken("append to a tuple", pickle().op(EMPTY, NONE, 'a'), "appends to a tuple"),
                broken("item of a list", pickle().op(LIST, NONE, NONE, ITEM), "sets an item of a list"),
                broken("key without value", pickle().op(DICT, MARK, NONE, 'u'), "sets a key without a value"),
                broken("tuple as key", pickle().op(DICT, EMPTY, NONE, ITEM), "has a tuple as a key"),
                broken("key twice", pickle().op(DICT, 'K', 1, NONE, ITEM, 'K', 1, NONE, ITEM), "has the key '1' twice"),
                broken("a million steps", pickle().times(1_000_001, NONE), "more than 1000000 instructions"),
                broken("pairs counted as steps", pairs(), "more than 1000000 instructions"),
                broken("marks in marks", pickle().times(900_000, MARK), "pops more values than the stack holds"),
                broken(
                        "deep lists",
                        pickle().op(LIST).times(300_000, LIST).times(300_000, 'a'),
                        "it holds a list instead of a dictionary"),
                broken(
                        "deep tuples",
                        pickle().op(DICT, 'K', 1, EMPTY).times(600_000, 0x85).op(ITEM),
                        "it holds no tensors"),
                broken(
                        "deep key",
                        pickle().op(DICT, EMPTY).times(600_000, 0x85).op(NONE, ITEM),
                        "has a tuple as a key"),
                broken(
                        "list in itself",
                        pickle().op(LIST, 'q', 0, 'h', 0, 'a'),
                        "it holds a list instead of a dictionary"),
                broken(
                        "dictionary in itself",
                        pickle().op(DICT, 'q', 0).text("model").op('h', 0, ITEM),
                        "it holds no tensors"),
                broken(
                        "tuple in itself",
                        pickle().op(LIST, 'q', 0, 'h', 0, 0x85, 'a'),
                        "it holds a list instead of a dictionary"));
    }

    private static List<HostileFile> storages() {
        return List.of(
                broken("named by a string", pickle().text("0").op('Q'), "named by a string instead of a tuple"),
                broken("named by nothing", pickle().op(EMPTY, 'Q'), "not named by its class, key, device and length"),
                broken("another word", pickle().op(MARK).text("file").op(TUPLE, 'Q'), "not named by its class"),
                broken("no class", storage("collections", "OrderedDict", "0", 4), "OrderedDict as its class"),
                broken("complex numbers", storage("torch", "ComplexFloatStorage", "0", 2), "not allowed"),
                broken("8 EiB", pickle().storage("0", Long.MAX_VALUE), "more than the limit of 2 GiB"),
                broken("negative length", pickle().storage("0", -1), "more than the limit of 2 GiB"),
                broken(
                        "path as key",
                        pickle().op(DICT)
                                .text("x")
                                .storage("../../etc/passwd", 4)
                                .op(ITEM),
                        "has no storage \'../../etc/passwd\'"),
                broken("two lengths", pickle().storage("0", 4).storage("0", 2), "is F32[2] here and F32[4] elsewhere"),
                broken(
                        "two types",
                        pickle().storage("0", 4).storage("torch", "IntStorage", "0", 4, false),
                        "is I32[4] here and F32[4] elsewhere"));
    }

    private static List<HostileFile> tensors() {
        return List.of(
                broken("no arguments", pickle().rebuild().op(TUPLE, REDUCE), "rebuilt from 0 values"),
                broken(
                        "no storage",
                        pickle().rebuild().op(NONE, NONE, NONE, NONE, NONE, NONE, TUPLE, REDUCE),
                        "from None instead of a storage"),
                broken("hooks", hooks(), "a tensor has backward hooks"),
                tensor("sizes without strides", 0, new long[] {4}, new long[0], "has 1 sizes, but 0 strides"),
                tensor("too many elements", 0, new long[] {5}, new long[] {0}, "has more elements than its storage"),
                tensor("bomb", 0, new long[] {1L << 40}, new long[] {0}, "has more elements than its storage"),
                tensor("overflow", 0, new long[] {1L << 40, 1L << 40}, new long[] {0, 0}, "is too large"),
                tensor("far strides", 0, new long[] {2}, new long[] {Long.MAX_VALUE}, "a tensor reaches element 92"),
                tensor("overflowing strides", 9, new long[] {2}, new long[] {Long.MAX_VALUE}, "is too large"),
                tensor("offset", 1, new long[] {4}, new long[] {1}, "reaches element 4 of a storage that has 4"),
                tensor("stride", 0, new long[] {2, 2}, new long[] {3, 1}, "reaches element 4 of a storage that has 4"),
                tensor("negative offset", -1, new long[] {1}, new long[] {1}, "offset is negative: -1"),
                tensor("negative size", 0, new long[] {-4}, new long[] {1}, "size is negative: -4"),
                tensor("negative stride", 3, new long[] {4}, new long[] {-1}, "stride is negative: -1"),
                tensor("many axes", 0, new long[9], new long[9], "a tensor has 9 axes"),
                broken("size is a list", sized(raw().op(LIST)), "size is a list instead of a tuple"),
                broken(
                        "size of texts",
                        sized(raw().text("4").op(0x85)),
                        "size holds a string instead of a whole number"),
                broken(
                        "size beyond 64 bits",
                        sized(raw().op(0x8a, 9).times(9, 0x7f).op(0x85)),
                        "size holds a number instead of a whole number"));
    }

    private static List<HostileFile> dictionaries() {
        return List.of(
                broken("only a tensor", pickle().tensor(), "it holds a tensor instead of a dictionary"),
                broken("only a number", pickle().op('K', 5), "it holds a number instead of a dictionary"),
                broken("nothing in it", pickle().op(DICT), "it holds no tensors"),
                broken(
                        "numbered tensor",
                        pickle().op(DICT, 'K', 1).tensor().op(ITEM),
                        "it has a tensor under a number"),
                broken(
                        "two models",
                        pickle().op(DICT)
                                .text("a")
                                .op(DICT)
                                .text("w")
                                .tensor()
                                .op('q', 1, ITEM, ITEM)
                                .text("b")
                                .op(DICT)
                                .text("w")
                                .op('h', 1, ITEM, ITEM),
                        "2 dictionaries of tensors, of which none is called state_dict or model"),
                broken("one storage for all", named(20), "have 320 bytes, all in the same 16 bytes of storage"),
                broken("too many tensors", named(20_001), "more than 20000 tensors"));
    }

    private static HostileFile broken(String name, PickleBuilder pickle, String check) {
        return unended(name, pickle.op(STOP), check);
    }

    private static HostileFile unended(String name, PickleBuilder pickle, String check) {
        byte[] bytes = pickle.bytes();
        Supplier<byte[]> file = () -> HostileZips.archive(bytes);
        return new HostileFile("pickle: " + name, HostileFile.Reader.ofAnyFormat(), file, check);
    }

    private static HostileFile tensor(String name, long offset, long[] shape, long[] strides, String check) {
        return broken(
                "tensor, " + name,
                pickle().op(DICT).text("w").tensor(offset, shape, strides).op(ITEM),
                check);
    }

    private static PickleBuilder call(String module, String name, String argument) {
        return pickle().global(module, name).text(argument).op(0x85, REDUCE);
    }

    private static PickleBuilder ordered() {
        return pickle().global("collections", "OrderedDict");
    }

    private static PickleBuilder storage(String module, String type, String key, long elements) {
        return pickle().storage(module, type, key, elements, false);
    }

    private static PickleBuilder hooks() {
        return pickle().rebuild()
                .storage("0", 4)
                .op('K', 0)
                .numbers(4)
                .numbers(1)
                .op(NONE)
                .op(DICT, 'K', 1, NONE, ITEM)
                .op(TUPLE, REDUCE);
    }

    private static PickleBuilder sized(PickleBuilder size) {
        PickleBuilder pickle = pickle().rebuild().storage("0", 4).op('K', 0);
        for (byte code : size.bytes()) {
            pickle.op(code);
        }
        return pickle.numbers(1).endOfTensor();
    }

    /** One list of pairs, of which each of many calls would make a dictionary. */
    private static PickleBuilder pairs() {
        PickleBuilder pickle = pickle().op(LIST, MARK);
        for (int i = 0; i < 1000; i++) {
            pickle.number(i).op(NONE, 0x86);
        }
        pickle.op('e', 'q', 0).global("collections", "OrderedDict").op('q', 1);
        return pickle.times(2000, 'h', 1, 'h', 0, 0x85, REDUCE);
    }

    /** A tensor under so many names. */
    private static PickleBuilder named(int names) {
        PickleBuilder pickle = pickle().op(DICT).text("first").tensor().op('q', 0, ITEM);
        for (int i = 1; i < names; i++) {
            pickle.text(Integer.toString(i)).op('h', 0, ITEM);
        }
        return pickle;
    }
}
