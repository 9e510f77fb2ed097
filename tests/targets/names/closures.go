package main

import "runtime"

type server struct{ name string }

//go:noinline
func closing(label string) {
	n := len(label)
	call(func(label string) {
		park()
		runtime.KeepAlive(label)
		runtime.KeepAlive(n)
	}, "closure")
	runtime.KeepAlive(label)
}

//go:noinline
func (s *server) Serve(label string) {
	call(func(label string) {
		call(func(label string) {
			park()
			runtime.KeepAlive(label)
			runtime.KeepAlive(s)
		}, "closure of a closure")
		runtime.KeepAlive(label)
	}, "closure of a method")
	runtime.KeepAlive(label)
}

// makes is inlined, and its closure with it: the closure's name says where.
func makes() func(string) {
	return func(label string) {
		park()
		runtime.KeepAlive(label)
	}
}

//go:noinline
func madeIn(label string) {
	call(makes(), "inlined closure")
	runtime.KeepAlive(label)
}

func closures() {
	start(func() { closing("closing") })
	start(func() { (&server{"s"}).Serve("serve") })
	start(func() { madeIn("made") })
}
