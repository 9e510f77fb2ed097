module freezeframe.test/benchmarks/targets

go 1.21
