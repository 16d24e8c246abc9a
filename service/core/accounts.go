package core

import (
	"context"
	"fmt"
	"slices"

	"vserver/queries"
	"vserver/service/access"
)

// addAccounts makes the common part of users and nodes and returns the ids, in ascending
// order.
func (t *Tx) addAccounts(ctx context.Context, kind access.Kind, n int) ([]int64, error) {
	places := make([]int64, n)
	for i := range places {
		places[i] = int64(i)
	}
	ids, err := t.InsertAccounts(ctx, kind.String(), idSet(places))
	if err != nil {
		return nil, fmt.Errorf("creating accounts: %w", err)
	}
	slices.Sort(ids)
	return ids, nil
}

// SaveAccount writes where and when an account was seen; its tokens are not touched.
func (t *Tx) SaveAccount(ctx context.Context, a queries.Account) error {
	return t.UpdateAccount(ctx, queries.UpdateAccountParams{IP: a.IP, LastSeen: a.LastSeen, Status: a.Status, ID: a.ID})
}

// RemoveAccounts deletes users and nodes with what is theirs alone. Their connections
// end; their tasks and results stay.
func (t *Tx) RemoveAccounts(ctx context.Context, ids ...int64) error {
	t.closeSockets(ids...)
	return t.DeleteAccounts(ctx, idSet(ids))
}
