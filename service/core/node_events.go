package core

import (
	"context"
	"fmt"
	"slices"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// AlgorithmStatus is what a node says about a running algorithm
// (/docs/live#client-events). Of what is nil nothing was said.
type AlgorithmStatus struct {
	Status          *string
	ResultID        int64
	NodeID          *int64
	TaskID          *int64
	CollaborationID *int64
	OrganizationID  *int64
	ParentID        *int64
}

// statusNews is the argument of the relayed event.
type statusNews struct {
	Status          *string `json:"status"`
	ResultID        int64   `json:"result_id"`
	TaskID          *int64  `json:"task_id"`
	RunID           *int64  `json:"run_id"`
	CollaborationID *int64  `json:"collaboration_id"`
	NodeID          *int64  `json:"node_id"`
	OrganizationID  *int64  `json:"organization_id"`
	ParentID        *int64  `json:"parent_id"`
}

// RelayStatus passes on a node's news about a result of its own. What it named is
// passed on as the database has it, what it did not name as null. Nothing is stored:
// the node sends the result itself. The fault says why nothing was passed on
// (/docs/security#u4).
func (c *Core) RelayStatus(ctx context.Context, g access.Grant[access.NodeItself], s AlgorithmStatus) error {
	r, err := c.relayedResult(ctx, g, s.ResultID, s.CollaborationID)
	if err != nil {
		return err
	}
	node := g.Actor().ID
	level := zerolog.InfoLevel
	if failed(s.Status) {
		level = zerolog.FatalLevel // the log's CRITICAL
	}
	c.log.WithLevel(level).Msgf("Status of the algorithm of task %d, result %d, at node %d is %q",
		value(r.TaskID), r.ID, g.Actor().ID, value(s.Status))
	c.emitNow(CollaborationRoom(*r.CollaborationID), "algorithm_status_change", statusNews{
		Status: s.Status, ResultID: r.ID, RunID: r.RunID, TaskID: ifSent(s.TaskID, r.TaskID),
		CollaborationID: ifSent(s.CollaborationID, r.CollaborationID), NodeID: ifSent(s.NodeID, &node),
		OrganizationID: ifSent(s.OrganizationID, r.OrganizationID), ParentID: ifSent(s.ParentID, r.ParentID),
	})
	return nil
}

// failed reports whether a status means that nothing more will come
// (/docs/live#client-events): every word that is not one of the good ones.
func failed(status *string) bool {
	return !slices.Contains([]string{"pending", "initializing", "active", "completed"}, value(status))
}

// ifSent returns the stored value of what was sent, nil of what was not.
func ifSent(sent, stored *int64) *int64 {
	if sent == nil {
		return nil
	}
	return stored
}

// ContainerFailure is how nodes before 3.6 say that an algorithm has failed.
type ContainerFailure struct {
	ResultID        int64
	CollaborationID *int64
	StatusCode      *int64
}

// RelayFailure passes on that an algorithm has failed, and stores it: such a node
// finishes its result without a status (/docs/results#life).
func (c *Core) RelayFailure(ctx context.Context, g access.Grant[access.NodeItself], f ContainerFailure) error {
	r, err := c.relayedResult(ctx, g, f.ResultID, f.CollaborationID)
	if err != nil {
		return err
	}
	err = c.transact(ctx, func(ctx context.Context, t *Tx) error {
		return firstError(t.holdTask(ctx, r.TaskID), t.FailOpenResult(ctx, r.ID))
	})
	if err != nil {
		return fmt.Errorf("storing that result %d failed: %w", r.ID, err)
	}
	c.log.WithLevel(zerolog.FatalLevel).Msgf("The algorithm of task %d, result %d, at node %d ended with code %d",
		value(r.TaskID), r.ID, g.Actor().ID, value(f.StatusCode))
	c.emitNow(CollaborationRoom(*r.CollaborationID), "container_failed", r.RunID)
	return nil
}

// relayedResult finds a result that a node may speak for: one of its organization in its
// collaboration, as both are at this moment.
func (c *Core) relayedResult(ctx context.Context, g access.Grant[access.NodeItself], id int64, collaboration *int64) (queries.RelayedResultRow, error) {
	none := queries.RelayedResultRow{}
	node, err := c.Identify(ctx, access.Node, g.Actor().ID)
	if err != nil {
		return none, err
	}
	r, err := c.db.RelayedResult(ctx, id)
	if queries.Missing(err) {
		return none, fault.New(fault.Missing, "there is no result %d", id)
	}
	if err != nil {
		return none, fmt.Errorf("reading the result that an event is about: %w", err)
	}
	if !r.Member || !node.WorksFor(r.OrganizationID, r.CollaborationID) {
		return none, fault.New(fault.Denied, "result %d is not the node's own", id)
	}
	if collaboration != nil && !node.WorksIn(collaboration) {
		return none, fault.New(fault.Denied, "collaboration %d is not the node's own", *collaboration)
	}
	return r, nil
}

// NodeSetting is one value of what a node tells about its configuration.
type NodeSetting struct{ Key, Value string }

// KeepNodeSettings stores what a node told about itself in place of what it told
// before (/docs/live#node-config).
func (c *Core) KeepNodeSettings(ctx context.Context, g access.Grant[access.NodeItself], settings []NodeSetting) error {
	node := g.Actor().ID
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		if err := t.DeleteNodeConfig(ctx, &node, nil); err != nil {
			return err
		}
		for _, s := range settings {
			if err := t.AddNodeConfig(ctx, &queries.NodeConfig{NodeID: node, Key: &s.Key, Value: &s.Value}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("storing the configuration of node %d: %w", node, err)
	}
	return nil
}
