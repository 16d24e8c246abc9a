package queries

// Waiting returns how many transactions wait for the writer of SQLite.
func (db *DB) Waiting() int {
	if db.writer == nil {
		return 0
	}
	return len(db.writer.jobs)
}

// Confuse has the writer of SQLite panic at whatever it does, until the returned function
// is called.
func (db *DB) Confuse() (mend func()) {
	at := db.writer.at
	db.writer.at = nil
	return func() { db.writer.at = at }
}
