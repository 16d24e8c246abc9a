package core

// form recognises the encrypted form of a text that comes in pieces: key, initial vector
// and payload in base64, joined by `$`. Only the payload may be empty.
type form struct {
	parts  int   // that have ended
	length int64 // of the part so far
	pads   int
	other  bool // no such text any more
}

// base64Letters are the letters of standard base64.
var base64Letters = func() (is [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		is[c] = true
	}
	return is
}()

// look goes on with the next piece.
func (f *form) look(p []byte) {
	for len(p) > 0 && !f.other {
		n := 0
		if f.pads == 0 {
			for n < len(p) && base64Letters[p[n]] {
				n++
			}
		}
		f.length += int64(n)
		if n < len(p) {
			f.special(p[n])
			n++
		}
		p = p[n:]
	}
}

// special takes in what is no letter, or comes after the padding.
func (f *form) special(c byte) {
	switch {
	case c == '=' && f.pads < 2:
		f.pads++
		f.length++
	case c == '$' && f.parts < 2 && f.length > 0 && f.length%4 == 0:
		f.parts, f.length, f.pads = f.parts+1, 0, 0
	default:
		f.other = true
	}
}

func (f *form) encrypted() bool { return !f.other && f.parts == 2 && f.length%4 == 0 }

// isEncrypted reports whether a text has the encrypted form.
func isEncrypted(text string) bool {
	var f form
	f.look([]byte(text))
	return f.encrypted()
}
