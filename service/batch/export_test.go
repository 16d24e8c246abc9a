package batch

// Parse is Read for a text; path is for messages.
func Parse(path string, text []byte) (*File, error) {
	return newFile(form.FromText(path, text))
}
