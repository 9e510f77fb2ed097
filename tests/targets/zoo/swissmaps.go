//go:build go1.26 || goexperiment.swissmap

package main

// Where maps.Map.writing is in a map's header, and what it is while a goroutine writes.
const writingAt, writing = 34, 1
