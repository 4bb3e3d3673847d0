package io.github.rarspark.kernel.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rarspark.kernel.rar.ScanOrder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/** The scan orders of square grids: by side and name, the raster index of the k-th token. */
final class OrdersGolden implements GoldenCase {
    private static final String FILE = "orders.json";

    @Override
    public String kind() {
        return "orders";
    }

    @Override
    public List<String> files() {
        return List.of(FILE);
    }

    @Override
    public List<Check> check(Path folder, GoldenRun run) throws IOException {
        JsonNode sides = new ObjectMapper().readTree(Files.readString(folder.resolve(FILE)));
        List<Check> checks = new ArrayList<>();
        for (Map.Entry<String, JsonNode> side : sides.properties()) {
            for (Map.Entry<String, JsonNode> order : side.getValue().properties()) {
                double[] stated = StreamSupport.stream(order.getValue().spliterator(), false)
                        .mapToDouble(JsonNode::asDouble)
                        .toArray();
                double[] actual = Arrays.stream(
                                ScanOrder.labelled(order.getKey()).of(stated.length))
                        .asDoubleStream()
                        .toArray();
                String name = side.getKey() + "/" + order.getKey();
                checks.add(Check.within(name, Check.maxDifference(actual, stated), 0));
            }
        }
        return checks;
    }
}
