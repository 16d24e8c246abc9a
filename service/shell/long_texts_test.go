package shell_test

import (
	"strings"
	"testing"
)

// A text of any length is read by itself and written by itself: the others of the result stay as
// they are, in their chunks.
func TestLongTextsAreReadAndWrittenAlone(t *testing.T) {
	b := newFixture(t)
	b.does(world)
	b.does("result.input = 'i' * 600000\nresult.result = 'r' * 300000\nresult.log = 'short'\nresult.save()")
	b.says("[len(text) for text in (result.input, result.result, result.log)]", "[600000, 300000, 5]")
	streams := b.stored("SELECT id, part, bytes FROM stream WHERE part <> 'log' ORDER BY part")
	if !strings.Contains(streams, "input 600000") || !strings.Contains(streams, "result 300000") {
		t.Errorf("long texts are stored as %s", streams)
	}
	b.does("other = db.Result.get(1)\nother.log = 'l' * 400000\nother.status = 'x'\nother.save()")
	b.says("[len(text) for text in (result.input, result.result, result.log)]", "[600000, 300000, 400000]")
	if got := b.stored("SELECT id, part, bytes FROM stream WHERE part <> 'log' ORDER BY part"); got != streams {
		t.Errorf("what was not set is stored anew: %s, was %s", got, streams)
	}
	b.does("result.input = None\nresult.result = 'b'\nresult.save()")
	b.says("result.input, result.result, len(result.log)", "(None, 'b', 400000)")
	b.does("result.log = None\nresult.save()")
	b.says("result.input, result.result, result.log", "(None, 'b', None)")
	if got := b.stored("SELECT COUNT(*) FROM stream WHERE result_id IS NOT NULL"); got != "0" {
		t.Errorf("%s texts have chunks", got)
	}
}
