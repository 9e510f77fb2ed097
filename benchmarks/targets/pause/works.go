package main

import "runtime"

// Twenty functions in which goroutines wait: what a spec asks for. Each is in the middle of a use of its variables.

//go:noinline
func work0(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 0
}

//go:noinline
func work1(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 1
}

//go:noinline
func work2(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 2
}

//go:noinline
func work3(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 3
}

//go:noinline
func work4(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 4
}

//go:noinline
func work5(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 5
}

//go:noinline
func work6(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 6
}

//go:noinline
func work7(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 7
}

//go:noinline
func work8(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 8
}

//go:noinline
func work9(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 9
}

//go:noinline
func work10(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 10
}

//go:noinline
func work11(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 11
}

//go:noinline
func work12(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 12
}

//go:noinline
func work13(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 13
}

//go:noinline
func work14(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 14
}

//go:noinline
func work15(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 15
}

//go:noinline
func work16(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 16
}

//go:noinline
func work17(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 17
}

//go:noinline
func work18(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 18
}

//go:noinline
func work19(id int, it *Item) int {
	wait()
	runtime.KeepAlive(it)
	return id + 19
}

var works = [...]func(int, *Item) int{
	work0, work1, work2, work3, work4,
	work5, work6, work7, work8, work9,
	work10, work11, work12, work13, work14,
	work15, work16, work17, work18, work19,
}
