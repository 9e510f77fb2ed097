//go:build go1.23

package main

import "runtime"

func counted(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

//go:noinline
func ranges(label string, each func(func(int) bool)) {
	for i := range each {
		label := "body"
		park()
		runtime.KeepAlive(label)
		runtime.KeepAlive(i)
	}
	runtime.KeepAlive(label)
}

func iterators() {
	start(func() { ranges("ranges", counted(2)) })
}
