package main

import (
	"math"
	"math/big"
)

//go:noinline
func bigs(zero, one, negative, large, none *big.Int, value big.Int, list []*big.Int, m map[string]*big.Int, r, whole *big.Rat, f, fzero, finf, huge *big.Float, boxed any) (sum big.Int) {
	sum.Add(one, &value)
	tell("zero", ref(zero), "one", ref(one), "negative", ref(negative), "large", ref(large), "none", ref(none), "value", ref(value), "list", ref(list), "m", ref(m),
		"r", ref(r), "whole", ref(whole), "f", ref(f), "fzero", ref(fzero), "finf", ref(finf), "huge", ref(huge), "boxed", ref(boxed), "sum", ref(sum))
	stop()
	keep(zero, one, negative, large, none, &value, list, m, r, whole, f, fzero, finf, huge, boxed)
	return sum
}

//go:noinline
func floatsOf(f *big.Float, i *big.Int, r big.Rat) {
	tell("f", ref(f), "i", ref(i), "r", ref(r))
	stop()
	keep(f, i, r)
}

func startNumbers() {
	text := func(s string) *big.Int {
		n, ok := new(big.Int).SetString(s, 10)
		if !ok {
			panic(s)
		}
		return n
	}
	large := new(big.Int).Exp(big.NewInt(7), big.NewInt(7000), nil) // 19652 bits
	negative := text("-123456789012345678901234567890")
	start(func() {
		bigs(new(big.Int), big.NewInt(1), negative, large, nil, *text("18446744073709551616"), []*big.Int{big.NewInt(-5), nil, large}, map[string]*big.Int{"max": big.NewInt(math.MaxInt64)},
			big.NewRat(-22, 7), big.NewRat(6, 2), big.NewFloat(0.1), new(big.Float), new(big.Float).SetInf(true),
			new(big.Float).SetMantExp(big.NewFloat(-1.5), 1<<20), negative)
	})
	for i, f := range []float64{1, -2.5, math.Pi, 1e21, 1e-7, 123456, 1234567, math.MaxFloat64, math.SmallestNonzeroFloat64 * (1 << 52), 0.0001, 0.00001, 5e-324 * (1 << 40), 1 << 53} {
		f, i := f, int64(i)
		start(func() { floatsOf(big.NewFloat(f), big.NewInt(i-5), big.Rat{}) })
	}
	for _, precision := range []uint{1, 8, 24, 64, 100, 200, 256, 1000} {
		third := new(big.Float).SetPrec(precision).Quo(new(big.Float).SetPrec(precision).SetInt64(1), new(big.Float).SetPrec(precision).SetInt64(3))
		start(func() { floatsOf(third, new(big.Int).Lsh(big.NewInt(-1), precision), *big.NewRat(1, int64(precision))) })
	}
}
