package limits

// openable is not limited on Windows.
func openable() int { return 0 }
