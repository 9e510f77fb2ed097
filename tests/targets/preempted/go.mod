module preempted

go 1.21
