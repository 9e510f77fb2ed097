//go:build old

package main

type Colour int

const (
	Blue Colour = iota
	Red
)
