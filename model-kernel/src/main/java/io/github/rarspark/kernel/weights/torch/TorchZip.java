package io.github.rarspark.kernel.weights.torch;

import io.github.rarspark.kernel.weights.format.FileContent;
import io.github.rarspark.kernel.weights.format.MappedRanges;
import io.github.rarspark.kernel.weights.format.TensorInfo;
import io.github.rarspark.kernel.weights.format.TensorWriter;
import io.github.rarspark.kernel.weights.format.Text;
import io.github.rarspark.kernel.weights.format.WritableFormat;
import io.github.rarspark.kernel.weights.torch.StoredZip.Entry;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * What {@code torch.save} writes of dictionaries of tensors since PyTorch 1.6: a zip archive of a pickle, {@code
 * NAME/data.pkl}, one entry {@code NAME/data/KEY} per storage, and some metadata.
 */
public final class TorchZip implements WritableFormat {
    /** The format. */
    public static final TorchZip FORMAT = new TorchZip();

    private static final String PICKLE = "/data.pkl";
    /** The first bytes of an archive, and of an empty one. */
    private static final ByteBuffer LOCAL_HEADER = ByteBuffer.wrap(new byte[] {'P', 'K', 3, 4});

    private static final ByteBuffer END = ByteBuffer.wrap(new byte[] {'P', 'K', 5, 6});

    private TorchZip() {}

    @Override
    public String name() {
        return "torch_zip";
    }

    @Override
    public boolean matches(byte[] head) {
        ByteBuffer start = ByteBuffer.wrap(head, 0, Math.min(head.length, Integer.BYTES));
        return start.equals(LOCAL_HEADER) || start.equals(END);
    }

    /** Starts writing a file. The format has no metadata beside the state dict, so none is written. */
    @Override
    public TensorWriter begin(OutputStream out, Map<String, String> metadata, List<TensorInfo> tensors)
            throws IOException {
        return new TorchWriter(out, tensors);
    }

    @Override
    public FileContent read(FileChannel channel, String file) throws IOException {
        Map<String, Entry> entries = StoredZip.read(channel, file);
        List<Entry> pickles = entries.values().stream()
                .filter(entry -> entry.name().endsWith(PICKLE)
                        && entry.name().indexOf('/') == entry.name().length() - PICKLE.length())
                .toList();
        if (pickles.size() != 1) {
            throw TorchError.malformed(
                    file, "its zip archive has " + pickles.size() + " entries NAME/data.pkl instead of one");
        }
        Entry pickle = pickles.get(0);
        String folder = pickle.name().substring(0, pickle.name().length() - PICKLE.length());
        if (entries.containsKey(folder + "/constants.pkl")) {
            throw TorchError.malformed(file, "it holds a TorchScript program; save the model's state_dict() instead");
        }
        checkByteOrder(channel, entries.get(folder + "/byteorder"), file);
        ByteBuffer code = small(channel, pickle, PickleReader.MOST_BYTES, file);
        TorchStorages storages = new TorchStorages(file, 5);
        Object root = PickleReader.read(code, file, storages::named);
        if (code.hasRemaining()) {
            throw TorchError.malformed(file, "its pickle is followed by " + code.remaining() + " bytes");
        }
        for (TorchStorage storage : storages.all()) {
            Entry entry = entries.get(folder + "/data/" + storage.key());
            if (entry == null) {
                throw TorchError.malformed(file, "its archive has no storage " + Text.quote(storage.key()));
            }
            storages.place(storage, entry.data(), entry.crc());
        }
        storages.map(channel);
        return StateDict.of(root, file);
    }

    private static void checkByteOrder(FileChannel channel, Entry entry, String file) throws IOException {
        if (entry != null) {
            String order = StandardCharsets.ISO_8859_1
                    .decode(small(channel, entry, 16, file))
                    .toString();
            if (!order.equals("little")) {
                throw TorchError.malformed(file, "its byte order is " + Text.quote(order) + " instead of 'little'");
            }
        }
    }

    private static ByteBuffer small(FileChannel channel, Entry entry, int most, String file) throws IOException {
        String what = "its entry " + Text.quote(entry.name());
        if (entry.data().length() > most) {
            throw TorchError.malformed(file, what + " has " + entry.data().length() + " bytes, more than " + most);
        }
        byte[] bytes = MappedRanges.read(
                channel, entry.data().begin(), (int) entry.data().length());
        CRC32 crc = new CRC32();
        crc.update(bytes);
        // PyTorch writes 0 if CRCs are disabled.
        if (entry.crc() != 0 && entry.crc() != (int) crc.getValue()) {
            throw TorchError.malformed(file, what + " does not match its CRC in the archive");
        }
        return ByteBuffer.wrap(bytes);
    }
}
