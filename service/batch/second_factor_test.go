package batch_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/service/batch"
	"vserver/service/bus"
	"vserver/service/core"
)

const withOTP = head + "users: [{username: u, password: p, otp_secret: JBSWY3DPEHPK3PXP}]}\ncollaborations: []\n"

// TestSecondFactorIsImportedSealed: the secret is not in the database as it is, and compared all the same.
func TestSecondFactorIsImportedSealed(t *testing.T) {
	b := newBed(t)
	if _, err := b.imports(parse(t, withOTP), batch.Options{}); !errors.Is(err, core.ErrNoKey) || !strings.Contains(err.Error(), "second factor of user u") {
		t.Errorf("without a key: %v", err)
	}
	b.wants(map[string]string{`SELECT COUNT(*) FROM "user"`: "1"})

	db, err := queries.Open(t.Context(), b.src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	key := core.Key{Name: "the test", Read: func(bool) ([]byte, error) { return []byte("a key that is long enough to seal"), nil }}
	b.core, err = core.New(t.Context(), db, bus.New(zerolog.Nop()), zerolog.Nop(), core.Settings{PasswordCost: leastCost, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	b.must(withOTP)
	b.wants(map[string]string{
		`SELECT COUNT(*) FROM "user" WHERE otp_secret LIKE 'v1:%' AND otp_secret NOT LIKE '%JBSWY3DPEHPK3PXP%'`: "1",
	})
	if again := b.must(withOTP); again.Count(batch.Unchanged, batch.User) != 1 {
		t.Errorf("the same once more: %+v", again)
	}
	other, err := b.imports(parse(t, strings.Replace(withOTP, "JBSW", "JBSX", 1)), batch.Options{})
	if err != nil || other.Count(batch.Differs, batch.User) != 1 {
		t.Errorf("another one: %+v %v", other, err)
	}
	bad := strings.Replace(strings.Replace(withOTP, "username: u,", "username: v,", 1), "JBSWY3DPEHPK3PXP", "JBS", 1)
	if _, err := b.imports(parse(t, bad), batch.Options{}); err == nil || !strings.Contains(err.Error(), "user v") {
		t.Errorf("one of which nobody can make codes: %v", err)
	}
}
