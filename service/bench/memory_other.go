//go:build !linux

package bench

import "time"

// resident is not known here.
func resident(int) (bytes int64, ok bool) { return 0, false }

func forgetPeak(int) bool { return false }

func peak(int) int64 { return 0 }

func processorTime(int) (time.Duration, bool) { return 0, false }

func load() *float64 { return nil }
