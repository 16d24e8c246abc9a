package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
)

// AllNodes is the room of every node, whatever its collaboration. It is for the
// question whether they are there, and for nothing else.
const AllNodes = "all_nodes"

// Standing is what decides about the live connections of an account.
type Standing struct {
	Era             int64 // of access tokens
	OrganizationID  int64 // 0: none
	CollaborationID int64 // of a node; 0: none
	Rooms           []string
}

// Standings returns the standing of each account, with its rooms in the order in which
// they are joined (/docs/live#rooms). Accounts that are gone are left out. The number
// of queries does not depend on the number of accounts.
func (c *Core) Standings(ctx context.Context, accounts []int64) (map[int64]Standing, error) {
	ids := idSet(accounts)
	nodes, err := c.db.StandingOfNodes(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("reading the standing of nodes: %w", err)
	}
	all := make(map[int64]Standing, len(accounts))
	for _, n := range nodes {
		all[n.ID] = Standing{
			Era: n.AccessEra, OrganizationID: value(n.OrganizationID), CollaborationID: value(n.CollaborationID),
			Rooms: roomsOfNode(n),
		}
	}
	if len(all) == len(accounts) {
		return all, nil
	}
	users, err := c.db.StandingOfUsers(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("reading the standing of users: %w", err)
	}
	rooms, err := c.roomsOfUsers(ctx, users)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		all[u.ID] = Standing{Era: u.AccessEra, OrganizationID: value(u.OrganizationID), Rooms: rooms[u.ID]}
	}
	return all, nil
}

// roomsOfNode keeps a node whose organization has left the collaboration out of it
// (/docs/permissions#reach).
func roomsOfNode(n queries.StandingOfNodesRow) []string {
	if !n.Member {
		return []string{AllNodes}
	}
	return []string{AllNodes, CollaborationRoom(*n.CollaborationID), OrganizationRoom(*n.CollaborationID, *n.OrganizationID)}
}

// roomsOfUsers goes by the widest rule that a user holds for viewing events.
func (c *Core) roomsOfUsers(ctx context.Context, users []queries.StandingOfUsersRow) (map[int64][]string, error) {
	if len(users) == 0 {
		return nil, nil
	}
	ids, organizations := make([]int64, len(users)), make([]int64, len(users))
	for i, u := range users {
		ids[i], organizations[i] = u.ID, value(u.OrganizationID)
	}
	views, err := c.eventViews(ctx, ids)
	if err != nil {
		return nil, err
	}
	own, err := byOwner(c.db.CollaborationsOfOrganizations(ctx, idSet(organizations)))
	if err != nil {
		return nil, fmt.Errorf("reading the collaborations of organizations: %w", err)
	}
	var all []int64
	rooms := map[int64][]string{}
	for i, id := range ids {
		view, organization := views[id], organizations[i]
		switch {
		case view[access.Global]:
			if all == nil {
				if all, err = c.db.CollaborationIDs(ctx); err != nil {
					return nil, fmt.Errorf("listing collaborations: %w", err)
				}
			}
			rooms[id] = roomsOf(all, CollaborationRoom)
		case view[access.Collaboration]:
			rooms[id] = roomsOf(own[organization], CollaborationRoom)
		case view[access.Organization]:
			rooms[id] = roomsOf(own[organization], func(collaboration int64) string {
				return OrganizationRoom(collaboration, organization)
			})
		}
	}
	return rooms, nil
}

// eventViews returns the scopes in which users may view events.
func (c *Core) eventViews(ctx context.Context, users []int64) (map[int64]*[access.Global + 1]bool, error) {
	rows, err := c.db.EventViewOfUsers(ctx, idSet(users))
	if err != nil {
		return nil, fmt.Errorf("reading who may view events: %w", err)
	}
	views := make(map[int64]*[access.Global + 1]bool, len(users))
	for _, id := range users {
		views[id] = new([access.Global + 1]bool)
	}
	for _, r := range rows {
		for scope := range views[r.UserID] {
			if access.Scope(scope).String() == r.Scope {
				views[r.UserID][scope] = true
			}
		}
	}
	return views, nil
}

func roomsOf(collaborations []int64, room func(int64) string) []string {
	rooms := make([]string, len(collaborations))
	for i, id := range collaborations {
		rooms[i] = room(id)
	}
	return rooms
}
