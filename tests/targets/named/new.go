//go:build !old

package main

type Colour int

const (
	Red Colour = iota
	Green
	Blue
)
