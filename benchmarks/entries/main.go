// Command entries reads every entry of an executable's debug info with Go's own debug/dwarf, and prints their number.
package main

import (
	"debug/elf"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "entries:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	file, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	data, err := file.DWARF()
	if err != nil {
		return err
	}
	reader, count := data.Reader(), 0
	for {
		entry, err := reader.Next()
		if err != nil {
			return err
		}
		if entry == nil {
			break
		}
		count++
	}
	fmt.Println(count)
	return nil
}
