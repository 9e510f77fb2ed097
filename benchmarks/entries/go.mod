module freezeframe.test/benchmarks/entries

go 1.21
