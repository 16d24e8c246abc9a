package handlers

import (
	"context"
	"sync"
	"testing"

	"vserver/service/core"
	"vserver/service/promise"
)

// TestJudgementsAreSharedAndNeverOlderThanTheQuestion: who asks while a reading is under way is
// answered by the next one, together with all others who do, and not by that reading.
func TestJudgementsAreSharedAndNeverOlderThanTheQuestion(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	begun, finish := make(chan []int64), make(chan int64)
	j := judgements{read: func(_ context.Context, accounts []int64) (map[int64]core.Standing, error) {
		begun <- accounts
		standing := core.Standing{Era: <-finish}
		return map[int64]core.Standing{1: standing, 2: standing}, nil
	}}
	var asked sync.WaitGroup
	ask := func(account, era int64, known bool) {
		g := j.join(account) // before the next step, whoever runs first
		asked.Go(func() {
			<-g.done
			if s, ok := g.standings[account]; ok != known || known && s.Era != era {
				t.Errorf("account %d: %+v, %t; not of reading %d", account, s, ok, era)
			}
		})
	}
	ask(1, 1, true)
	if got := <-begun; len(got) != 1 || got[0] != 1 {
		t.Errorf("the first reading is of %v", got)
	}
	for range 3 {
		ask(1, 2, true)
		ask(2, 2, true)
		ask(3, 0, false)
	}
	finish <- 1
	if got := <-begun; len(got) != 3 {
		t.Errorf("the second reading is of %v", got)
	}
	finish <- 2
	asked.Wait()
	go func() { <-begun; finish <- 3 }()
	if s, ok, err := j.of(ctx, 2); err != nil || !ok || s.Era != 3 {
		t.Errorf("%+v, %t, %v", s, ok, err)
	}
}

// TestJudgementIsNotWaitedForLongerThanAsked, although the reading goes on.
func TestJudgementIsNotWaitedForLongerThanAsked(t *testing.T) {
	finish := make(chan struct{})
	defer close(finish)
	j := judgements{read: func(context.Context, []int64) (map[int64]core.Standing, error) {
		<-finish
		return nil, nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := j.of(ctx, 1); err == nil {
		t.Error("judged before the reading ended")
	}
}

// TestPanicOfAJudgementIsAnErrorOfThoseWhoAsked, and the next one is judged.
func TestPanicOfAJudgementIsAnErrorOfThoseWhoAsked(t *testing.T) {
	readings := 0
	j := judgements{read: func(context.Context, []int64) (map[int64]core.Standing, error) {
		if readings++; readings == 1 {
			panic("a fault of ours")
		}
		return map[int64]core.Standing{1: {}}, nil
	}}
	if _, _, err := j.of(t.Context(), 1); err == nil {
		t.Error("no error")
	}
	if _, ok, err := j.of(t.Context(), 1); err != nil || !ok {
		t.Errorf("%t, %v", ok, err)
	}
}
