package vpn

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"unicode/utf8"
)

// profileType is the content type of an OpenVPN configuration.
const profileType = "application/x-openvpn-profile"

// firstProfile returns the id of the profile that nodes get: the first one that the
// portal lists for its user.
func (s *session) firstProfile(ctx context.Context) (string, error) {
	reply, err := s.get(ctx, Profiles, s.portal+"/api.php/profile_list")
	if err != nil {
		return "", err
	}
	var profiles []struct {
		ID string `json:"profile_id"`
	}
	if err := read(Profiles, "profile_list", reply, &profiles); err != nil {
		return "", err
	}
	if len(profiles) == 0 || profiles[0].ID == "" {
		return "", failure(Unconfigured, Profiles, "the portal has no profile for portal_username")
	}
	return profiles[0].ID, nil
}

// profileText returns the configuration of a profile, without key pair. The portal
// reports some faults with status 200 too, as JSON.
func (s *session) profileText(ctx context.Context, profile string) (string, error) {
	reply, err := s.get(ctx, Profile, s.portal+"/api.php/profile_config?"+url.Values{"profile_id": {profile}}.Encode())
	if err != nil {
		return "", err
	}
	kind, _, _ := mime.ParseMediaType(reply.header.Get("Content-Type"))
	if reply.status == http.StatusOK && kind == profileType && utf8.Valid(reply.body) {
		return string(reply.body), nil
	}
	if err := read(Profile, "profile_config", reply, new(json.RawMessage)); err != nil {
		return "", err
	}
	return "", failure(Unusable, Profile, "the answer is no OpenVPN configuration")
}

// supplied returns a configuration with a new key pair.
func (s *session) supplied(ctx context.Context, text string) (string, error) {
	reply, err := s.post(ctx, KeyPair, s.portal+"/api.php/create_keypair", nil, nil)
	if err != nil {
		return "", err
	}
	var pair struct {
		Certificate string `json:"certificate"`
		Key         string `json:"private_key"`
	}
	if err := read(KeyPair, "create_keypair", reply, &pair); err != nil {
		return "", err
	}
	if pair.Certificate == "" || pair.Key == "" {
		return "", failure(Unusable, KeyPair, "the answer has no certificate or no key")
	}
	return withKeys(text, pair.Certificate, pair.Key), nil
}

// read takes the data of a call out of its answer.
func read(at Step, call string, reply answer, data any) error {
	switch {
	case reply.status == http.StatusUnauthorized || reply.status == http.StatusForbidden:
		return failure(Refused, at, "status %d%s", reply.status, words(reply.body))
	case reply.status != http.StatusOK:
		return failure(Unusable, at, "status %d%s", reply.status, words(reply.body))
	}
	var outer map[string]json.RawMessage
	var inner struct {
		OK   bool            `json:"ok"`
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(reply.body, &outer) != nil || json.Unmarshal(outer[call], &inner) != nil {
		return failure(Unusable, at, "the answer is not what release 2.x of the portal gives")
	}
	if !inner.OK {
		return failure(Unusable, at, "the portal could not do it%s", words(outer[call]))
	}
	if json.Unmarshal(inner.Data, data) != nil {
		return failure(Unusable, at, "the answer is not what release 2.x of the portal gives")
	}
	return nil
}
