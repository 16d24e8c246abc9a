package upkeep

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service"
	"vserver/service/config"
)

// TestDoctorNamesKeysThatNobodyCanEncryptWith: what earlier releases, and the import, have
// taken is named with its organization, and neither good keys nor missing ones are.
func TestDoctorNamesKeysThatNobodyCanEncryptWith(t *testing.T) {
	var empty dbtest.Template
	src := empty.Copy(t)
	inst := config.Instance{Database: config.Database{Engine: config.Engine(src.Engine), Path: src.Path, DSN: config.Secret(src.DSN)}}
	opened, err := service.OpenInstance(t.Context(), inst, false, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)})
	add := func(key []byte) (id int64) {
		t.Helper()
		err := opened.DB.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) (err error) {
			id, err = tx.InsertOrganization(ctx, queries.InsertOrganizationParams{PublicKey: key})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	add(good)
	add(nil)
	if found := (examination{inst: inst}).keys(t.Context()); len(found) != 1 || found[0].Verdict != Sound {
		t.Errorf("good keys: %+v", found)
	}
	odd := add([]byte("hello"))
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	found := (examination{inst: inst}).keys(t.Context())
	if len(found) != 1 || found[0].Verdict != Doubt || !strings.Contains(found[0].Text, fmt.Sprintf("organization %d holds no RSA public key", odd)) || found[0].Advice == "" {
		t.Errorf("an odd key: %+v", found)
	}
}
