package main

import (
	"runtime"

	"example.com/yaml.v3"
)

type id int

type ids []id

type pair struct{ Left, Right string }

//go:noinline
func keyed[K comparable, V any](label string, key K, item V) {
	park()
	runtime.KeepAlive(label)
	runtime.KeepAlive(key)
	runtime.KeepAlive(item)
}

// closed parks in a closure of a generic function.
//
//go:noinline
func closed[T any](label string, item T) {
	call(func(label string) {
		park()
		runtime.KeepAlive(label)
		runtime.KeepAlive(item)
	}, "closure of closed")
	runtime.KeepAlive(label)
}

// inner is a generic function that is inlined.
func inner[T any](label string, item T) {
	park()
	runtime.KeepAlive(label)
	runtime.KeepAlive(item)
}

//go:noinline
func outer[T any](label string, item T) {
	inner("inlined", item)
	runtime.KeepAlive(label)
}

// made is a generic function that is inlined with its closure.
func made[T any](item T) func(string) {
	return func(label string) {
		park()
		runtime.KeepAlive(label)
		runtime.KeepAlive(item)
	}
}

//go:noinline
func makesMade(label string) {
	call(made(&pair{}), "closure of made")
	runtime.KeepAlive(label)
}

type list[T any] struct{ items []T }

//go:noinline
func (l *list[T]) Push(label string, item T) {
	l.items = append(l.items, item)
	park()
	runtime.KeepAlive(label)
	runtime.KeepAlive(l)
}

//go:noinline
func (l list[T]) Each(label string) {
	call(func(label string) {
		park()
		runtime.KeepAlive(label)
		runtime.KeepAlive(l)
	}, "closure of each")
	runtime.KeepAlive(label)
}

type pusher[T any] interface{ Push(string, T) }

//go:noinline
func push[T any](p pusher[T], label string, item T) { p.Push(label, item) }

func generics() {
	type local struct{ at int }
	start(func() { keyed("one", 1, "one") })
	start(func() { keyed("two", id(2), "two") })
	start(func() { keyed("three", "three", &value{}) })
	start(func() { keyed("four", "four", &pair{}) })
	start(func() { keyed("five", "five", pair{}) })
	start(func() { keyed("six", "six", ids{1}) })
	start(func() { keyed("seven", "seven", map[string]any{}) })
	start(func() { keyed("eight", "eight", yaml.Node{}) })
	start(func() { keyed("nine", "nine", error(nil)) })
	start(func() { keyed("ten", 10, func(int) string { return "" }) })
	start(func() { keyed("eleven", 11, local{}) })
	start(func() { closed("closed", 1) })
	start(func() { outer("outer", 1.5) })
	start(func() { makesMade("makes made") })
	start(func() { (&list[int]{}).Push("int", 1) })
	start(func() { (&list[string]{}).Push("string", "one") })
	start(func() { push[uint8](&list[uint8]{}, "uint8", 1) })
	start(func() { list[string]{}.Each("each") })
	start(func() { yaml.Walk("walk", pair{}, park) })
}
