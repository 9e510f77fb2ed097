package main

import "runtime"

type value struct{ name string }

//go:noinline
func (v value) Value(label string) {
	park()
	runtime.KeepAlive(label)
	runtime.KeepAlive(v)
}

//go:noinline
func (v *value) Pointer(label string) {
	park()
	runtime.KeepAlive(label)
	runtime.KeepAlive(v)
}

// around has both methods by embedding; the compiler wraps them.
type around struct {
	n int
	*value
}

type valuer interface{ Value(string) }

//go:noinline
func through(v valuer, label string) { v.Value(label) }

func methods() {
	v := &value{"v"}
	start(func() { v.Value("value") })
	start(func() { v.Pointer("pointer") })
	start(func() { call(v.Value, "method") })
	start(func() { call(v.Pointer, "pointer method") })
	start(func() { through(v, "through interface") })
	start(func() { through(around{1, v}, "through embedding") })
}
