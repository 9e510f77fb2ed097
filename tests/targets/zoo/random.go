package main

import "reflect"

// What functions that tests/values writes are made with.

type (
	tallier      interface{ Tally() int }
	tally        int
	Chain[T any] struct {
		V    T
		Next *Chain[T]
	}
	Crate[T any] struct {
		v   T
		all []T
	}
	Couple[K comparable, V any] struct {
		K K
		V V
		m map[K]V
	}
)

func (c tally) Tally() int { return int(c) }

// attempt is what f tells, or the word for what means nothing.
func attempt(f func() any) (told any) {
	defer func() {
		if recover() != nil {
			told = missing{}
		}
	}()
	return f()
}

// valueAt is a map's value under a key that is there.
func valueAt[M ~map[K]V, K comparable, V any](m M, key K) V {
	value, ok := m[key]
	if !ok {
		panic(key)
	}
	return value
}

// cut is a range of a slice as far as that goes; to its end if hi is negative.
func cut[S ~[]E, E any](s S, lo, hi int) S {
	if s == nil {
		return nil
	}
	if hi < 0 || hi > len(s) {
		hi = len(s)
	}
	return s[min2(lo, hi):hi]
}

func cutText[S ~string](s S, lo, hi int) S {
	hi = min2(hi, len(s))
	return s[min2(lo, hi):hi]
}

func min2(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func channelOf[T any](size int, items ...T) chan T {
	c := make(chan T, size)
	for _, item := range items {
		c <- item
	}
	mu.Lock()
	defer mu.Unlock()
	twoWay[reflect.ValueOf(c).Pointer()] = reflect.ValueOf(c)
	return c
}

//go:noinline
func inside(f func()) { f() }
