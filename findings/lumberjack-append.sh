#!/bin/sh
# lumberjack.v2 2.2.1 opens a log file that it finds for appending, but one that it creates itself without: when another
# tool empties that file in its place, or a second program writes to it, records land behind zero bytes or on top of others.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"os"

	"gopkg.in/natefinch/lumberjack.v2"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// record writes one line through lumberjack.
func record(l *lumberjack.Logger, line string) {
	_, err := l.Write([]byte(line))
	must(err)
}

// emptied writes, empties the file as `copytruncate` of logrotate does, and writes again.
func emptied(path string) (size, zeros int) {
	l := &lumberjack.Logger{Filename: path}
	defer l.Close()
	record(l, "first record\n")
	must(os.Truncate(path, 0))
	record(l, "second\n")
	text, err := os.ReadFile(path)
	must(err)
	return len(text), bytes.Count(text, []byte{0})
}

// shared writes through lumberjack, then as another program does, and again.
func shared(path string) string {
	l := &lumberjack.Logger{Filename: path}
	defer l.Close()
	record(l, "one\n")
	other, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	must(err)
	defer other.Close()
	_, err = other.WriteString("two\n")
	must(err)
	record(l, "three\n")
	text, err := os.ReadFile(path)
	must(err)
	return string(text)
}

func main() {
	for _, path := range []string{"found.log", "shared-found.log"} {
		must(os.WriteFile(path, nil, 0o600))
	}
	size, zeros := emptied("found.log")
	fmt.Printf("emptied, a file that was there: %d bytes, %d of them zero\n", size, zeros)
	right := size == 7 && zeros == 0
	size, zeros = emptied("created.log")
	fmt.Printf("emptied, a file of its own:     %d bytes, %d of them zero\n", size, zeros)
	right = right && size == 20 && zeros == 13
	found, created := shared("shared-found.log"), shared("shared-created.log")
	fmt.Printf("shared, a file that was there:  %q\nshared, a file of its own:      %q\n", found, created)
	right = right && found == "one\ntwo\nthree\n" && created == "one\nthree\n"
	if !right {
		fmt.Println("no longer so")
		os.Exit(1)
	}
}
GO
go mod init finding >go.log 2>&1
go get gopkg.in/natefinch/lumberjack.v2@v2.2.1 >>go.log 2>&1 || { cat go.log; exit 1; }
go version
go list -m gopkg.in/natefinch/lumberjack.v2
go run .
