// Package yaml has a dot in the last element of its path, which the linker escapes in names.
package yaml

import "runtime"

// Node is a type argument from a package whose path is escaped.
type Node struct{ Value string }

// Decoder parks in a method and in a closure of it.
type Decoder struct{ Park func() }

//go:noinline
func (d *Decoder) Decode(label string) {
	d.Park()
	runtime.KeepAlive(label)
}

//go:noinline
func (d *Decoder) Each(label string, call func(func(string))) {
	call(func(label string) {
		d.Park()
		runtime.KeepAlive(label)
	})
	runtime.KeepAlive(label)
}

// Walk is generic, of a package whose path is escaped.
//
//go:noinline
func Walk[T any](label string, node T, park func()) {
	park()
	runtime.KeepAlive(label)
	runtime.KeepAlive(node)
}
