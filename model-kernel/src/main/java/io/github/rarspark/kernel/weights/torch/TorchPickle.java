package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.weights.format.StoredTensor;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes the pickle of a state dict (protocol 2): an OrderedDict of contiguous tensors, each with its own storage,
 * whose key is the tensor's index.
 */
final class TorchPickle {
    private static final int PROTOCOL = 2;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private TorchPickle() {}

    static byte[] of(List<TensorInfo> tensors) {
        TorchPickle pickle = new TorchPickle();
        pickle.op(0x80).op(PROTOCOL).emptyOrderedDict().op('(');
        for (int i = 0; i < tensors.size(); i++) {
            pickle.text(tensors.get(i).name()).tensor(tensors.get(i), Integer.toString(i));
        }
        pickle.op('u').op('.');
        return pickle.out.toByteArray();
    }

    private void tensor(TensorInfo tensor, String key) {
        global(AllowedGlobal.REBUILD_TENSOR).op('(');
        op('(').text("storage")
                .global(AllowedGlobal.storageOf(tensor.type()))
                .text(key)
                .text("cpu");
        integer(tensor.elements()).op('t').op('Q');
        long[] shape = tensor.shape().getShape();
        integer(0).tuple(shape).tuple(StoredTensor.contiguousStrides(shape));
        op(0x89).emptyOrderedDict(); // needs no gradient, has no hooks
        op('t').op('R');
    }

    private TorchPickle emptyOrderedDict() {
        return global(AllowedGlobal.ORDERED_DICT).op(')').op('R');
    }

    private TorchPickle op(int code) {
        out.write(code);
        return this;
    }

    private TorchPickle global(AllowedGlobal global) {
        op('c');
        out.writeBytes((global.module() + "\n" + global.simpleName() + "\n").getBytes(StandardCharsets.US_ASCII));
        return this;
    }

    private TorchPickle text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        op('X');
        out.writeBytes(littleEndian(bytes.length));
        out.writeBytes(bytes);
        return this;
    }

    private TorchPickle tuple(long[] values) {
        op('(');
        for (long value : values) {
            integer(value);
        }
        return op('t');
    }

    private TorchPickle integer(long value) {
        if (value >= 0 && value < 1 << 8) {
            return op('K').op((int) value);
        } else if (value == (int) value) {
            op('J');
            out.writeBytes(littleEndian((int) value));
            return this;
        }
        byte[] bytes = BigInteger.valueOf(value).toByteArray();
        op(0x8a).op(bytes.length);
        for (int i = bytes.length - 1; i >= 0; i--) {
            op(bytes[i]);
        }
        return this;
    }

    private static byte[] littleEndian(int value) {
        return ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array();
    }
}
