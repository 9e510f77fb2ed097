//go:build !go1.26 && !goexperiment.swissmap

package main

// Where hmap.flags is in a map's header, and its bit hashWriting.
const writingAt, writing = 8, 4
