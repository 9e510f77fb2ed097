//go:build go1.23

package main

import "iter"

// all yields what is in a list, and waits in between for ever.
//
//go:noinline
func all[T any](list []T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, v := range list {
			if !yield(v) {
				return
			}
		}
		keep(list)
	}
}

//go:noinline
func ranged[T any](list []T) {
	for v := range all(list) {
		tell("v", ref(v))
		stop()
		keep(v)
	}
	keep(list)
}

//go:noinline
func rangedOver[S ~[]E, E PointOrNode](list S) {
	for v := range all(list) {
		tell("v", ref(v), "*v", pointedTo(v))
		stop()
		keep(v)
	}
	keep(list)
}

//go:noinline
func sequenced[T any](each iter.Seq[T], v T) {
	tell("v", ref(v), "each", ref(each))
	stop()
	keep(each, v)
}

func startIterators() {
	start(func() { ranged([]*point{{1, 2}}) })
	start(func() { ranged([]*node{{Value: 3}}) })
	start(func() { ranged([]string{"text"}) })
	start(func() { rangedOver([]*point{{4, 5}}) })
	start(func() { rangedOver([]*node{{Value: 6}}) })
	start(func() { sequenced(all([]*point{{7, 8}}), &point{9, 10}) })
	start(func() { sequenced(all([]*node{{Value: 11}}), &node{Value: 12}) })
}
