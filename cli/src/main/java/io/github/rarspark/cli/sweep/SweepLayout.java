package io.github.rarspark.cli.sweep;

import io.github.rarspark.cli.scored.ScoredSet;
import io.github.rarspark.common.storage.Storage;
import io.github.rarspark.conf.Recipe;

/**
 * The paths of a sweep, and the recipes of its jobs.
 *
 * @param output the folder of the sweep
 */
record SweepLayout(String output, Sweep sweep) {
    static final String TABLE = "sweep.csv";
    static final String PAGE = "sweep.html";

    /** The output of generate, relative to that of the sweep. */
    String samples(Sweep.Point point) {
        return "points/" + sweep.name(point);
    }

    /** The grid of a point, relative to the output of the sweep. */
    String grid(Sweep.Point point) {
        return samples(point) + "/grid.png";
    }

    /** The output of fid. */
    String score(Sweep.Point point) {
        return path("scores/" + sweep.name(point));
    }

    /** The recipe of a point's two jobs; all use the same cache of features, unless the recipe names one. */
    Recipe recipe(Sweep.Point point) {
        String cache = point.recipe().fid().cache();
        return ScoredSet.recipe(
                point.recipe(), path(samples(point)), score(point), cache.isEmpty() ? path("features") : cache);
    }

    String path(String name) {
        return Storage.child(output, name);
    }
}
