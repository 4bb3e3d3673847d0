What lib/ contains beside rar-spark, which is under the Apache License 2.0: artifact, version, license, and where to find it.
DJL, JNA, gson, jackson-dataformat-yaml, snakeyaml, parquet-avro, picocli, progressbar, jline, uPlot and libtorch are in
rar-spark.jar, all others in spark/. Texts of licenses: a jar's own are in ARTIFACT-VERSION-jar/, others are named by ORIGINS.tsv,
which tells where they come from, and for what is under the Apache License 2.0 without a text of its own it is ../LICENSE.
None was found for antlr4-runtime, pickle and progressbar; those of native code inside jars of spark/ (zstd, snappy, lz4, leveldb)
are not here. libtorch contains third-party code, which its LICENSE lists, Intel oneMKL (Intel Simplified Software License) and
libgomp (GPL-3.0 with the GCC Runtime Library Exception). The demo's images are Fashion-MNIST's (MIT,
https://github.com/zalandoresearch/fashion-mnist).

<#list dependencyMap as entry>
<#assign artifact = entry.getKey()/>
${artifact.groupId}:${artifact.artifactId}	${artifact.version}	${entry.getValue()?join(" or ")}	${artifact.url!"-"}
</#list>
