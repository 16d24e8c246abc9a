package private

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	ada      = "S-1-5-21-1-2-3-1001"
	bert     = "S-1-5-21-1-2-3-1002"
	serviceA = "S-1-5-80-1-1-1-1-1"
	serviceB = "S-1-5-80-2-2-2-2-2"
)

// folder of all data of programs, as Windows makes it.
func programData() list {
	return list{owner: systemSID, entries: []entry{
		{systemSID, allRights, inheritance | inherited}, {administratorsSID, allRights, inheritance | inherited},
		{creatorSID, 0x10000000, inheritance | notItself}, {usersSID, readRights, inheritance}, {usersSID, 0x116, toFolders},
	}}
}

// TestPrivateFileIsForOwnerSystemAndAdministrators: and nothing comes from the folder above.
func TestPrivateFileIsForOwnerSystemAndAdministrators(t *testing.T) {
	above := programData()
	for owner, want := range map[string]string{
		ada:               "D:P(A;;0x1f01ff;;;S-1-5-18)(A;;0x1f01ff;;;S-1-5-32-544)(A;;0x1f01ff;;;" + ada + ")",
		administratorsSID: "D:P(A;;0x1f01ff;;;S-1-5-18)(A;;0x1f01ff;;;S-1-5-32-544)",
	} {
		if got := sealed(owner, 0, above.handed(false, ada)...).text(); got != want {
			t.Errorf("of %s: %s", owner, got)
		}
	}
	folder := sealed(administratorsSID, inheritance, above.handed(true, ada)...)
	if got, want := folder.text(), "D:P(A;OICI;0x1f01ff;;;S-1-5-18)(A;OICI;0x1f01ff;;;S-1-5-32-544)"; got != want {
		t.Error(got)
	}
}

// TestOthersAreWhoeverElseHasRights: whatever these are; what only lies ready for files in a
// folder is none to the folder.
func TestOthersAreWhoeverElseHasRights(t *testing.T) {
	file := sealed(ada, 0, entry{sid: serviceA, mask: changeRights})
	for name, c := range map[string]struct {
		list list
		want []string
	}{
		"private":         {file, nil},
		"everybody":       {list{owner: ada, all: true}, []string{everyoneSID}},
		"a reader":        {sealed(ada, 0, entry{sid: bert, mask: 1}), []string{bert}},
		"all services":    {sealed(ada, 0, entry{sid: allServicesSID, mask: 1}), []string{allServicesSID}},
		"once":            {sealed(ada, 0, entry{bert, 1, 0}, entry{bert, 2, inherited}), []string{bert}},
		"standard folder": {programData(), []string{usersSID}},
		"below only":      {sealed(ada, inheritance, entry{bert, allRights, inheritance | notItself}), nil},
	} {
		if diff := cmp.Diff(c.want, c.list.others(anyRight)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := sealed(ada, 0, entry{sid: bert, mask: 1}).others(anyRight, bert); got != nil {
		t.Error("who asks is another", got)
	}
	shown := closedFolder(programData(), administratorsSID, ada, true)
	if !shown.shown() || shown.others(makeRights) != nil || programData().others(makeRights) == nil {
		t.Error("who may put files into a folder", shown)
	}
}

// TestServiceGoesOnInFilesThatAreMadePrivate: with what it had, and others that the folder let in
// only where none was let in to the very file.
func TestServiceGoesOnInFilesThatAreMadePrivate(t *testing.T) {
	users := entry{usersSID, readRights, inherited}
	admins := "D:P(A;;0x1f01ff;;;S-1-5-18)(A;;0x1f01ff;;;S-1-5-32-544)"
	for name, c := range map[string]struct {
		before list
		want   string
	}{
		"of the folder": {
			list{owner: administratorsSID, entries: []entry{users, {serviceA, changeRights, inherited}}},
			admins + "(A;;0x1301bf;;;" + serviceA + ")",
		},
		"of the file": {
			list{owner: administratorsSID, entries: []entry{users, {serviceA, changeRights, inherited}, {serviceB, readRights, 0}}},
			admins + "(A;;0x1200a9;;;" + serviceB + ")",
		},
		"its own": {
			list{owner: serviceA, entries: []entry{users}},
			admins + "(A;;0x1f01ff;;;" + serviceA + ")",
		},
		"no owner is known": {list{entries: []entry{users}}, admins},
	} {
		if got := closed(c.before, administratorsSID, ada).text(); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	// Who changes a file of another goes on in it.
	if got := closed(list{owner: bert}, ada, ada).text(); got != admins+"(A;;0x1f01ff;;;"+bert+")(A;;0x1f01ff;;;"+ada+")" {
		t.Error(got)
	}
}

// TestWhatIsMadeInAFolderHasItsService: in a folder of several only the files.
func TestWhatIsMadeInAFolderHasItsService(t *testing.T) {
	own := sealed(administratorsSID, inheritance, Keeps().of(serviceA))
	shared := sealed(administratorsSID, inheritance, Fills().of(serviceA))
	file := []entry{{sid: serviceA, mask: changeRights}}
	folder := []entry{{serviceA, changeRights, inheritance}}
	for name, c := range map[string]struct {
		got, want []entry
	}{
		"file in its own":     {own.handed(false, ada), file},
		"folder in its own":   {own.handed(true, ada), folder},
		"file in a shared":    {shared.handed(false, ada), file},
		"folder in a shared":  {shared.handed(true, ada), nil},
		"of who has a home":   {sealed(ada, inheritance).handed(false, ada), []entry{{sid: ada, mask: allRights}}},
		"of somebody else":    {sealed(ada, inheritance).handed(false, bert), nil},
		"for what is below":   {list{entries: []entry{{serviceA, 1, toFiles | notItself}}}.handed(false), []entry{{sid: serviceA, mask: 1}}},
		"not for what is not": {list{entries: []entry{{serviceA, 1, 0}}}.handed(false), nil},
	} {
		if diff := cmp.Diff(c.want, c.got, cmp.AllowUnexported(entry{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestAdmittedServiceIsTheOneOfItsFile: one that the folder had let in goes.
func TestAdmittedServiceIsTheOneOfItsFile(t *testing.T) {
	l := list{owner: administratorsSID, entries: []entry{{serviceA, changeRights, inherited}, {serviceB, changeRights, 0}, {usersSID, readRights, inherited}}}
	l.admit(Reads().of(serviceB))
	want := "D:P(A;;0x1f01ff;;;S-1-5-18)(A;;0x1f01ff;;;S-1-5-32-544)(A;;0x1200a9;;;" + serviceB + ")"
	if got := closed(l, administratorsSID, ada).text(); got != want {
		t.Error(got)
	}
}

// TestRemedyIsALineToType: it gives the same as the program would.
func TestRemedyIsALineToType(t *testing.T) {
	before := list{owner: administratorsSID, entries: []entry{
		{usersSID, readRights, inherited}, {bert, allRights, 0}, {serviceA, changeRights, inherited}, {serviceB, readRights, inherited},
	}}
	want := `icacls "C:\a b\x.yaml" /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F *` + serviceA + `:M *` + serviceB + `:RX /remove:g *S-1-5-32-545 *` + bert
	if got := closed(before, before.owner, ada).command(`C:\a b\x.yaml`, before); got != want {
		t.Error(got)
	}
	folder := programData()
	want = `icacls "C:\d" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F *S-1-5-32-545:RX`
	if got := closedFolder(folder, folder.owner, ada, true).command(`C:\d`, folder); got != want {
		t.Error(got)
	}
	if got := sealed(ada, 0).command("x", list{owner: ada}); got != `icacls "x" /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F *`+ada+":F" {
		t.Error(got)
	}
}
