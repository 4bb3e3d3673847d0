What lib/ contains beside rar-spark, which is under the Apache License 2.0: artifact, version, license, and where to find it.
DJL, JNA, gson, jackson-dataformat-yaml, snakeyaml, parquet-avro, picocli, progressbar, jline, uPlot and libtorch are in
rar-spark.jar, all others in spark/. libtorch itself contains third-party code: https://github.com/pytorch/pytorch/blob/v2.7.1/NOTICE
and https://github.com/pytorch/pytorch/tree/v2.7.1/third_party, Intel oneMKL (Intel Simplified Software License) and libgomp (GPL-3.0
with the GCC Runtime Library Exception). The demo's images are Fashion-MNIST's (MIT, https://github.com/zalandoresearch/fashion-mnist).

<#list dependencyMap as entry>
<#assign artifact = entry.getKey()/>
${artifact.groupId}:${artifact.artifactId}	${artifact.version}	${entry.getValue()?join(" or ")}	${artifact.url!"-"}
</#list>
