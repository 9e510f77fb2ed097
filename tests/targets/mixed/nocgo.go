//go:build !cgo

package main

func blockInC(int) { panic("built without cgo") }

func throughC(int) { panic("built without cgo") }

func blockedInC() int { panic("built without cgo") }
