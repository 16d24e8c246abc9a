package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/bcrypt"
)

// keyPair is what CompareKeys is asked: whether a slow hash of a 3.x server is of an API key.
type keyPair struct {
	Key  []byte `json:"key"`
	Hash []byte `json:"hash"`
}

// CompareKeys answers each keyPair of in with true or false, as JSON, with what others leave of the
// processors. It ends with in, and so with the server that asks.
func CompareKeys(in io.Reader, out io.Writer) error {
	inBackground()
	asked, told := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var pair keyPair
		if err := asked.Decode(&pair); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading what to compare: %w", err)
		}
		if err := told.Encode(bcrypt.CompareHashAndPassword(pair.Hash, pair.Key) == nil); err != nil {
			return fmt.Errorf("telling what was found: %w", err)
		}
	}
}

// keyProcess compares API keys in a process of its own: beside a comparison in this one every request
// would wait for its turn at the processors, which the runtime gives to goroutines of one priority.
type keyProcess struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	told *json.Decoder
}

// keyAnswer is how long the process may take for one comparison. Where it gets no processor, or stands still, this one
// goes on.
const keyAnswer = time.Minute

// errNoKeyAnswer says that the process has not answered in time.
var errNoKeyAnswer = errors.New("it gives no answer")

// startKeyProcess runs a command that calls CompareKeys.
func startKeyProcess(command []string) (*keyProcess, error) {
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...) //nolint:gosec // it is this program; it ends with its input
	cmd.Env = []string{"GOMAXPROCS=1"}                                           // and no secrets
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = startInBackground(cmd)
	}
	if err != nil {
		_ = in.Close()
		return nil, err
	}
	return &keyProcess{cmd: cmd, in: in, told: json.NewDecoder(out)}, nil
}

// compare reports whether a hash is of a key. A process that does not say so in time is ended.
func (p *keyProcess) compare(key, hash []byte, most time.Duration) (same bool, err error) {
	late := time.AfterFunc(most, func() { _ = p.cmd.Process.Kill() })
	err = json.NewEncoder(p.in).Encode(keyPair{Key: key, Hash: hash})
	if err == nil {
		err = p.told.Decode(&same)
	}
	if !late.Stop() {
		return false, fmt.Errorf("%w within %s", errNoKeyAnswer, most)
	}
	return same, err
}

// end ends the process, which may stand still and has nothing to lose.
func (p *keyProcess) end() {
	_ = p.in.Close()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// keyComparer compares API keys in a process of its own as long as there is one, else in this one.
type keyComparer struct {
	command []string // of the process; none: there is to be none
	most    time.Duration
	process *keyProcess
	log     zerolog.Logger
}

// matches reports whether a slow hash is of a key.
func (k *keyComparer) matches(key, hash []byte) bool {
	if len(k.command) > 0 {
		same, err := k.ask(key, hash)
		if err == nil {
			return same
		}
		k.log.Warn().Err(err).Msg("API keys of a 3.x server cannot be searched for in a process of its own: requests beside this search may take longer")
		k.close()
		k.command = nil
	}
	return bcrypt.CompareHashAndPassword(hash, key) == nil
}

func (k *keyComparer) ask(key, hash []byte) (same bool, err error) {
	if k.process == nil {
		if k.process, err = startKeyProcess(k.command); err != nil {
			return false, err
		}
	}
	return k.process.compare(key, hash, k.most)
}

func (k *keyComparer) close() {
	if k.process != nil {
		k.process.end()
		k.process = nil
	}
}
