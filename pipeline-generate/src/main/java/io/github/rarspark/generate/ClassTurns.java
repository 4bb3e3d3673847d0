package io.github.rarspark.generate;

import io.github.rarspark.conf.Recipe;
import io.github.rarspark.kernel.rar.RarSampler.Request;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * The class of each image of a run: the classes take turns, in their order, and one that has all its images drops out.
 *
 * @param classes the classes that have images
 * @param counts the number of images of each
 */
record ClassTurns(List<Integer> classes, List<Integer> counts) implements Serializable {

    ClassTurns {
        classes = List.copyOf(classes);
        counts = List.copyOf(counts);
    }

    /** The classes of a recipe. */
    static ClassTurns of(Recipe recipe) {
        int all = recipe.model().classes();
        List<Integer> asked = recipe.generate().classes();
        List<Integer> classes =
                asked.isEmpty() ? IntStream.range(0, all).boxed().toList() : asked;
        List<Integer> counts = recipe.generate().counts(all);
        int[] used = IntStream.range(0, classes.size())
                .filter(place -> counts.get(place) > 0)
                .toArray();
        return new ClassTurns(
                Arrays.stream(used).mapToObj(classes::get).toList(),
                Arrays.stream(used).mapToObj(counts::get).toList());
    }

    /** The number of images of all classes. */
    int images() {
        return counts.stream().mapToInt(Integer::intValue).sum();
    }

    /** {@code count} images from index {@code first}, {@code batch} at a time. */
    List<Request[]> batches(int first, int count, int batch) {
        List<Request> requests = requests(first, count);
        List<Request[]> batches = new ArrayList<>();
        for (int start = 0; start < count; start += batch) {
            batches.add(requests.subList(start, Math.min(count, start + batch)).toArray(Request[]::new));
        }
        return batches;
    }

    private List<Request> requests(int first, int count) {
        Objects.checkFromIndexSize(first, count, images());
        List<Request> requests = new ArrayList<>(count);
        int[] places = IntStream.range(0, classes.size()).toArray();
        int index = 0;
        for (int round = 0; requests.size() < count; round++) {
            int had = round;
            places = Arrays.stream(places)
                    .filter(place -> counts.get(place) > had)
                    .toArray();
            for (int i = 0; i < places.length && requests.size() < count; i++, index++) {
                if (index >= first) {
                    requests.add(new Request(classes.get(places[i]), index));
                }
            }
        }
        return requests;
    }
}
