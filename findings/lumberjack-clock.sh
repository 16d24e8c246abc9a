#!/bin/sh
# lumberjack.v2 2.2.1 keeps the old files whose names hold the latest times. After the clock was set back, each file is
# removed as soon as it is rotated away, while the files from before stay, until the clock has passed their times again.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// present returns what the files of the log hold, in the order of their names.
func present() string {
	entries, err := os.ReadDir("log")
	must(err)
	var all strings.Builder
	for _, e := range entries {
		text, err := os.ReadFile("log/" + e.Name())
		must(err)
		all.Write(text)
	}
	return all.String()
}

// settle waits until lumberjack, which removes files in the background, has left three.
func settle() {
	for range 500 {
		if entries, err := os.ReadDir("log"); err == nil && len(entries) == 3 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	panic("files are not removed")
}

func main() {
	must(os.Mkdir("log", 0o700))
	ahead := time.Now().UTC().Add(time.Hour) // rotated while the clock was an hour ahead
	for _, record := range []string{"A", "B"} {
		ahead = ahead.Add(time.Minute)
		must(os.WriteFile("log/x-"+ahead.Format("2006-01-02T15-04-05.000")+".log", []byte(record), 0o600))
	}
	l := &lumberjack.Logger{Filename: "log/x.log", MaxBackups: 2}
	defer l.Close()
	for _, record := range []string{"C", "D", "E"} {
		_, err := l.Write([]byte(record))
		must(err)
		if record != "E" {
			must(l.Rotate())
			settle()
		}
	}
	got := present()
	fmt.Printf("written in this order: ABCDE; two old files and the current one hold: %s\n", got)
	if got != "ABE" {
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
