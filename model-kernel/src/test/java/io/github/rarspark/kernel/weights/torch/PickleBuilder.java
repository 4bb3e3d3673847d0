package io.github.rarspark.kernel.weights.torch;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Assembles pickles opcode by opcode, good and bad ones. */
final class PickleBuilder {
    static final int REDUCE = 'R';
    static final int MARK = '(';
    static final int TUPLE = 't';

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** A pickle of protocol 2. */
    static PickleBuilder pickle() {
        return new PickleBuilder().op(0x80, 2);
    }

    static PickleBuilder raw() {
        return new PickleBuilder();
    }

    PickleBuilder op(int... codes) {
        for (int code : codes) {
            out.write(code);
        }
        return this;
    }

    PickleBuilder times(int count, int... codes) {
        for (int i = 0; i < count; i++) {
            op(codes);
        }
        return this;
    }

    PickleBuilder global(String module, String name) {
        op('c');
        out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    PickleBuilder text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        op('X').int32(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    PickleBuilder int32(int value) {
        out.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
        return this;
    }

    PickleBuilder int64(long value) {
        out.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
        return this;
    }

    PickleBuilder number(long value) {
        return op(0x8a, 8).int64(value);
    }

    PickleBuilder numbers(long... values) {
        op(MARK);
        for (long value : values) {
            number(value);
        }
        return op(TUPLE);
    }

    /** A storage of float32 as the zip format names it. */
    PickleBuilder storage(String key, long elements) {
        return storage("torch", "FloatStorage", key, elements, false);
    }

    PickleBuilder storage(String module, String type, String key, long elements, boolean legacy) {
        op(MARK).text("storage").global(module, type).text(key).text("cpu").number(elements);
        return (legacy ? op('N') : this).op(TUPLE, 'Q');
    }

    PickleBuilder rebuild() {
        return global("torch._utils", "_rebuild_tensor_v2").op(MARK);
    }

    /** What is behind size and stride, and the call. */
    PickleBuilder endOfTensor() {
        return op(0x89).global("collections", "OrderedDict").op(')', REDUCE).op(TUPLE, REDUCE);
    }

    /** A tensor of storage 0, which has 4 elements. */
    PickleBuilder tensor(long offset, long[] shape, long[] strides) {
        return rebuild()
                .storage("0", 4)
                .number(offset)
                .numbers(shape)
                .numbers(strides)
                .endOfTensor();
    }

    PickleBuilder tensor() {
        return tensor(0, new long[] {4}, new long[] {1});
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    /** The pickle with a STOP. */
    byte[] end() {
        return op('.').bytes();
    }
}
