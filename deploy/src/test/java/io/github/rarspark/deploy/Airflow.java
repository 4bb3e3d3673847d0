package io.github.rarspark.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rarspark.common.storage.Json;
import io.github.rarspark.common.testing.Processes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** An Airflow of the Python environment {@code airflow}, with the project's DAGs and a database of its own. */
final class Airflow {
    private static final Path SCRIPTS = Path.of("src", "test", "python").toAbsolutePath();
    private static final Path DAGS = Path.of("airflow", "dags").toAbsolutePath();
    private static final Duration LIMIT = Duration.ofSeconds(300);

    /** What the pipeline of the DAGs sets itself, of each command. */
    private static final Set<String> PIPELINE_KEYS =
            Set.of("input", "output", "tokens", "weights", "samples", "reference", "features", "tokenizer", "ranks");

    private final PythonEnvironment python = PythonEnvironment.of("airflow");
    private final Processes processes;
    private final Path home;
    private final Map<String, String> environment = new TreeMap<>();

    /** What a DAG run left: its id, its tasks by id, and the extras of the events of assets. */
    record DagRun(String id, Map<String, Task> tasks, List<Map<String, Object>> events) {
        /** The state of each task. */
        Map<String, String> states() {
            Map<String, String> states = new TreeMap<>();
            tasks.forEach((name, task) -> states.put(name, task.state()));
            return states;
        }
    }

    /** A task of a DAG run. */
    record Task(String state, int tries, Object result) {}

    /** What importing the DAGs gave: what is wrong with them, and their tasks by the ids of DAG and task. */
    record Dags(Map<String, String> errors, List<String> warnings, Map<String, Map<String, Definition>> dags) {}

    /** A task as it is defined, after others. */
    record Definition(String pool, int retries, Set<String> after) {}

    /** How a command ended. */
    record Ended(int code, String log) {}

    private Airflow(Processes processes, Path home) {
        this.processes = processes;
        this.home = home;
    }

    /** Creates an Airflow in the folder {@code home} with a Spark connection to {@code master}, and more in its environment. */
    static Airflow create(Processes processes, Path home, String connection, String master, Map<String, String> more)
            throws Exception {
        Airflow airflow = new Airflow(processes, Files.createDirectories(home));
        Map<String, String> environment = airflow.environment;
        environment.put("AIRFLOW_HOME", home.toString());
        environment.put("AIRFLOW__CORE__DAGS_FOLDER", DAGS.toString());
        environment.put("AIRFLOW__CORE__LOAD_EXAMPLES", "False");
        environment.put("AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY", "1");
        environment.put("AIRFLOW_CONN_" + connection, Json.line(Map.of("conn_type", "spark", "host", master)));
        environment.put("PYTHONDONTWRITEBYTECODE", "1");
        environment.put("RAR_SPARK_HOME", Path.of("..").toRealPath().toString());
        Path spark = PythonEnvironment.of("spark").installed("pyspark");
        environment.put("RAR_SPARK_LOG", home.resolve("rar-spark.log").toString());
        environment.put("SPARK_HOME", spark.toString());
        environment.put("PATH", spark.resolve("bin") + ":" + System.getenv("PATH"));
        environment.putAll(more);
        Ended migrated = airflow.run("migrate", "airflow", "db", "migrate");
        assertThat(migrated.code()).as(migrated.log()).isZero();
        return airflow;
    }

    /** The parameters of a run of jobs, without where it goes, and with more recipe keys and Spark settings. */
    static Map<String, Object> params(FourJobs jobs, Map<String, Object> moreKeys, Map<String, ?> spark) {
        Map<String, Object> settings = new TreeMap<>();
        jobs.settings().forEach((key, value) -> {
            if (!PIPELINE_KEYS.contains(key.substring(key.indexOf('.') + 1))) {
                settings.put(key, value);
            }
        });
        settings.putAll(moreKeys);
        Map<String, Object> params = new HashMap<>();
        params.put("root", jobs.root());
        params.put("recipe", jobs.tiny().recipe().toUri().toString());
        params.put("images", jobs.settings().get("tokenize.input"));
        params.put("tokenizer", jobs.settings().get("tokenize.tokenizer"));
        params.put("reference", jobs.settings().get("fid.reference"));
        params.put("features", jobs.settings().get("fid.features"));
        params.put("ranks", 2);
        params.put("settings", settings);
        params.put("spark", spark);
        return params;
    }

    /** Starts a run of a DAG in the foreground of a process, which logs to {@link #log}. */
    Process startRun(String name, String dag, String date, Map<String, Object> params, String... options)
            throws IOException {
        List<String> words = new ArrayList<>(List.of("dags", "test", dag, date, "--conf", Json.line(params)));
        words.addAll(List.of(options));
        return start(name, "airflow", words.toArray(String[]::new));
    }

    /** Runs a DAG. */
    Ended runDag(String name, String dag, String date, Map<String, Object> params, String... options) throws Exception {
        return await(startRun(name, dag, date, params, options), name);
    }

    /** What the run of a DAG for a date left. */
    DagRun dagRun(String dag, String date) throws Exception {
        return script("airflow_run.py", DagRun.class, dag, date);
    }

    /** Imports the DAGs. */
    Dags dags() throws Exception {
        return script("airflow_dags.py", Dags.class, DAGS.toString());
    }

    /** What a script prints in its last line. */
    private <T> T script(String file, Class<T> type, String... arguments) throws Exception {
        List<String> words = new ArrayList<>(List.of(SCRIPTS.resolve(file).toString()));
        words.addAll(List.of(arguments));
        Ended ended = run(file, "python", words.toArray(String[]::new));
        assertThat(ended.code()).as(ended.log()).isZero();
        String json = ended.log().lines().reduce((before, last) -> last).orElseThrow();
        return Json.read(json.getBytes(StandardCharsets.UTF_8), type, "what " + file + " prints");
    }

    /** Runs a program of the environment to its end. */
    Ended run(String name, String program, String... arguments) throws Exception {
        return await(start(name, program, arguments), name);
    }

    private Process start(String name, String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(python.program(program).toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        return processes.start(builder.redirectOutput(log(name).toFile()));
    }

    /** Waits for a process that logs as {@code name}. */
    Ended await(Process process, String name) throws Exception {
        int code = Processes.exitCode(process, LIMIT);
        return new Ended(code, Files.readString(log(name)));
    }

    /** The log of a process that was started as {@code name}. */
    Path log(String name) {
        return home.resolve(name + ".log");
    }
}
