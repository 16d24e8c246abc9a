package queries

// Waiting returns how many transactions wait for the writer of SQLite.
func (db *DB) Waiting() int {
	if db.writer == nil {
		return 0
	}
	return len(db.writer.jobs)
}
