// Package levels has a type whose constants are named here, and one more by those who use it. The last element of its path is
// not its name.
package levels

import "time"

type Level uint8

const (
	Low  Level = 10
	High Level = 250
	Top        = High
)

type Mode uint8

const (
	ModeA Mode = 1 << iota
	ModeB
	ModeC
)

// Thirteenth is a constant of another package's type.
const Thirteenth time.Month = 13

//go:noinline
func Next(level Level) Level { return level + 1 }
